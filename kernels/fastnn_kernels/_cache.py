"""Compiled code on disk: one file per function and signature, stamped with all kernel sources.

Numba's own index is not used, for three reasons measured on Numba 0.68: it ignores `parallel` and `fastmath`; it does
not see an edit to a helper in another file; and two processes that compile different signatures at the same time can
each write the other's file. Here the folder's name is a hash of all kernel sources, and a file's name says function,
serial or parallel, signature, processor and versions. So no stale code is found, and no two writers use one file.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import llvmlite
import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult

# Symbols that compiled code may call, each with a function that gives it an address. It is called before code that
# names the symbol is loaded.
EXTERNAL: dict[bytes, Callable[[], object]] = {}


@functools.cache
def source_stamp() -> str:
    """Hash of every file that kernels are made of: an edit to any of them starts a new cache.

    The folders `reference` and `registry` are for tests and benchmarks; no kernel imports them.
    """
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.glob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _candidates():
    if chosen := os.environ.get("FASTNN_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    if base := os.environ.get("XDG_CACHE_HOME"):
        yield Path(base) / "fastnn"
    home = os.path.expanduser("~")
    if home != "~":
        yield Path(home) / ".cache" / "fastnn"
    # Where the home is missing or read-only: a folder of this user's own. `_usable` refuses it if another user owns it.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"fastnn-{user}"


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Files loaded from here are executed: never trust a folder that somebody else owns.
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@functools.cache
def cache_folder() -> Path | None:
    """The folder that holds this version's compiled code; None where no folder can be written."""
    for candidate in _candidates():
        if _usable(folder := candidate / f"kernels-{source_stamp()}"):
            return folder
    return None


class SourceStampedCache(_Cache):
    """Numba's cache protocol over one file per (function, signature): a digest, then the compiled code.

    name  the start of each file's name
    hits  the number of signatures that were loaded from disk
    """

    def __init__(self, name: str):
        self._name = name
        self.hits = 0

    @property
    def cache_path(self):
        return str(cache_folder())

    def _path(self, signature, codegen) -> Path | None:
        folder = cache_folder()
        if folder is None:
            return None
        parts = (str(signature), codegen.magic_tuple(), numba.__version__, llvmlite.__version__, sys.version_info[:3])
        return folder / f"{self._name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.bin"

    def holds(self, signature, target_context) -> bool:
        """Whether there is a file for this signature; it may still turn out to be damaged."""
        path = self._path(signature, target_context.codegen())
        return path is not None and path.exists()

    def load_overload(self, sig, target_context):
        target_context.refresh()
        payload = _read(self._path(sig, target_context.codegen()))
        if payload is None:
            return None
        self.hits += 1
        for symbol, load in EXTERNAL.items():
            if symbol in payload and symbol.decode() != self._name:
                load()
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig, data):
        path = self._path(sig, data.library.codegen)
        if path is not None and not data.library.has_dynamic_globals and not data.lifted:
            _write(path, pickle.dumps(data._reduce()))

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        if folder := cache_folder():
            for path in folder.glob(f"{self._name}-*.bin"):
                path.unlink(missing_ok=True)


def _read(path: Path | None) -> bytes | None:
    """The payload that `_write` wrote; None if the file is missing or damaged: damaged code would crash."""
    if path is None:
        return None
    try:
        digest, payload = (content := path.read_bytes())[:32], content[32:]
    except OSError:
        return None
    return payload if hashlib.sha256(payload).digest() == digest else None


def _write(path: Path, payload: bytes) -> None:
    """Write digest and payload, whole or not at all. On a full disk the run goes on, and the next compiles again."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
