"""Measurements from pytest-benchmark's JSON files as rows: steps of a system beside a peer, and whole trainings."""

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench import systems, training
from bench.peers import PEERS
from bench.training import PYTORCH

SLOWER, EVEN, UNSTEADY = "▼", "≈", "?"
UNSTEADY_FROM = 1.5  # ratio of the upper quartile to the lower one


@dataclass(frozen=True)
class Row:
    """fastnn beside a peer on a system: microseconds a step, peer / fastnn with quartiles, threads and versions.

    form  the peer's, the fastest of those that were tried; "" where it has but one
    """

    system: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    quartiles: tuple[float, float]
    threads: int
    versions: dict[str, str]
    disturbed: bool
    form: str = ""

    @property
    def mark(self) -> str:
        """▼ where fastnn is slower, ≈ where the quartiles lie on both sides of 1; ? where to measure again."""
        low, high = self.quartiles
        verdict = EVEN if low <= 1 <= high else SLOWER if self.ratio < 1 else ""
        marks = verdict + (UNSTEADY if self.disturbed or high > UNSTEADY_FROM * low else "")
        return f" {marks}" if marks else ""

    @property
    def figure(self) -> str:
        """The ratio with two decimals, below 0.1 with two significant digits, and its mark."""
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
    """The whole trainings, in the order of the systems. Of several only those with the last one's epochs count."""
    found = defaultdict(list)
    for info in infos:
        if "training" in info:
            found[info["training"]].append(info)
    return [_training_row(row.id, found[row.id]) for row in training.ALL if row.id in found]


def _training_row(system: str, infos: list[dict]) -> TrainingRow:
    last = infos[-1]
    alike = [info for info in infos if info["epochs"] == last["epochs"]]
    ours = statistics.median(info["fastnn us"] for info in alike)
    compared = [info for info in alike if "ratio" in info]
    beside = _merged(system, PYTORCH.name, compared) if compared else None
    return TrainingRow(system, last["epochs"], last["epochs of the recipe"], ours, beside)


def _merged(system: str, peer: str, infos: list[dict]) -> Row:
    """The medians of several comparisons."""
    ours, theirs, ratio = (
        statistics.median(info[name] for info in infos) for name in ("fastnn us", "peer us", "ratio")
    )
    low, high = (statistics.median(info["quartiles"][i] for info in infos) for i in (0, 1))
    disturbed = any(info.get("disturbed") for info in infos)
    last = infos[-1]
    return Row(
        system, peer, ours, theirs, ratio, (low, high), last["threads"], last["versions"], disturbed, _forms(infos)
    )


def _forms(infos: list[dict]) -> str:
    """The peer's form, or several where runs found different ones the fastest."""
    return " or ".join(sorted({info.get("form", "") for info in infos}))


def duration(microseconds: float) -> str:
    """A time with three digits and a unit."""
    if microseconds < 1_000:
        return f"{microseconds:.3g} µs"
    return f"{microseconds / 1_000:.3g} ms" if microseconds < 999_500 else f"{microseconds / 1e6:.3g} s"
