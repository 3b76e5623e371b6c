"""Which device trains: what was asked for, what there is, what it can train.

PyTorch is imported only where a GPU is asked for, or "auto" asks whether there is one.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from typing import Any

from firth.errors import BadOption, MissingExtra, optional
from firth.options import TrainingOptions

PURPOSE = "device='cuda'"
OLDEST_CAPABILITY = (8, 0)  # Ampere, of 2020: the oldest that Triton compiles for
OLDEST_FOR_BFLOAT16 = (9, 0)  # Hopper, of 2022: the oldest that adds bfloat16 atomically; others would loop for each


@dataclass(frozen=True)
class Gpu:
    """A GPU that can train."""

    name: str
    capability: tuple[int, int]


@dataclass(frozen=True)
class Found:
    """What PyTorch tells of this machine.

    cuda: the CUDA version that PyTorch was built for, None for builds without. error: why it can use no GPU, in its
    own words. capability: of the first GPU. triton: why Triton can compile nothing for it.
    """

    torch: str
    cuda: str | None
    error: str = ""
    name: str = ""
    capability: tuple[int, int] = (0, 0)
    triton: str = ""


def found() -> Found:
    """Ask PyTorch. Raises `MissingExtra` where it, or Triton, is not installed."""
    torch = optional("torch", extra="gpu", purpose=PURPOSE)
    version, built_for = str(torch.__version__), torch.version.cuda
    if built_for is None:
        return Found(version, None)
    try:
        torch.cuda.init()
        name, capability = torch.cuda.get_device_name(), torch.cuda.get_device_capability()
    except (RuntimeError, AssertionError) as error:
        return Found(version, built_for, error=str(error).strip().split("\n")[0])
    triton = optional("triton", extra="gpu", purpose=PURPOSE)
    return Found(version, built_for, name=name, capability=capability, triton=_why_not_compiled(triton))


def _why_not_compiled(triton: Any) -> str:
    """What hinders Triton from compiling the C code by which it reaches the driver, once, before all else."""
    try:
        _ = triton.runtime.driver.active.utils
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]} failed" if isinstance(error.cmd, (list, tuple)) else "the compiler failed"
    except (RuntimeError, AssertionError, ImportError, OSError) as error:
        return str(error).strip().split("\n")[0]
    return ""


def gpu() -> Gpu:
    """The GPU of this machine. Raises `MissingExtra`, or `BadOption` where there is none that can train."""
    here = found()
    if here.cuda is None:
        raise BadOption(
            f"device='cuda' needs PyTorch built for CUDA, and the one here ({here.torch}) was built without; install "
            "a build for CUDA, as PyTorch's own page on installing tells, or take device='cpu'"
        )
    if here.error:
        remedy = "update the driver" if "too old" in here.error else "check that nvidia-smi shows one"
        raise BadOption(
            f"device='cuda' needs a GPU, and PyTorch {here.torch}, built for CUDA {here.cuda}, can use none "
            f"({here.error}); {remedy}, or take device='cpu'"
        )
    if here.capability < OLDEST_CAPABILITY:
        needed, has = (".".join(map(str, each)) for each in (OLDEST_CAPABILITY, here.capability))
        raise BadOption(
            f"device='cuda' needs a GPU of compute capability {needed} or more, and the {here.name} has {has}; "
            "take device='cpu'"
        )
    if here.triton:
        raise BadOption(
            f"device='cuda' needs Triton to reach the {here.name} by C code that it compiles, and it "
            f"cannot ({here.triton}); install a C compiler and Python's headers (Debian: gcc, python3-dev), or take "
            "device='cpu'"
        )
    return Gpu(here.name, here.capability)


def refusal(options: TrainingOptions) -> str:
    """Why the GPU cannot train this, and what to do about it; nothing where it can."""
    if options.loss == "softmax":
        return "device='cuda' trains losses 'ns' and 'hs', got 'softmax'; take one of these, or device='cpu'"
    if options.subwords:
        return "device='cuda' does not train subwords; leave them out, or take device='cpu'"
    if options.window == "all":
        return "device='cuda' trains windows of a number of words, got 'all'; give one, or take device='cpu'"
    if options.loss == "hs":
        return ""  # which draws no noise
    if options.noise == "pair" and options.architecture == "skipgram":
        return "device='cuda' draws noise by window, got noise 'pair'; take noise='window', or device='cpu'"
    if options.distinct_noise:
        return "device='cuda' does not draw noise again, got distinct_noise True; leave it out, or take device='cpu'"
    return ""


def gpu_for(options: TrainingOptions) -> Gpu:
    """The GPU of this machine that can train this. Raises `MissingExtra`, or `BadOption` where there is none."""
    here = gpu()
    if options.gpu_dtype == "bfloat16" and here.capability < OLDEST_FOR_BFLOAT16:
        needed, has = (".".join(map(str, each)) for each in (OLDEST_FOR_BFLOAT16, here.capability))
        raise BadOption(
            f"gpu_dtype='bfloat16' needs a GPU of compute capability {needed} or more, and the {here.name} has {has}; "
            "take gpu_dtype='float32'"
        )
    return here


def decided(options: TrainingOptions) -> tuple[TrainingOptions, str]:
    """The options with "auto" decided, and what was decided, in words; nothing where there was nothing to decide.

    Raises `BadOption` or `MissingExtra` where "cuda" was asked for and cannot be had, and where "auto" was with
    bfloat16, which the CPU does not keep.
    """
    if options.device == "cuda":
        if refused := refusal(options):
            raise BadOption(refused)
        gpu_for(options)
    if options.device != "auto":
        return options, ""
    if options.gpu_dtype != "float32":
        if refused := refusal(options):
            raise BadOption(f"gpu_dtype={options.gpu_dtype!r} is for a GPU, and {refused} and gpu_dtype='float32'")
        try:
            here = gpu_for(options)
        except (BadOption, MissingExtra) as error:
            raise type(error)(f"{error}; with device='cpu', gpu_dtype must be 'float32'") from error
        return replace(options, device="cuda"), f"training on the GPU, {here.name}"
    if refused := refusal(options):
        return replace(options, device="cpu"), f"training on the CPU: {refused.partition(';')[0]}"
    try:
        return replace(options, device="cuda"), f"training on the GPU, {gpu().name}"
    except (BadOption, MissingExtra) as error:
        return replace(options, device="cpu"), f"training on the CPU: {str(error).partition(';')[0]}"
