"""Compiled code on disk: one file per function and signature, stamped with all kernel sources.

Numba's own index is not used, for three reasons measured on Numba 0.68: it ignores `parallel` and `fastmath`; it does
not see an edit to a helper in another file; and two processes that compile different signatures at the same time can
each write the other's file. Here the folder's name is a hash of all kernel sources, and a file's name says function,
serial or parallel, signature, processor and versions. So no stale code is found, and no two writers use one file.
"""

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import llvmlite
import numba
from llvmlite import binding as llvm
from llvmlite import ir
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.environment import Environment
from numba.core.runtime import _nrt_python

from fastnn_kernels._compile.folders import user_folders

logger = logging.getLogger("fastnn_kernels")

# Symbols that compiled code may call, each with a function that gives it an address. It is called before code that
# names the symbol is loaded.
EXTERNAL: dict[bytes, Callable[[], object]] = {}


@functools.cache
def source_stamp() -> str:
    """Hash of every file that kernels are made of: an edit to any of them starts a new cache.

    The folders `reference` and `registry` are for tests and benchmarks; no kernel imports them.
    """
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted([*folder.glob("*.py"), *folder.glob("_*/*.py")]):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _candidates():
    if chosen := os.environ.get("FASTNN_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    yield from user_folders()  # `_usable` refuses one that another user owns


def _usable(candidate: Path, name: str) -> Path | None:
    """The folder `name` in a candidate, made if there is none; None if it cannot be written or is not to be trusted."""
    try:
        for folder in (candidate, candidate / name):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if others := _others_in(candidate, folder):
            logger.warning(
                "the kernel cache %s is not used: %s; give it to yourself alone (chmod go-w), or name another folder "
                "by FASTNN_CACHE_DIR",
                folder,
                others,
            )
            return None
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _others_in(candidate: Path, folder: Path) -> str | None:
    """How other users could put files into the folder, in words: such files are loaded and run. None: they cannot."""
    if not hasattr(os, "getuid"):
        return None
    mode = candidate.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return f"all users can write to {candidate}"
    return _others_of(folder.stat())


def _others_of(status: os.stat_result) -> str | None:
    """Which other users can write to a file or folder of this status, in words; None if there are none."""
    if not hasattr(os, "getuid"):
        return None
    if status.st_uid != os.getuid():
        return f"it belongs to user {status.st_uid}"
    return "other users can write to it" if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else None


@functools.cache
def cache_folder() -> Path | None:
    """The folder that holds this version's compiled code; None where no folder can be written by this user alone."""
    name = f"kernels-{source_stamp()}"
    return next((folder for candidate in _candidates() if (folder := _usable(candidate, name))), None)


@functools.cache  # to ask for the processor's features took most of the time of finding a file
def _versions(codegen) -> tuple:
    """What compiled code depends on beside its sources and its signature: processor and versions."""
    return codegen.magic_tuple(), numba.__version__, llvmlite.__version__, sys.version_info[:3]


class SourceStampedCache(_Cache):
    """Numba's cache protocol over one file per (function, signature): a digest, then the compiled code.

    name      the start of each file's name
    hits      the number of signatures that were loaded from disk
    linkable  whether other functions may be compiled that call what is loaded: Numba needs its bitcode for that
    """

    def __init__(self, name: str, linkable: bool = True):
        self._name = name
        self._linkable = linkable
        self.hits = 0

    @property
    def cache_path(self):
        return str(cache_folder())

    def _path(self, signature, codegen) -> Path | None:
        folder = cache_folder()
        if folder is None:
            return None
        parts = (str(signature), *_versions(codegen))
        return folder / f"{self._name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.bin"

    def holds(self, signature, target_context) -> bool:
        """Whether there is a file for this signature; it may still turn out to be damaged."""
        path = self._path(signature, target_context.codegen())
        return path is not None and path.exists()

    def load_overload(self, sig, target_context):
        payload = _read(self._path(sig, target_context.codegen()))
        if payload is None:
            return None
        # Not `target_context.refresh()`, as Numba's own cache has it: that loads all that Numba can compile, which took
        # two thirds of the time of a process's first training. Whoever compiles refreshes; to run compiled code, these
        # symbols are enough.
        _offer_runtime()
        self.hits += 1
        for symbol, load in EXTERNAL.items():
            if symbol in payload and symbol.decode() != self._name:
                load()
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig, data):
        path = self._path(sig, data.library.codegen)
        if path is not None and not data.library.has_dynamic_globals and not data.lifted:
            reduced = _without_modules_of_numba(data._reduce())
            _write(path, pickle.dumps(reduced if self._linkable else _without_bitcode(reduced)))

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        if folder := cache_folder():
            for path in folder.glob(f"{self._name}-*.bin"):
                path.unlink(missing_ok=True)


@functools.cache
def _offer_runtime() -> None:
    """Tell LLVM where the C functions of Numba's runtime are, which compiled code may call.

    Numba's `rtsys.initialize` also compiles the rest of its runtime, in 25 ms; compiled code has copies of that.
    """
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def _without_modules_of_numba(reduced: tuple) -> tuple:
    """What Numba keeps of a compiled function, with `numba` as the module of Numba's own functions that it calls.

    Each has an environment, which is made again from its module when the code is loaded. The import of these modules
    took half of the time of a process's first training. Only code that runs in object mode, of which there is none
    here, looks for names in the module.
    """
    *rest, environments = reduced
    return *rest, tuple(_of_numba(one) if _module_of(one).startswith("numba.") else one for one in environments)


def _module_of(environment: Environment) -> str:
    return environment.globals.get("__name__") or ""


def _of_numba(environment: Environment) -> Environment:
    """The same environment, as if the package `numba` itself had the function."""
    moved = Environment(vars(numba))
    moved.consts[:] = environment.consts
    moved.env_name = environment.env_name
    return moved


def _without_bitcode(reduced: tuple) -> tuple:
    """What Numba keeps of a compiled function, with a stub in place of the bitcode: the names that it defines.

    To parse the bitcode took half of the time of loading, and it is needed only to link other code with it.
    """
    (name, kind, (machine_code, bitcode)), *rest = reduced
    stub = ir.Module(name)
    for function in llvm.parse_bitcode(bitcode).functions:
        if not function.is_declaration:
            defined = ir.Function(stub, ir.FunctionType(ir.VoidType(), []), function.name)
            ir.IRBuilder(defined.append_basic_block()).ret_void()
    return (name, kind, (machine_code, llvm.parse_assembly(str(stub)).as_bitcode())), *rest


def _read(path: Path | None) -> bytes | None:
    """The payload that `_write` wrote. None if the file is missing, or damaged, or another user can write to it: its
    code would crash, or do what it likes."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            if others := _others_of(os.fstat(file.fileno())):
                logger.warning("the compiled kernel %s is not used, but compiled again: %s", path, others)
                return None
            digest, payload = file.read(32), file.read()
    except OSError:
        return None
    return payload if hashlib.sha256(payload).digest() == digest else None


def _write(path: Path, payload: bytes) -> None:
    """Write digest and payload, whole or not at all. On a full disk the run goes on, and the next compiles again."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=_private) as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _private(path: str, flags: int) -> int:
    """An opener of files that this user alone may read and write."""
    return os.open(path, flags, 0o600)
