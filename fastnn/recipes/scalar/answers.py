"""What the scalar net shows: the worked example, how plain loops and kernels agree, losses, and the border it draws."""

import numpy as np

from fastnn import plots
from fastnn.common.figures import scale_of
from fastnn.common.text import percent
from fastnn.data import Dataset
from fastnn.experiment.answering import CHOSEN
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult
from fastnn.nn.optimizers import SGD
from fastnn.recipes.scalar.plain_net import ScalarNet, train_epoch
from fastnn.recipes.scalar.points import EXAMPLE_TARGET, EXAMPLE_V, EXAMPLE_W, EXAMPLE_X, SEMI_AXES, as_model

FIRST = 200  # samples whose losses the report draws, and on which plain loops and kernels are compared
STRETCHES = 100  # of the losses of all samples: that of a single one is mostly noise
DRAWN = 400  # points in the picture of the border
LOSS_UNIT = "cross-entropy, nats"
AS_IN_CURVES = {"training": 0, "test": 2}  # blue and green, as in the curves of every system
REPORTED = (0, 50)  # the epochs of which the report printed losses
LOSSES = ("train_loss", "test_loss")


def answers(results: ExperimentResult) -> list[Answer | str]:
    """The example forward and backward, agreement, losses by epoch and by sample, the border."""
    net = ScalarNet(EXAMPLE_W, EXAMPLE_V)
    net.forward(EXAMPLE_X)
    net.backward(EXAMPLE_TARGET)
    worked = [forward(results, net), gradients(results, net)]
    return [*worked, CHOSEN, points(results), by_sample(results), border(results)]


def forward(results: ExperimentResult, net: ScalarNet) -> Answer:
    """Every number that the example's point makes on its way to the loss."""
    inner = {"k1": net.a, "h": net.h, "k2": net.z, "y": net.y}
    values = {f"{name}[{i}]": value for name, row in inner.items() for i, value in enumerate(row)}
    values["loss"] = net.loss(EXAMPLE_TARGET)
    told = "k1: sums into the hidden units; h: their outputs; k2: sums into the outputs; y: probabilities."
    return _worked(results, "forward", "What does the net make of the point (1, −1)?", values, told)


def gradients(results: ExperimentResult, net: ScalarNet) -> Answer:
    """Every gradient of the example's loss."""
    values = {f"dV[{j},{k}]": value for j, row in enumerate(net.dV) for k, value in enumerate(row)}
    values |= {f"dc[{k}]": value for k, value in enumerate(net.dc)}
    hidden = {"dW, each": [value for row in net.dW for value in row], "db, each": net.db}
    values |= {name: max(found, key=abs) + 0.0 for name, found in hidden.items()}
    told = "dW and db are 0: what one output sends back through V is undone by what the other one does."
    return _worked(results, "gradients", "What are the gradients of its loss?", values, told)


def _worked(results: ExperimentResult, name: str, question: str, values: dict[str, float], told: str) -> Answer:
    published = results.published.rows(name)
    rows = [Row(label, {"value": value}, published.get(label, {})) for label, value in values.items()]
    apart = max(abs(values[label] - figures["value"]) for label, figures in published.items())
    return Answer(name, question, [Table(rows)], [told, f"At most {apart:.0e} from the report's, which are rounded."])


def agreement(data: Dataset) -> float:
    """The largest difference between the losses of plain loops and kernels over the first samples, in float64."""
    x, y = data.train.x[:FIRST], data.train.y[:FIRST]
    losses = train_epoch(ScalarNet(), x.tolist(), y.tolist())
    history = as_model().fit(x, y, optimizer=SGD(0.01), batch_size=1, shuffle=False, verbose=False)
    return float(np.abs(np.subtract(losses, history.steps["loss"])).max())


def points(results: ExperimentResult) -> Answer:
    """Losses on all points by epoch, beside those that the report printed before the first and after the last."""
    run, published = results.chosen, results.published.rows("points")
    epochs = {0: run.before} | {epoch["epoch"]: epoch for epoch in run.epochs}
    rows = []
    for number in sorted({*REPORTED, len(run.epochs)}):
        figures = epochs.get(number, {})
        here = {name: figures[name] for name in LOSSES if name in figures}
        rows.append(Row(f"epoch {number:,}", here, published.get(f"epoch {number}", {})))
    question = "Does the net learn the points in the plane?"
    picture = _by_epoch(results, question, epochs)
    report = "Its loss hardly fell in 50 epochs, and it does not say on which points."
    right = percent(run.metrics["train_accuracy"])
    told = f"After epoch {len(run.epochs):,}, {right} of the training points are right."
    return Answer("points", question, [Table(rows)], [told], report, [picture])


