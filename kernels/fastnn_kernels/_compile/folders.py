"""Where a user's files may stand that can be made again: compiled kernels, fetched data sets."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def user_folders() -> Iterator[Path]:
    """Folders for fastnn's files, the best first; none of them need exist.

    `fastnn` in XDG_CACHE_HOME, and in the cache folder of the system: ~/.cache, ~/Library/Caches (macOS) or the local
    application data (Windows). For a user without a home, or where it is read-only: a temporary folder of this user's.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        yield Path(base) / "fastnn"
    home = os.path.expanduser("~")
    if home != "~":
        yield _of_the_system(Path(home))
    # By the user's number, so that two users of a machine do not share it; under Windows each has such a folder alone.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"fastnn-{user}"


def _of_the_system(home: Path) -> Path:
    if sys.platform not in ("darwin", "win32"):
        return home / ".cache" / "fastnn"
    import platformdirs  # here: to import it takes 19 ms, which no other system need spend

    return platformdirs.user_cache_path("fastnn", appauthor=False)
