"""How much memory this process may still take; what needs more is refused before it is taken."""

from collections.abc import Iterator
from pathlib import Path

from fastnn.common.errors import OutOfMemoryError
from fastnn.common.text import bytes_text

SMALL = 16 << 20  # bytes below which nobody asks: to read the files takes 0.1 ms


def is_small(size: int) -> bool:
    """Whether `size` bytes are so few that they are never refused."""
    return size < SMALL


def check_available(size: int, what: str, advice: str = "") -> None:
    """OutOfMemoryError unless `size` bytes for `what` are left to this process. advice: what takes less."""
    if is_small(size):
        return
    left = available_bytes()
    if left is not None and size > left:
        told = f"{what} takes {bytes_text(size)} of memory, and this process may take {bytes_text(left)} more"
        raise OutOfMemoryError(f"{told}; {advice} takes less" if advice else told)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take: what the machine has, with its swap space, and what control groups grant.

    None where neither is known. What is kept of files only until somebody needs the memory counts as free.
    """
    return min(_grants(root), default=None)


def _grants(root: Path) -> Iterator[int]:
    machine = _fields(root / "proc/meminfo")
    if "MemAvailable:" in machine:
        yield 1024 * (machine["MemAvailable:"] + machine.get("SwapFree:", 0))
    for folder, limit, used, cache in _groups(root):
        granted, taken = _number(folder / limit), _number(folder / used)
        if granted is not None and taken is not None:
            yield max(granted - taken + _fields(folder / "memory.stat").get(cache, 0), 0)


def _groups(root: Path) -> Iterator[tuple[Path, str, str, str]]:
    """The control groups that this process is in, of Linux's versions 2 and 1, with the names of their files."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, group = [*line.strip().split(":", 2), "", ""][:3]
        own = Path(group.lstrip("/"))
        places = [own, *own.parents] if ".." not in own.parts else [Path()]
        if controllers == "memory":
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            yield from ((root / "sys/fs/cgroup/memory" / place, *names) for place in places)
        elif not controllers:
            names = "memory.max", "memory.current", "inactive_file"
            yield from ((root / "sys/fs/cgroup" / place, *names) for place in places)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("utf-8"))
    except (OSError, ValueError):  # "max": no limit
        return None


def _fields(path: Path) -> dict[str, int]:
    """The lines "name number" of a file, by name."""
    try:
        lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return {}
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}
