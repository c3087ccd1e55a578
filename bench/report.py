"""From pytest-benchmark's JSON to the README's table of systems and peers, and to its picture.

    python -m pytest bench/test_systems.py --benchmark-only --benchmark-json=results.json
    python -m bench.report results.json [--chart docs/speed.png]

Several files may be given, say of several runs: of a system and a peer that occur more than once the median counts.
"""

import argparse
import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench import systems
from bench.peers import PEERS

SLOWER, EVEN, UNSTEADY = "▼", "≈", "?"
UNSTEADY_FROM = 1.5  # times from one quartile to the other


@dataclass(frozen=True)
class Row:
    """fastnn beside a peer on a system: microseconds a step, peer / fastnn with quartiles, and what was used."""

    system: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    quartiles: tuple[float, float]
    threads: int
    versions: dict[str, str]
    disturbed: bool

    @property
    def mark(self) -> str:
        """▼ where fastnn is slower, ≈ where the quartiles lie on both sides of 1; ? where to measure again."""
        low, high = self.quartiles
        verdict = EVEN if low <= 1 <= high else SLOWER if self.ratio < 1 else ""
        marks = verdict + (UNSTEADY if self.disturbed or high > UNSTEADY_FROM * low else "")
        return f" {marks}" if marks else ""

    @property
    def figure(self) -> str:
        """The ratio with two digits after the point, or two that are not 0, and its mark."""
        return f"{self.ratio:.2f}{self.mark}" if self.ratio >= 0.1 else f"{self.ratio:.2g}{self.mark}"


def rows_of(paths: list[Path]) -> tuple[list[Row], str]:
    """The comparisons in these files, in the order of the systems and peers, and the name of the processor."""
    found, processors = defaultdict(list), set()
    for path in paths:
        results = json.loads(path.read_text(encoding="utf-8"))
        processors.add(results["machine_info"].get("cpu", {}).get("brand_raw", "unknown processor"))
        for benchmark in results["benchmarks"]:
            if "peer" in (info := benchmark["extra_info"]):
                found[info["system"], info["peer"]].append(info)
    order = [(system.id, peer.name) for system in systems.ALL for peer in PEERS]
    return [_merged(*key, found[key]) for key in order if key in found], ", ".join(sorted(processors))


def _merged(system: str, peer: str, infos: list[dict]) -> Row:
    ours, theirs, ratio = (
        statistics.median(info[name] for info in infos) for name in ("fastnn us", "peer us", "ratio")
    )
    low, high = (statistics.median(info["quartiles"][i] for info in infos) for i in (0, 1))
    last = infos[-1]
    return Row(
        system,
        peer,
        ours,
        theirs,
        ratio,
        (low, high),
        last["threads"],
        last["versions"],
        any(info.get("disturbed") for info in infos),
    )


def table(rows: list[Row]) -> list[str]:
    """Markdown: a line a system, its own time, then of each peer peer / fastnn and the peer's time."""
    peers = [peer.name for peer in PEERS if any(row.peer == peer.name for row in rows)]
    lines = ["| system | fastnn | " + " | ".join(peers) + " |", "|---" * (2 + len(peers)) + "|"]
    for system in dict.fromkeys(row.system for row in rows):
        cells = {row.peer: row for row in rows if row.system == system}
        ours = statistics.median(row.ours for row in cells.values())
        entries = [_cell(cells.get(peer)) for peer in peers]
        lines.append(f"| `{system}` | {duration(ours)} | " + " | ".join(entries) + " |")
    return lines


def _cell(row: Row | None) -> str:
    return "–" if row is None else f"{row.figure} ({duration(row.theirs)})"


def duration(microseconds: float) -> str:
    """Three digits and a unit."""
    if microseconds < 1_000:
        return f"{microseconds:.3g} µs"
    return f"{microseconds / 1_000:.3g} ms" if microseconds < 999_500 else f"{microseconds / 1e6:.3g} s"


def legend(rows: list[Row], processor: str) -> list[str]:
    """What the table's numbers mean and what they were measured with."""
    versions = sorted({f"{name} {version}" for row in rows for name, version in row.versions.items()})
    threads = ", ".join(map(str, sorted({row.threads for row in rows})))
    slower = [row for row in rows if SLOWER in row.mark]
    return [
        "Peer / fastnn, time a training step, float32; above 1 fastnn is faster. In brackets the peer's time.",
        f"{SLOWER} fastnn is slower ({len(slower)} of {len(rows)}); {EVEN} no clear difference;"
        f" {UNSTEADY} unsteady or disturbed, measure again; – the peer has no such network, or was absent.",
        f"{processor}, {threads} threads; {', '.join(versions)}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--chart", type=Path, help="draw the ratios into this PNG file")
    given = parser.parse_args()
    rows, processor = rows_of(given.results)
    if not rows:
        parser.error("no comparison in these results; run bench/test_systems.py with --benchmark-only")
    print("\n".join([*table(rows), "", *legend(rows, processor)]))
    if given.chart:
        from bench.chart import draw

        draw(rows, processor, given.chart)


if __name__ == "__main__":
    main()
