"""Which device trains: what is asked for, what there is, and what it can train."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest
from cases import Case

from firth import Word2Vec, word2vec
from firth.backends import devices
from firth.backends.cpu import CpuBackend
from firth.backends.devices import Found, decided
from firth.errors import BadOption, MissingExtra
from firth.options import TrainingOptions
from firth.reports import train_and_report

H200 = Found("2.13.0+cu130", "13.0", name="NVIDIA H200", capability=(9, 0))
ABSENT = {
    "CPU-only PyTorch": (Found("2.13.0+cpu", None), r"was built without; install a build for CUDA"),
    "no driver": (
        Found("2.13.0", "13.0", error="Found no NVIDIA driver on your system."),
        r"Found no NVIDIA driver.*nvidia-smi",
    ),
    "old driver": (
        Found("2.13.0", "13.0", error="The NVIDIA driver on your system is too old (found version 11040)."),
        r"too old.*; update the driver, or take device='cpu'",
    ),
    "old GPU": (
        Found("2.13.0", "13.0", name="Tesla T4", capability=(7, 5)),
        r"capability 8\.0 or more, and the Tesla T4 has 7\.5",
    ),
    "no compiler": (
        Found("2.13.0", "13.0", name="NVIDIA H200", capability=(9, 0), triton="Failed to find C compiler."),
        r"it cannot \(Failed to find C compiler\.\); install a C compiler and Python's headers",
    ),
}


@pytest.mark.parametrize(("found", "message"), ABSENT.values(), ids=list(ABSENT))
def test_a_gpu_that_cannot_be_had_is_refused_with_what_to_do(monkeypatch, found, message):
    monkeypatch.setattr(devices, "found", lambda: found)
    with pytest.raises(BadOption, match=message):
        Word2Vec(device="cuda").fit([["a", "b"]] * 9)
    options, told = decided(TrainingOptions(device="auto"))
    assert options.device == "cpu"
    assert told.startswith("training on the CPU: device='cuda' needs")


class Torch:
    """What PyTorch tells on a machine with a GPU."""

    __version__ = "2.13.0"
    version = type("version", (), {"cuda": "13.0"})
    cuda = type(
        "cuda",
        (),
        {
            "init": staticmethod(lambda: None),
            "get_device_name": staticmethod(lambda: "NVIDIA H200"),
            "get_device_capability": staticmethod(lambda: (9, 0)),
        },
    )


class Triton:
    """Triton whose driver is reached, or raises `error` when it is."""

    def __init__(self, error):
        self.error = error
        self.runtime = self.driver = self.active = self

    @property
    def utils(self):
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, ""),
        (RuntimeError("Failed to find C compiler. Please specify"), "Failed to find C compiler. Please specify"),
        (subprocess.CalledProcessError(1, ["/usr/bin/gcc", "main.c"]), "/usr/bin/gcc failed"),
        (ImportError("cuda_utils.so: failed to map segment"), "cuda_utils.so: failed to map segment"),
        (AssertionError("libcuda.so cannot found!\nPossible files"), "libcuda.so cannot found!"),
    ],
)
def test_what_keeps_triton_from_the_driver_is_told(monkeypatch, error, told):
    monkeypatch.setitem(sys.modules, "torch", Torch)
    monkeypatch.setitem(sys.modules, "triton", Triton(error))
    assert devices.found() == Found("2.13.0", "13.0", name="NVIDIA H200", capability=(9, 0), triton=told)


def test_what_pytorch_says_of_a_driver_is_told(monkeypatch):
    def init():
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\nPlease update")

    monkeypatch.setattr(Torch.cuda, "init", staticmethod(init))
    monkeypatch.setitem(sys.modules, "torch", Torch)
    assert devices.found() == ABSENT["old driver"][0]


def test_a_gpu_whose_memory_does_not_suffice_is_refused_with_what_to_do():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; pip install --group test installs it")
    pytest.importorskip("triton", reason="Triton is not installed (it is for Linux)")
    from firth.backends.gpu import GpuBackend

    class Full:
        """A GPU that is full."""

        OutOfMemoryError = torch.OutOfMemoryError
        cuda = type("cuda", (), {"mem_get_info": staticmethod(lambda _: (7 << 20, 80 << 30))})

        def from_numpy(self, array):
            raise torch.OutOfMemoryError(f"CUDA out of memory, wanted {array.nbytes}")

    for kept, size in (("float32", "85"), ("bfloat16", "43")):
        options = TrainingOptions(device="cuda", gpu_dtype=kept)
        machine, case = GpuBackend("cpu", programs=1, corpus_bytes=0), Case(1, 100_000, 100, (9,), options)
        machine._torch = Full()
        message = rf"100,000 words with vector_size 100 take {size} MB .* 7 of 81,920 MB are free"
        with pytest.raises(BadOption, match=message):
            machine.start(case.start(), case.tables(), case.options)


@pytest.mark.parametrize("missing", ["torch", "triton"])
def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, "torch", Torch)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=rf"package {missing}, .*pip install 'firth\[gpu\]'"):
        decided(TrainingOptions(device="cuda"))


@pytest.mark.parametrize("error", ["OSError", "ImportError"])
def test_a_package_that_cannot_be_loaded_is_told_from_one_that_is_not_there(monkeypatch, tmp_path, error):
    (tmp_path / "torch.py").write_text(f"raise {error}('libcudart.so.13: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    message = (
        r"torch, which is installed but cannot be loaded \(libcudart.*file\); run: pip install --force-reinstall torch"
    )
    with pytest.raises(MissingExtra, match=message):
        decided(TrainingOptions(device="cuda"))
    options, told = decided(TrainingOptions(device="auto"))
    assert options.device == "cpu"
    assert "cannot be loaded" in told


def test_auto_takes_the_gpu_where_there_is_one_and_says_so(monkeypatch):
    monkeypatch.setattr(devices, "found", lambda: H200)
    options, told = decided(TrainingOptions(device="auto"))
    assert (options.device, told) == ("cuda", "training on the GPU, NVIDIA H200")
    assert decided(TrainingOptions(device="cuda"))[0].device == "cuda"


def test_a_run_on_the_gpu_says_so_and_counts_the_time_that_reaching_it_took(monkeypatch, tmp_path):
    def found():
        time.sleep(0.2)
        return H200

    monkeypatch.setattr(devices, "found", found)
    monkeypatch.setattr(word2vec, "backend", lambda _: CpuBackend())
    (tmp_path / "text.txt").write_text("a b\n" * 9)
    options = {"min_count": 1, "vector_size": 16, "sample": 0.0, "epochs": 1, "workers": 1}
    for device, where in (("cuda", "on the GPU"), ("auto", "on the GPU"), ("cpu", "with 1 worker")):
        chosen = options | {"device": device}
        report = train_and_report(str(tmp_path / "text.txt"), tmp_path / "m.safetensors", chosen, {"cache": False})
        assert f"words/s {where}: reading" in list(report.lines())[-2]
        assert (report.compiling_seconds > 0.2) or device == "cpu"


def test_what_draws_no_noise_may_have_any_options_of_it(monkeypatch):
    monkeypatch.setattr(devices, "found", lambda: H200)
    options = TrainingOptions(device="cuda", loss="hs", noise="pair", distinct_noise=True)
    assert decided(options)[0].device == "cuda"


def test_auto_says_which_where_it_trains(capsys, monkeypatch):
    monkeypatch.setattr(devices, "found", lambda: ABSENT["no driver"][0])
    model = Word2Vec(device="auto", min_count=1, vector_size=16, sample=0, epochs=1, workers=1).fit([["a", "b"]] * 9)
    assert "firth: training on the CPU" in capsys.readouterr().err
    assert model.options.device == "auto"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "softmax"}, "trains losses 'ns' and 'hs', got 'softmax'; take one of these, or device='cpu'"),
        ({"window": "all"}, "windows of a number of words, got 'all'; give one"),
        ({"noise": "pair"}, "by window, got noise 'pair'; take noise='window'"),
        ({"distinct_noise": True}, "got distinct_noise True; leave it out"),
    ],
)
def test_what_the_gpu_does_not_train_is_refused_and_auto_takes_the_cpu(monkeypatch, options, message):
    monkeypatch.setattr(devices, "found", lambda: H200)
    with pytest.raises(BadOption, match=message):
        decided(TrainingOptions(device="cuda", **options))
    assert decided(TrainingOptions(device="auto", **options))[0].device == "cpu"


def test_bfloat16_is_refused_where_it_cannot_be_kept(monkeypatch):
    """Also with "auto", which would train on the CPU."""
    with pytest.raises(BadOption, match=r"must be 'float32' with device 'cpu', got 'bfloat16'; .*, or gpu_dtype="):
        TrainingOptions(gpu_dtype="bfloat16")
    monkeypatch.setattr(devices, "found", lambda: replace(H200, name="NVIDIA A100", capability=(8, 0)))
    for device in ("cuda", "auto"):
        with pytest.raises(BadOption, match=r"capability 9\.0 or more, and the NVIDIA A100 has 8\.0; take gpu_dtype="):
            decided(TrainingOptions(device=device, gpu_dtype="bfloat16"))
    monkeypatch.setattr(devices, "found", lambda: H200)
    for device in ("cuda", "auto"):
        assert decided(TrainingOptions(device=device, gpu_dtype="bfloat16"))[0].device == "cuda"
        with pytest.raises(BadOption, match="trains losses 'ns' and 'hs', got 'softmax'"):
            decided(TrainingOptions(device=device, gpu_dtype="bfloat16", loss="softmax"))
    monkeypatch.setattr(devices, "found", lambda: ABSENT["no driver"][0])
    with pytest.raises(BadOption, match=r"nvidia-smi.*with device='cpu', gpu_dtype must be 'float32'"):
        decided(TrainingOptions(device="auto", gpu_dtype="bfloat16"))


def test_the_reference_is_no_matter_for_a_gpu():
    with pytest.raises(BadOption, match="the reference trains on the CPU"):
        TrainingOptions(backend="reference", device="cuda")


@pytest.mark.parametrize(
    ("registers", "warps", "threads", "capability", "programs"),
    [
        (128, 1, 2048, (9, 0), 16),  # as many as there are registers for
        (80, 1, 2048, (9, 0), 25),
        (80, 1, 1536, (8, 6), 16),  # no more are held
        (33, 1, 2048, (9, 0), 32),
        (33, 4, 1536, (8, 9), 12),  # threads
        (228, 2, 2048, (9, 0), 4),  # 232 registers: they are given out by eights
        (80, 1, 2048, (99, 0), 16),
    ],
)
def test_a_multiprocessor_holds_as_many_programs_as_its_registers_and_threads_allow(
    registers, warps, threads, capability, programs
):
    pytest.importorskip("torch", reason="PyTorch is not installed; pip install --group test installs it")
    from firth.backends.gpu_shapes import programs_of_a_multiprocessor

    assert programs_of_a_multiprocessor(registers, warps, threads, capability) == programs


def test_warps_share_rows_of_which_each_thread_has_some_of_every_block():
    from firth.backends.gpu_shapes import Shape

    assert Shape(256, 64, 1, 1).shared_by(1) == Shape(256, 64, 1, 1)
    assert Shape(256, 64, 1, 1).shared_by(2) == Shape(256, 64, 2, 1)
    assert Shape(256, 64, 1, 1).shared_by(4) == Shape(512, 0, 4, 1)
    assert Shape(64, 0, 1, 2).shared_by(4) == Shape(64, 0, 2, 2)


def test_a_program_has_no_more_warps_than_gpus_launch():
    """However long rows are, and however many: what has no room in registers then is spilled."""
    from firth.backends.gpu_shapes import shape_of

    shapes = [shape_of(width, S) for width in (16, 128, 304, 1024, 1040, 2048, 4096) for S in (2, 6, 17, 21, 33, 65)]
    assert max(shape.warps for shape in shapes) == 32


def test_bfloat16_is_added_by_twos():
    from firth.backends.gpu_shapes import ADDED_AT_ONCE, shape_of

    for width in range(16, 1025, 16):
        for S in (2, 6, 11, 21, 65):
            for warps in (1, 2, 4):
                shape = shape_of(width, S, ADDED_AT_ONCE["bfloat16"])
                shape = shape.shared_by(max(warps, shape.warps))
                assert shape.main + shape.tail >= width
                assert all(block == 0 or block >= 64 * shape.warps for block in (shape.main, shape.tail)), (width, S)
