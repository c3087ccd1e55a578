"""From pytest-benchmark's JSON to the tables of docs/speed.md: steps beside peers and alone; whole trainings; kernels.

    python -m pytest --benchmark-only -m "peers or trainings or not start" --benchmark-json=results.json
    python -m bench.report results.json [--chart docs/speed.png]

A table is left out if the files hold nothing for it. Several files may be given, for example of several runs: where a
system and a peer occur more than once, the table has the median.
"""

import argparse
import statistics
from pathlib import Path

from bench.chart import draw
from bench.kernel_table import kernel_legend, kernel_rows, kernel_table
from bench.peers import PEERS
from bench.rows import EVEN, SLOWER, UNSTEADY, Row, TrainingRow, duration, read, rows_of, steps_of, trainings_of
from bench.training import PYTORCH


def table(rows: list[Row]) -> list[str]:
    """Markdown: a line a system, its own time, then of each peer peer / fastnn and the peer's time."""
    peers = [peer.name for peer in PEERS if any(row.peer == peer.name for row in rows)]
    lines = ["| system | fastnn | " + " | ".join(peers) + " |", "|---" * (2 + len(peers)) + "|"]
    for system in dict.fromkeys(row.system for row in rows):
        by_peer = {row.peer: row for row in rows if row.system == system}
        ours = statistics.median(row.ours for row in by_peer.values())
        cells = [_cell(by_peer.get(peer)) for peer in peers]
        lines.append(f"| `{system}` | {duration(ours)} | " + " | ".join(cells) + " |")
    return lines


def steps_table(steps: dict[str, float]) -> list[str]:
    """Markdown: a line a system, the time of its step, measured alone."""
    return ["| a step | fastnn |", "|---|---|", *(f"| `{name}` | {duration(us)} |" for name, us in steps.items())]


def training_table(rows: list[TrainingRow]) -> list[str]:
    """Markdown: a line a system, both sides' time for the whole training, and PyTorch / fastnn."""
    lines = ["| a whole training | epochs | fastnn | PyTorch | PyTorch / fastnn |", "|---|---|---|---|---|"]
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


def forms(rows: list[Row]) -> list[str]:
    """A line a peer: which of its forms was the fastest, and for which systems."""
    lines = []
    for peer in dict.fromkeys(row.peer for row in rows):
        found: dict[str, list[str]] = {}
        for row in rows:
            if row.peer == peer and row.form:
                found.setdefault(row.form, []).append(f"`{row.system}`")
        if found:
            lines.append(f"{peer}: " + "; ".join(f"{form} ({', '.join(names)})" for form, names in found.items()) + ".")
    return lines


def _cell(row: Row | None) -> str:
    return "–" if row is None else f"{row.figure} ({duration(row.theirs)})"


def legend(rows: list[Row], processor: str) -> list[str]:
    """The meaning of the table's numbers, and the machine and versions they were measured with."""
    return [
        "Peer / fastnn, time a training step, float32; above 1 fastnn is faster. In brackets the peer's time, in the"
        " fastest of its forms:",
        *forms(rows),
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
    rows, steps, trainings, kernels = rows_of(infos), steps_of(infos), trainings_of(infos), kernel_rows(infos)
    if given.chart and not rows:
        parser.error("no comparison in these results; run bench/test_systems.py with --benchmark-only -m peers")
    if not (rows or steps or trainings or kernels):
        parser.error("neither steps nor trainings nor kernels in these results; run pytest with --benchmark-only")
    parts = [[*table(rows), "", *legend(rows, processor)]] if rows else []
    parts += [[*steps_table(steps), "", f"{processor}."]] if steps else []
    parts += [[*training_table(trainings), "", *training_legend(trainings, processor)]] if trainings else []
    parts += [[*kernel_table(kernels), "", *kernel_legend(processor)]] if kernels else []
    print("\n\n".join("\n".join(part) for part in parts))
    if given.chart:
        draw(rows, processor, given.chart)


if __name__ == "__main__":
    main()
