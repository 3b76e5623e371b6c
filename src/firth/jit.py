"""Compiling with Numba, once for each version of the source and each machine.

What Numba makes of a function is kept as machine code in the user's cache folder and loaded by llvmlite alone, since
Numba takes over a quarter of a second to get ready, even to load what it compiled before (it loads SciPy, for one). The
folder's name is made from the text of firth's own compiled modules, so an upgrade never meets code compiled from older
sources, and a read-only installation works. `FIRTH_CACHE` moves the folder.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llvmlite as typed_llvmlite
import llvmlite.binding as typed_llvm
import numba as typed_numba
import numpy as np
from numba import extending as typed_extending

from firth.cache import cache_folder
from firth.errors import CannotWrite
from firth.storage import replaced

# Their annotations leave out what this module needs.
numba: Any = typed_numba
extending: Any = typed_extending
llvm: Any = typed_llvm

OWNS_DATA = 4  # NumPy's flag, which means nothing to the compiler
DONE, RETURNED_NONE = 0, -2  # what compiled functions return as their status


def compiled(function: Callable[..., Any]) -> Any:
    """Compile `function` to machine code at its first call, to run without the GIL, so threads run it side by side.

    It may allocate nothing: arrays come from outside, and none is reference-counted (counting is atomic, and cost
    the first kernel a third of its speed). It may not raise, and call only what is compiled or inlined, too. There is
    no check for division by zero, nor of bounds. Multiplications and additions may fuse; nothing else is reordered,
    so a result depends on the kernel alone.

    It takes arrays, numbers, and tuples of these, and gives numbers or a tuple of them.
    """
    return _Kernel(function, _compiled_folder())


def inlined(function: Callable[..., Any]) -> Any:
    """As `compiled`, to be called by compiled functions and always made part of them.

    A call would push every array of a tuple on the stack.
    """
    return _numba_function(function, forceinline=True)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Make a function that emits LLVM itself; what it becomes is called without the typing context that it takes."""
    return extending.intrinsic(function)


def _numba_function(function: Callable[..., Any], **options: bool) -> Any:
    return numba.njit(nogil=True, _nrt=False, error_model="numpy", fastmath={"contract"}, **options)(function)


