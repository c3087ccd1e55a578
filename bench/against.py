"""Two states of the source, timed in turns in one run: a revision (old) and the files as they are here (new).

    python -m bench.against HEAD~3                          every system's step
    python -m bench.against main --systems trigram moons    some of them
    python -m bench.against main --systems --kernels matmul tanh_forward

The revision is checked out into a temporary worktree. Each side has a process of its own, which stands still while the
other runs; turns of some 20 ms alternate, and so does the side that begins. Both processes are started anew some times:
where its arrays come to lie makes one process up to 4 % faster than another of the same code. Printed are the median of
old / new, pair by pair (above 1 the new one is faster), its quartiles, the medians of both sides, and whether they
compute the same: losses of the first steps, or the sums of a kernel's outputs.
"""

import argparse
import itertools
import math
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.checkouts import ROOT, AgainstError, Side, commit_of, git, worktree
from bench.interleave import Comparison, compared
from bench.machine import complaint
from bench.rows import EVEN, duration
from fastnn.engine.threads import threads_at_hand

STARTS = 3
TURNS, FEWEST_TURNS = 9, 3  # quartiles of fewer would lie outside of them


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exit status 2 with a sentence if one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the old side: a commit, a branch or a tag")
    parser.add_argument("--systems", nargs="*", metavar="ID", help="systems to time; without the option all of them")
    parser.add_argument("--kernels", nargs="+", default=[], metavar="NAME", help="kernels to time besides, float32")
    most = threads_at_hand()
    parser.add_argument("--threads", type=int, default=most, metavar="N", help=f"of each side, 1 to {most}; {most}")
    parser.add_argument("--starts", type=int, default=STARTS, metavar="N", help=f"of both processes; {STARTS}")
    parser.add_argument("--turns", type=int, default=TURNS, metavar="N", help=f"of each process; {TURNS}")
    options = parser.parse_args(given)
    if not 1 <= options.threads <= most:
        parser.error(f"--threads: got {options.threads}, expected 1 to {most}, the threads that this process may use")
    if options.starts < 1:
        parser.error(f"--starts: got {options.starts}, expected at least 1")
    if options.turns < FEWEST_TURNS:
        parser.error(f"--turns: got {options.turns}, expected at least {FEWEST_TURNS}")
    return options


def chosen(systems: Sequence[str] | None, kernels: Sequence[str], old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The work to time, in the order of the new side, where old and new are what each side can do.

    AgainstError if a name is in neither, or if both sides have nothing of it in common.
    """
    wanted = None if systems is None else {*systems, *kernels}
    found = [work for work in new if wanted is None or work.partition(" ")[0] in wanted]
    both = [work for work in found if work in old]
    for name in (*(systems or ()), *kernels):
        if not _has(name, [*old, *new]):
            raise AgainstError(f"{name!r} is neither a system nor a kernel that has sizes for benchmarks")
        if not _has(name, both):
            raise AgainstError(f"{name!r} cannot be compared: the sides have no size of it in common")
    if not both:
        raise AgainstError("nothing to time: name systems or kernels, or leave out --systems")
    return both


def _has(name: str, works: Iterable[str]) -> bool:
    return any(work.partition(" ")[0] == name for work in works)


def rounds(old: Side, new: Side, works: Sequence[str], count: int) -> dict[str, list[tuple[float, float]]]:
    """Of each work the seconds of new and of old, pair by pair.

    A round has one pair of each: a passing disturbance then spoils a few pairs of many works, not many pairs of one.
    The side that begins alternates.
    """
    taken = {work: [] for work in works}
    for number in range(count):
        first, second = (new, old) if number % 2 else (old, new)
        for work in works:
            seconds = {side: side.ask("turn", work) for side in (first, second)}
            taken[work].append((seconds[new], seconds[old]))
    return taken


def sameness(old: Sequence[float], new: Sequence[float]) -> str:
    """Whether both sides' figures are equal, or how far they are apart, relative to the larger one."""
    if len(old) != len(new):
        return f"{len(old)} and {len(new)} figures"
    unequal = [(a, b) for a, b in zip(old, new, strict=True) if a != b and not (math.isnan(a) and math.isnan(b))]
    if not unequal:
        return "equal"
    if not all(map(math.isfinite, itertools.chain(*unequal))):
        return "one side not finite"
    return f"{max(abs(a - b) / max(abs(a), abs(b)) for a, b in unequal):.0e} apart"


def table(rows: dict[str, tuple[Comparison, str]]) -> list[str]:
    """A line for each work, of its comparison and what `sameness` says. ≈: 1 lies between the quartiles."""
    width = max(map(len, rows))
    lines = [f"{'':{width}}  old/new    quartiles           old       new  results"]
    for work, (result, same) in rows.items():
        low, high = result.spread
        even = EVEN if low <= 1 <= high else " "
        times = " ".join(f"{duration(1e6 * seconds):>9}" for seconds in (result.theirs, result.ours))
        lines.append(f"{work:{width}}  {result.ratio:7.3f} {even}  {low:.3f} to {high:.3f} {times}  {same}")
    return lines


def compare(options: argparse.Namespace) -> None:
    """Print the table. AgainstError if it cannot be made."""
    commit, taken, same = commit_of(options.revision), {}, {}
    print(f"old: {git('log', '-1', '--format=%h %s', commit)}")
    print(f"new: the files of {ROOT}; {options.threads} threads, {options.starts} x {options.turns} turns", flush=True)
    with worktree(commit) as path:
        for _ in range(options.starts):
            for work, (pairs, text) in one_start(path, options).items():
                taken.setdefault(work, []).extend(pairs)
                same[work] = text
    print(*table({work: (compared(taken[work]), same[work]) for work in taken}), sep="\n")
    if reason := complaint():
        print(f"disturbed: {reason}; measure again")


def one_start(path: Path, options: argparse.Namespace) -> dict[str, tuple[list[tuple[float, float]], str]]:
    """Of each work the turns of two new processes, and whether both sides compute the same."""
    with Side("old", path, options.threads) as old, Side("new", ROOT, options.threads) as new:
        works = chosen(options.systems, options.kernels, *(side.ask("works", options.kernels) for side in (old, new)))
        figures = [[side.ask("prepare", work) for work in works] for side in (old, new)]
        taken = rounds(old, new, works, options.turns)
    return {work: (taken[work], sameness(*both)) for work, *both in zip(works, *figures, strict=True)}


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the worktree is removed
    try:
        compare(arguments())
    except AgainstError as error:
        print(f"bench.against: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
