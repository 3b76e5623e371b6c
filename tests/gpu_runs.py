"""The tests of the GPU's kernels by name, and how they are run: each kind in a process of its own, all in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

# What the kernels compute: interpreted, compiled and emulated, and on a GPU.
COMPUTED = (
    "draws_are_the_same_bits",
    "one_program_is_the_reference",
    "words_may_stand_twice",
    "paths_in_one_program_are_the_reference",
    "paths_of_few_words",
)
# Of many kinds, each of which is compiled: interpreted, and on a GPU.
OF_ANY_KIND = ("any_small_corpus_is_the_reference",)
# Corners of these, and what is around them: not interpreted, which takes longer and shows no more.
AROUND = (
    "wide_windows_take_several_steps",
    "sums_end_one_to_a_lane",
    "scores_fill_several_packs_and_warps",
    "stores_in_place_of_additions_are_the_same_with_one_program",
    "scores_without_bounds_are_an_infinite_loss",
    "chunks_may_be_cut_anywhere",
    "chunks_of_many_tokens_are_planned_by_several_programs",
    "what_is_measured_moves_nothing",
    "the_corpus_stays_on_the_device_where_there_is_room",
    "programs_make_the_same_decisions_however_many",
    "paths_of_rows_that_warps_share",
    "paths_of_several_programs",
    "models_of_paths_go_on_elsewhere",
)
# bfloat16, which the interpreter does not round as GPUs do.
ROUNDED = (
    "weights_without_bounds_are_seen",
    "steps_are_rounded_without_bias",
    "steps_are_multiples_of_the_last_bit",
    "what_is_no_number_stays_none",
    "one_program_rounds_as_numpy_does",
    "bfloat16_learns_as_float32_does",
    "rounded_steps_may_be_stored",
)
# Where programs run one after another, or in turns that are drawn, or memory is not all there: emulated alone.
EMULATED = (
    "additions_to_crowded_rows_are_scaled",
    "programs_at_once_lose_nothing",
    "rows_stand_beyond_what_32_bits_count",
)
# What the emulation refuses.
FAULTS = (
    "addresses_out_of_bounds",
    "addresses_that_are_not_aligned",
    "reading_what_another_thread_wrote",
    "writing_over_what_another_warp_read",
    "branches_that_threads_take_differently",
    "instructions_that_are_not_known",
)


def run(*arguments, interpret=False, gpu=False):
    """What a program of the tests prints; fails where it ends with an error, or a warning."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent / "benchmarks"), *sys.path])}
    environment |= {"TRITON_INTERPRET": str(int(interpret)), "OMP_NUM_THREADS": "1"}
    if not gpu:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    command = [sys.executable, *([] if gpu else ["-W", "error"]), str(HERE / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


def errors_of(program, *names, **how):
    """What went wrong in each of the named functions, by name; None where nothing did."""
    found = [json.loads(line) for line in run(*program, *names, **how).splitlines()]
    return {each["name"]: each["error"] for each in found}
