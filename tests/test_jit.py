"""Compiled code: kept, loaded again without Numba's help, and called with what it was compiled for."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

from firth import jit
from firth.jit import compiled, inlined


class Pair(NamedTuple):
    values: np.ndarray
    times: int


@inlined
def add(values, at, more):
    values[at] += more


@compiled
def scale(pair):
    for i in range(len(pair.values)):
        pair.values[i] *= pair.times


@compiled
def work(pair, matrix, floats, flag, like):
    scale(pair)
    add(pair.values, 0, len(like))
    return pair.values[0] + matrix[1, 2], floats[-1] * 0.5, flag and matrix.shape[0] == 2


def test_arrays_tuples_and_numbers_go_in_and_come_out():
    for dtype in (np.int64, np.int32, np.uint64):
        values = np.array([3, 4], dtype)
        matrix = np.arange(12, dtype=np.int64).reshape(2, 6)[:, ::2]
        given = work(Pair(values, 2), matrix, np.ones(3, np.float32), True, (0,) * 5)
        assert values.tolist() == [11, 8]
        assert given == (11 + 10, 0.5, True)
        assert scale(Pair(values, 1)) is None


def test_read_only_arrays_are_another_type():
    values = np.arange(3)
    first_of = compiled(lambda values: values[0] + 0.5)
    assert first_of(values) == 0.5
    values.flags.writeable = False
    assert first_of(values) == 0.5


def test_threads_that_call_first_all_get_the_same_code():
    total = compiled(lambda values: values.sum())
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: total(np.arange(9)), range(16))) == {36}


def test_what_is_not_in_compiled_code_must_not_be_called():
    gamma = compiled(lambda x: math.gamma(x))
    with pytest.raises(TypeError, match=r"calls .*gamma.*, which compiled code must not"):
        gamma(2.5)


PROGRAM = """
import sys, numpy as np
from firth.jit import compiled
@compiled
def double(x):
    return 2 * x
print(double(21), double(1.5), "numba.np.arraymath" in sys.modules)
"""


def test_a_second_process_loads_what_the_first_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path))

    def told():
        return subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout

    assert told() == "42 3.0 True\n"
    kept = {each: each.stat().st_mtime_ns for each in (tmp_path / "compiled").rglob("*.o")}
    assert len(kept) == 2
    assert told() == "42 3.0 False\n"
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "compiled").rglob("*.o")} == kept


def test_where_nothing_can_be_kept_it_is_said_and_compiled_anew(tmp_path):
    (tmp_path / "file").write_text("")
    triple = jit._Kernel(lambda x: 3 * x, tmp_path / "file" / "folder")
    with pytest.warns(UserWarning, match=r"cannot keep its compiled code .*; set FIRTH_CACHE"):
        assert triple(14) == 42
    assert triple(2) == 6