class _Kernel:
    """A function, compiled or loaded for each combination of types that it is called with."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        functools.update_wrapper(self, function)
        self._function, self._folder = function, folder
        self._codes: dict[tuple[Any, ...], _Code] = {}
        self._lock = threading.Lock()

    @functools.cached_property
    def for_numba(self) -> Any:
        """The function as Numba compiles it, for itself or as a part of others."""
        return _numba_function(self._function, no_cpython_wrapper=True, no_cfunc_wrapper=True)

    def __call__(self, *arguments: Any) -> Any:
        kinds: list[Any] = []
        values: list[Any] = []
        for each in arguments:
            _flatten(each, kinds, values)
        code = self._codes.get(tuple(kinds)) or self._code(tuple(kinds), arguments)
        return code(values)

    def _code(self, kinds: tuple[Any, ...], arguments: Sequence[Any]) -> _Code:
        with self._lock:
            if kinds not in self._codes:
                self._codes[kinds] = self._kept_code(kinds, arguments)
            return self._codes[kinds]

    def _kept_code(self, kinds: tuple[Any, ...], arguments: Sequence[Any]) -> _Code:
        name = f"{self._function.__module__}.{self._function.__qualname__}{kinds}"
        path = self._folder / f"{self._function.__name__}-{hashlib.sha256(name.encode()).hexdigest()[:16]}.o"
        try:
            kept = path.read_bytes()
        except OSError:
            kept = _machine_code(self.for_numba, arguments)
            _keep_if_possible(path, kept)
        return _Code(kept, kinds)


def _type_of_kernel(kernel: _Kernel, _: Any) -> Any:
    """What Numba takes a kernel for that a function which it compiles calls."""
    return numba.types.Dispatcher(kernel.for_numba)


extending.typeof_impl.register(_Kernel)(_type_of_kernel)


def _flatten(value: Any, kinds: list[Any], values: list[Any]) -> None:
    """Append what a compiled function takes for an argument, and what of it the function is compiled for."""
    if isinstance(value, np.ndarray):
        kinds.append((value.dtype.str, value.ndim, value.flags.num & ~OWNS_DATA))
        # Two pointers to Python's objects, which only counting references would need, then what Numba knows of arrays.
        values += (None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)
    elif isinstance(value, tuple):
        kinds.append((type(value).__qualname__, len(value)))
        for each in value:
            _flatten(each, kinds, values)
    elif isinstance(value, np.generic):
        kinds.append(value.dtype.str)
        values.append(value.item())
    else:
        kinds.append(type(value).__name__)
        values.append(value)


def _c_types(kinds: Sequence[Any]) -> list[Any]:
    """The C types of flattened arguments."""
    found: list[Any] = []
    for kind in kinds:
        if isinstance(kind, str):
            found.append(_c_type({"int": "i8", "bool": "?", "float": "f8"}.get(kind, kind)))
        elif len(kind) == 3:
            found += [ctypes.c_void_p] * 2 + [ctypes.c_ssize_t] * 2 + [ctypes.c_void_p]
            found += [ctypes.c_ssize_t] * (2 * kind[1])
    return found


def _c_type(name: str) -> Any:
    return np.ctypeslib.as_ctypes_type(np.dtype(name))


# ---- machine code ------------------------------------------------------------------------------


def _machine_code(made: Any, arguments: Sequence[Any]) -> bytes:
    """What is kept of a function that Numba compiles for such arguments: a line of facts, then an object file."""
    types = tuple(numba.typeof(each) for each in arguments)
    made.compile(types)
    result = numba.types.unliteral(made.overloads[types].signature.return_type)
    parts = list(result) if isinstance(result, numba.types.BaseTuple) else [result]
    returned = [np.dtype(str(numba.types.unliteral(each))).str for each in parts if each != numba.types.none]
    facts = {
        "symbol": made.overloads[types].fndesc.llvm_func_name,
        "returns": returned,
        "tuple": isinstance(result, numba.types.BaseTuple),
    }
    module = llvm.parse_assembly(made.inspect_llvm(types))
    missing = [each.name for each in module.functions if each.is_declaration and not each.name.startswith("llvm.")]
    if missing:
        raise TypeError(f"{made.__name__} calls {', '.join(missing)}, which compiled code must not")
    return json.dumps(facts).encode() + b"\n" + bytes(_target_machine().emit_object(module))


class _Code:
    """Machine code in memory, called through C's conventions, which lets the GIL go."""

    def __init__(self, kept: bytes, kinds: Sequence[Any]) -> None:
        line, _, code = kept.partition(b"\n")
        facts = json.loads(line)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        fields = [(f"_{place}", _c_type(each)) for place, each in enumerate(facts["returns"])]
        self._result = type("Result", (ctypes.Structure,), {"_fields_": fields or [("_", ctypes.c_void_p)]})
        self._names = [name for name, _ in fields]
        self._gives_tuple = facts["tuple"]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *_c_types(kinds))
        self._call = prototype(self._engine.get_function_address(facts["symbol"]))

    def __call__(self, values: Sequence[Any]) -> Any:
        result, error = self._result(), ctypes.c_void_p()
        status = self._call(ctypes.byref(result), ctypes.byref(error), *values)
        if status not in (DONE, RETURNED_NONE):
            raise SystemError(f"compiled code ended with status {status}")
        given = tuple(getattr(result, name) for name in self._names)
        return given if self._gives_tuple else given[0] if given else None


@functools.cache
def _initialised() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _target_machine() -> Any:
    """This very machine, as Numba asks for it."""
    _initialised()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="default",
        codemodel="jitdefault",
        jit=True,
    )


# ---- keeping -----------------------------------------------------------------------------------


@functools.cache
def _compiled_folder() -> Path:
    """Where the code is kept that this very source gives with this Numba on this machine."""
    machine = (numba.__version__, typed_llvmlite.__version__, llvm.get_host_cpu_name())
    text = hashlib.sha256(repr((machine, llvm.get_host_cpu_features().flatten())).encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        if b"firth.jit" in source:
            text.update(source)
    return cache_folder() / "compiled" / text.hexdigest()[:16]


def _keep_if_possible(path: Path, code: bytes) -> None:
    """Let a disk that is full or read-only cost the next start its compiled code, but not stop this one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as file:
            file.write(code)
    except (OSError, CannotWrite) as error:
        warnings.warn(
            f"firth cannot keep its compiled code ({error}), so the next start compiles anew; set FIRTH_CACHE to a "
            "writable folder",
            stacklevel=5,
        )
