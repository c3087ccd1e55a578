"""Compiled code on disk: one file per function and signature, stamped with all kernel sources.

Numba's own index is not used, for three reasons measured on Numba 0.68: it ignores `parallel` and
`fastmath`, it does not see an edit to a helper in another file, and two processes that compile
different signatures at once can each write the other's file. Here the folder's name is a hash of
every source file of this package, and a file's name says function, twin, signature, processor and
versions, so nothing stale can be found and writers cannot meet.
"""

import functools
import hashlib
import logging
import os
import pickle
import sys
import tempfile
from pathlib import Path

import llvmlite
import numba
from numba.core.caching import NullCache, _Cache
from numba.core.compiler import CompileResult


logger = logging.getLogger("fastnn_kernels")


@functools.cache
def source_stamp() -> str:
    """Hash of every source file of the package: any edit, anywhere in it, starts a new cache."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
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
    # A missing or read-only home: a folder of this user's own, refused below if another owns it.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"fastnn-{user}"


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What is loaded from here is executed: never trust a folder that somebody else owns.
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
    """Numba's cache protocol over one file per (function, signature)."""

    def __init__(self, name: str, announced: str = ""):
        self._name = name
        self._announced = announced
        self.hits = 0

    @property
    def cache_path(self):
        return str(cache_folder())

    def _path(self, signature, codegen) -> Path:
        parts = (str(signature), codegen.magic_tuple(), numba.__version__, llvmlite.__version__, sys.version_info[:3])
        return cache_folder() / f"{self._name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.bin"

    def load_overload(self, sig, target_context):
        target_context.refresh()
        try:
            payload = pickle.loads(self._path(sig, target_context.codegen()).read_bytes())
        except (OSError, pickle.UnpicklingError, EOFError):
            if self._announced:
                logger.info("compiling %s", self._announced)
            return None
        self.hits += 1
        return CompileResult._rebuild(target_context, *payload)

    def save_overload(self, sig, data):
        if data.library.has_dynamic_globals or data.lifted:
            return
        path = self._path(sig, data.codegen if hasattr(data, "codegen") else data.library.codegen)
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(pickle.dumps(data._reduce()))
            os.replace(file.name, path)
        except OSError:  # a full disk costs a compilation next time, not this run
            Path(file.name).unlink(missing_ok=True)

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        for path in cache_folder().glob(f"{self._name}-*.bin"):
            path.unlink(missing_ok=True)


def cache_for(name: str, announced: str = "") -> _Cache:
    """The cache of the function called `name`; a cache that keeps nothing where no folder can be written.

    A miss is logged as "compiling `announced`".
    """
    return SourceStampedCache(name, announced) if cache_folder() else NullCache()
