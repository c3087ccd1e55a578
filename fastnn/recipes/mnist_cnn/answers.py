"""What the convolutional net's trainings show: errors by step, and how their arrays spread, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fastnn import plots
from fastnn.common.text import percent, sentence
from fastnn.experiment.answering import chosen_answer
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.run_files import MONITOR
from fastnn.recipes.mnist_cnn.records import Records, read, records_of
from fastnn.recipes.shared.filters import filters_answer

WEIGHTS = ("conv2d.w", "conv2d_1.w", "dense.w", "dense_1.w")
EVENNESS, ROUGHNESS, WIDTH = "evenness", "roughness", "deviation"


def answers(results: ExperimentResult) -> list[Answer]:
    """Errors by step, the first filters, what the chosen run recorded, and that beside what the others did."""
    found = [_by_step(results), filters_answer(results, "Which filters has the first convolution learnt?")]
    own = read(results.folder / MONITOR)
    if own:
        found.append(_inside(results, own))
    members = results.group("optimizers")
    recorded = {
        label: own if run is results.chosen else read(records_of(results.folder, run.settings))
        for label, run in members.items()
    }
    recorded = {label: records for label, records in recorded.items() if records}
    return [*found, _beside(results, recorded)] if len(recorded) > 1 else found


def _by_step(results: ExperimentResult) -> Answer:
    """The chosen run's answer, with its losses by step and its errors after each epoch."""
    answer, run = chosen_answer(results), results.chosen
    rows = [Row(f"step {step:,}", _errors(epoch)) for step, epoch in zip(_steps(run), run.epochs, strict=True)]
    errors = Table(rows, "error")
    return replace(answer, tables=[*answer.tables, errors], pictures=[*answer.pictures, _losses_by_step(results)])


def _errors(epoch: Mapping[str, float]) -> dict[str, str]:
    found = {f"{split}_error": f"{split}_accuracy" for split in ("val", "test") if f"{split}_accuracy" in epoch}
    return {error: percent(1 - epoch[accuracy]) for error, accuracy in found.items()}


def _steps(run: RunResult) -> list[int]:
    """The number of steps at the end of each epoch."""
    each = len(run.steps["loss"]) // len(run.epochs)
    return [each * (number + 1) for number in range(len(run.epochs))]


def _losses_by_step(results: ExperimentResult) -> Picture:
    run = results.chosen
    names = {"training, mean over the epoch": "loss", "validation": "val_loss", "test": "test_loss"}
    lines = {label: run.curve(name) for label, name in names.items() if run.curve(name)}
    title = "How does the loss fall, by step?"
    ylabel, note = "cross-entropy, nats", note_of(results)
    figure = plots.lines_over(_steps(run), lines, "step", ylabel, title, wide_y=True, note=note)
    return "loss-by-step.png", "the chosen run's losses after each epoch, by step", figure


def _inside(results: ExperimentResult, records: Records) -> Answer:
    figures = plots.monitor(records, note=note_of(results))
    pictures = [(f"{name}.png", _caption(name), figure) for name, figure in figures.items()]
    return Answer("inside", "How do the numbers inside the net change?", lines=_moved(records), pictures=pictures)


def _caption(name: str) -> str:
    """What a picture of `plots.monitor` shows, such as "gradient_statistics"."""
    kind, what = name.split("_")
    of_kind = {"activation": "outputs of the layers", "input": "inputs"}.get(kind, f"{kind}s")
    return f"{of_kind}, {'range, mean and standard deviation' if what == 'statistics' else 'histograms'} by step"


def _moved(records: Records) -> list[str]:
    """How the standard deviation of each weight goes from the first record to the last."""
    found = []
    for name in WEIGHTS:
        course = [one for one in records if one["name"] == name and one["kind"] == "parameter"]
        if len(course) > 1:
            found.append(f"{name} {course[0]['std']:.4f} to {course[-1]['std']:.4f}")
    steps = f"step {records[0]['step']:,} to step {records[-1]['step']:,}"
    return [f"Standard deviation of the weights from {steps}: {'; '.join(found)}."] if found else []


def _beside(results: ExperimentResult, recorded: Mapping[str, Records]) -> Answer:
    """Histograms of the weights and of the layers' outputs of all trainings, and how even the last ones are."""
    note = note_of(results)
    weights = {label: _only(records, "parameter", WEIGHTS) for label, records in recorded.items()}
    outputs = {label: _only(records, "activation") for label, records in recorded.items()}
    title = "Whose weights spread more evenly?"
    pictures = [
        ("weights-beside.png", "weights by step", plots.histograms_beside(weights, title, note=note)),
        (
            "outputs-beside.png",
            "the layers' outputs by step",
            plots.histograms_beside(outputs, "How do the layers' outputs spread?", note=note),
        ),
    ]
    tables = [_spread_of(name, weights) for name in WEIGHTS]
    report = "AdaGrad learns more uniform weights than Adam, and its histograms are smoother."
    return Answer("histograms", title, tables, _told(tables), report, pictures)


def _only(records: Records, kind: str, names: Sequence[str] | None = None) -> Records:
    return [one for one in records if one["kind"] == kind and (names is None or one["name"] in names)]


def _spread_of(name: str, weights: Mapping[str, Records]) -> Table:
    """How the last histogram of an array looks in each training.

    evenness  its entropy, as a part of that of equal counts: 1 is a uniform distribution
    roughness the mean absolute second difference of its counts, as a part of the largest count: 0 is a straight line
    deviation of the values
    """
    rows = []
    for label, records in weights.items():
        last = [one for one in records if one["name"] == name][-1]
        rows.append(
            Row(label, {EVENNESS: evenness(last["counts"]), ROUGHNESS: roughness(last["counts"]), WIDTH: last["std"]})
        )
    return Table(rows, f"weights {name}", is_detail=True)


def evenness(counts: np.ndarray) -> float:
    """The entropy of a histogram, as a part of that of equal counts in all bins."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))


def roughness(counts: np.ndarray) -> float:
    """The mean absolute second difference of a histogram's counts, as a part of the largest count."""
    return float(np.abs(np.diff(counts, 2)).mean() / counts.max())


def _told(tables: Sequence[Table]) -> list[str]:
    """What the two measures are, and which training leads in each, an array a line."""
    lines = [
        "Evenness is the entropy of a histogram as a share of the largest possible one: 1 is a uniform distribution. "
        "Roughness is the mean size of the second differences of its counts, as a share of the largest count: 0 is "
        "smooth. Both are of the last histogram."
    ]
    for table in tables:
        even = max(table.rows, key=lambda row: row.here[EVENNESS])
        smooth = min(table.rows, key=lambda row: row.here[ROUGHNESS])
        lines.append(
            f"{sentence(table.title)}: most even are those of {even.label} (evenness {even.here[EVENNESS]:.3f}); "
            f"smoothest, those of {smooth.label} (roughness {smooth.here[ROUGHNESS]:.3f})."
        )
    return lines
