"""From pytest-benchmark's JSON to the README's tables: systems and peers by step, with a picture; whole trainings.

    python -m pytest bench/test_systems.py bench/test_training.py --benchmark-only --benchmark-json=results.json
    python -m bench.report results.json [--chart docs/speed.png]

A table is left out if the files hold nothing for it. Several files may be given, say of several runs: of a system and a
peer that occur more than once the median counts.
"""

import argparse
import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench import systems, training
from bench.peers import PEERS
from bench.training import PYTORCH

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


@dataclass(frozen=True)
class TrainingRow:
    """A whole training: its epochs and those of the recipe, fastnn's microseconds, and PyTorch beside it, if it was."""

    system: str
    epochs: int
    epochs_of_recipe: int
    ours: float
    beside: Row | None


def read(paths: list[Path]) -> tuple[list[dict], str]:
    """The `extra_info` of each benchmark in these files, and the name of the processor."""
    infos, processors = [], set()
    for path in paths:
        results = json.loads(path.read_text(encoding="utf-8"))
        processors.add(results["machine_info"].get("cpu", {}).get("brand_raw", "unknown processor"))
        infos += [benchmark["extra_info"] for benchmark in results["benchmarks"]]
    return infos, ", ".join(sorted(processors))


def rows_of(infos: list[dict]) -> list[Row]:
    """The comparisons by step, in the order of the systems and peers."""
    found = defaultdict(list)
    for info in infos:
        if "peer" in info:
            found[info["system"], info["peer"]].append(info)
    order = [(system.id, peer.name) for system in systems.ALL for peer in PEERS]
    return [_merged(*key, found[key]) for key in order if key in found]


def trainings_of(infos: list[dict]) -> list[TrainingRow]:
    """The whole trainings, in the order of the systems; of several the last says how many epochs they had."""
    found = defaultdict(list)
    for info in infos:
        if "training" in info:
            found[info["training"]].append(info)
    rows = []
    for system in (row.id for row in training.ALL if row.id in found):
        last = found[system][-1]
        alike = [info for info in found[system] if info["epochs"] == last["epochs"]]
        ours = statistics.median(info["fastnn us"] for info in alike)
        compared = [info for info in alike if "ratio" in info]
        beside = _merged(system, PYTORCH.name, compared) if compared else None
        rows.append(TrainingRow(system, last["epochs"], last["epochs of the recipe"], ours, beside))
    return rows


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


def training_table(rows: list[TrainingRow]) -> list[str]:
    """Markdown: a line a system, both sides' time for the whole training, and PyTorch / fastnn."""
    lines = ["| a whole training | epochs | fastnn | PyTorch | × |", "|---|---|---|---|---|"]
    for row in rows:
        cut = f" of {row.epochs_of_recipe}" if row.epochs < row.epochs_of_recipe else ""
        ours = row.beside.ours if row.beside else row.ours
        theirs = f"{duration(row.beside.theirs)} | {row.beside.figure}" if row.beside else "– | –"
        lines.append(f"| `{row.system}` | {row.epochs}{cut} | {duration(ours)} | {theirs} |")
    return lines


def training_legend(rows: list[TrainingRow], processor: str) -> list[str]:
    compared = [row.beside for row in rows if row.beside]
    return [
        f"From loaded arrays to the trained model, figures of each epoch included; × is {PYTORCH.name} / fastnn.",
        *(_marks_and_machine(compared, processor) if compared else []),
    ]


def _cell(row: Row | None) -> str:
    return "–" if row is None else f"{row.figure} ({duration(row.theirs)})"


def duration(microseconds: float) -> str:
    """Three digits and a unit."""
    if microseconds < 1_000:
        return f"{microseconds:.3g} µs"
    return f"{microseconds / 1_000:.3g} ms" if microseconds < 999_500 else f"{microseconds / 1e6:.3g} s"


def legend(rows: list[Row], processor: str) -> list[str]:
    """What the table's numbers mean and what they were measured with."""
    return [
        "Peer / fastnn, time a training step, float32; above 1 fastnn is faster. In brackets the peer's time.",
        *_marks_and_machine(rows, processor),
    ]


def _marks_and_machine(rows: list[Row], processor: str) -> list[str]:
    versions = sorted({f"{name} {version}" for row in rows for name, version in row.versions.items()})
    threads = ", ".join(map(str, sorted({row.threads for row in rows})))
    slower = [row for row in rows if SLOWER in row.mark]
    return [
        f"{SLOWER} fastnn is slower ({len(slower)} of {len(rows)}); {EVEN} no clear difference;"
        f" {UNSTEADY} unsteady or disturbed, measure again; – the peer has no such network, or was absent.",
        f"{processor}, {threads} threads; {', '.join(versions)}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--chart", type=Path, help="draw the ratios into this PNG file")
    given = parser.parse_args()
    infos, processor = read(given.results)
    rows, trainings = rows_of(infos), trainings_of(infos)
    if not rows and (given.chart or not trainings):
        parser.error("no comparison in these results; run bench/test_systems.py with --benchmark-only")
    parts = [[*table(rows), "", *legend(rows, processor)]] if rows else []
    parts += [[*training_table(trainings), "", *training_legend(trainings, processor)]] if trainings else []
    print("\n\n".join("\n".join(part) for part in parts))
    if given.chart:
        from bench.chart import draw

        draw(rows, processor, given.chart)


if __name__ == "__main__":
    main()