def _by_epoch(results: ExperimentResult, question: str, epochs: dict[int, dict]) -> Picture:
    """Losses, beside those that the report printed, and accuracies, over the epochs."""
    published = results.published.rows("points")
    loss, accuracy = (
        _curves(epochs, [f"{split}_{name}" for split in ("train", "test")]) for name in ("loss", "accuracy")
    )
    reported = {_called(name): (list(REPORTED), [published[f"epoch {n}"][name] for n in REPORTED]) for name in LOSSES}
    panels = [
        plots.CurvePanel("loss after the epoch", "epoch", loss, LOSS_UNIT, reported=reported),
        plots.CurvePanel("accuracy after the epoch", "epoch", accuracy, "%"),
    ]
    figure = plots.curve_panels(panels, question, colours=AS_IN_CURVES, note=note_of(results))
    return "loss-by-epoch.png", "on all points after each epoch; epoch 0 is before the first step", figure


def _called(name: str) -> str:
    return "training" if name.startswith("train") else "test"


def _curves(epochs: dict[int, dict], names: list[str]) -> dict[str, tuple[list, list]]:
    """Split -> epochs and figures, accuracies in per cent; splits without figures are left out."""
    curves = {}
    for name in names:
        known = {number: scale_of(name) * figures[name] for number, figures in epochs.items() if name in figures}
        if known:
            curves[_called(name)] = (list(known), list(known.values()))
    return curves


def by_sample(results: ExperimentResult) -> Answer:
    """The losses of the first samples one by one, and of all of them as means."""
    losses = results.chosen.steps["loss"]
    width = max(1, len(losses) // STRETCHES)
    means = losses[: len(losses) // width * width].reshape(-1, width).mean(axis=1)
    x = (np.arange(len(means)) + 0.5) * width
    first = losses[:FIRST]
    one_by_one = {"loss": (range(1, len(first) + 1), first)}
    panels = [
        plots.CurvePanel(f"the first {len(first):,} samples", "sample", one_by_one, LOSS_UNIT, dots=True),
        plots.CurvePanel(f"all samples, means over {width:,}", "sample", {"loss": (x, means)}, LOSS_UNIT),
    ]
    question = "How does the loss go from sample to sample?"
    figure = plots.curve_panels(panels, question, columns=2, note=note_of(results))
    told = [
        f"The first {len(first):,} losses go from {first.min():.4f} to {first.max():.4f}, mean {first.mean():.4f}.",
        f"Plain loops and kernels: {FIRST} losses, unshuffled, differ by at most {agreement(results.data):.1e}.",
    ]
    picture = ("loss-by-sample.png", "each sample's loss before the step that it makes", figure)
    return Answer("by-sample", question, lines=told, pictures=[picture])


def border(results: ExperimentResult) -> Answer:
    """The border between the classes, and the true one where the points are our own."""
    split = results.data.test or results.data.train
    panel = ("", results.model.predict, split.x[:DRAWN], split.y[:DRAWN])
    is_ellipse = results.data.meta["source"] == "generated"
    angle = np.linspace(0, 2 * np.pi, 200)
    outline = np.stack([SEMI_AXES[0] * np.cos(angle), SEMI_AXES[1] * np.sin(angle)], axis=1) if is_ellipse else None
    question = "Which border does the net draw?"
    figure = plots.decision_boundaries([panel], question, outline=outline, note=note_of(results))
    caption = "solid: the net's border" + ("; dashed: the ellipse that separates the classes" if is_ellipse else "")
    pictures: list[Picture] = [("boundary.png", caption, figure)]
    right = results.chosen.metrics["test_accuracy" if results.data.test else "train_accuracy"]
    told = f"{percent(right)} of the {'test' if results.data.test else 'training'} points lie on their side of it."
    return Answer("border", question, lines=[told], pictures=pictures)
