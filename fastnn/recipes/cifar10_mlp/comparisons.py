"""The comparisons of the sheet of CIFAR-10, and the sentences that are computed from their runs."""

from fastnn.common.text import metric_name, percent
from fastnn.experiment import sayings
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.results import RunResult
from fastnn.recipes.cifar10_mlp.effective_rate import RATE, STEP

Runs = dict[str, RunResult]

SCALES = (0.01, 0.02, 0.005)
RATES = (1e-5, 5e-4, 1e-5)  # the report's third column repeats its first; here it has another seed
FIRST_SCALES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of the first weights, in `depth`
FILLED = 100  # steps after which RMSProp's moving mean no longer shows that it began at 0
LEARNED = 0.9  # the training accuracy from which on 50 pictures count as learned

_SGD = {"optimizer": "sgd", "momentum": 0.0}
_FOUR_THOUSAND = {"samples": 4_000, "epochs": 5, "batch_size": 100, "weight_scale": 0.05}
_FIVE_LAYERS = _FOUR_THOUSAND | _SGD | {"hidden": "100x5", "lr": 1e-2}
_FOUR_LAYERS = _FOUR_THOUSAND | {"hidden": "100x4"}
_OVERFIT = {"samples": 50, "batch_size": 25, "epochs": 20, "weight_scale": 0.1, "keep": "last"} | _SGD
_DEPTHS = {"three-layer": {"hidden": "100x2", "lr": 1e-3}, "five-layer": {"hidden": "100x4", "lr": 2e-3}}
_DROPOUT = {"samples": 500, "weight_scale": 0.01, "optimizer": "adam", "lr": 5e-4, "batch_size": 100, "epochs": 25}
_KEEPS = {"none": 0.0, "keep .5": 0.5, "keep .25": 0.75}


def _overfit_told(runs: Runs) -> list[str]:
    found = []
    for label, run in runs.items():
        reached = sayings.epochs_to(run, "train_accuracy", 1.0)
        best = max(run.curve("train_accuracy"))
        when = (
            f"all of its pictures are right after epoch {reached:,}"
            if reached
            else f"at best {percent(best)} are right"
        )
        found.append(f"{label}: {when}, of {len(run.epochs):,}; validation ends at {_last(run, 'val_accuracy')}.")
    return found


def _baseline_told(runs: Runs) -> list[str]:
    found = []
    for label, run in runs.items():
        reached = sayings.epochs_to(run, "val_accuracy", 0.5)
        when = f"reaches 50 % after epoch {reached:,}" if reached else "does not reach 50 %"
        figures = f"{_last(run, 'train_accuracy')} in training, {_last(run, 'val_accuracy')} in validation"
        found.append(f"{label}: {figures} after epoch {len(run.epochs):,}; validation {when}.")
    return found


def _last(run: RunResult, name: str) -> str:
    return percent(run.curve(name)[-1])


def catching_up(runs: Runs, name: str = "train_accuracy") -> list[str]:
    """Of two runs, which is ahead at the end, and in which epoch it reached what the other one ends with."""
    if len(runs) != 2:
        return []
    ahead, behind = sorted(runs, key=lambda label: runs[label].curve(name)[-1], reverse=True)
    end, level = (runs[label].curve(name)[-1] for label in (ahead, behind))
    shown = metric_name(name).replace("train ", "training ")
    if end - level < 0.005:
        return [f"Both end with nearly the same {shown}: {percent(end)} ({ahead}) and {percent(level)} ({behind})."]
    reached = sayings.epochs_to(runs[ahead], name, level)
    epochs = len(runs[behind].epochs)
    return [
        f"{ahead} ends ahead in {shown}: {percent(end)} beside {percent(level)} ({behind}).",
        f"It reaches the other's last value after epoch {reached:,} of {epochs:,}.",
    ]


def _two_told(runs: Runs) -> list[str]:
    return [*catching_up(runs), *catching_up(runs, "val_accuracy")]


def adagrad_told(runs: Runs) -> list[str]:
    """How the effective rates go over the steps, and whether gradients of one size would explain it."""
    found = []
    for label, run in runs.items():
        steps, rates = run.steps[STEP], run.steps[RATE]
        # RMSProp's mean starts at 0 and has forgotten that after about 1 / (1 − .99) steps.
        first = next((i for i, step in enumerate(steps) if step >= FILLED), 0)
        factor, span = rates[first] / rates[-1], f"step {steps[first]:,.0f} to step {steps[-1]:,.0f}"
        goes = f"falls by a factor of {factor:.2f}" if factor > 1 else f"grows by a factor of {1 / factor:.2f}"
        found.append(f"{label}: from {span} the effective rate lr/√c of the middle first-layer weight {goes}.")
        if "adagrad" in label:
            alike = (steps[-1] / steps[first]) ** 0.5
            found.append(
                "AdaGrad's c is a sum of squares and can only grow; gradients that stay of one size would make its "
                f"rate fall by a factor of {alike:.2f}."
            )
        elif "rmsprop" in label:
            found.append("RMSProp's c is a moving mean: its rate follows the gradients of the moment.")
    return found


def depth_told(runs: Runs) -> list[str]:
    """At how many of the scales each depth learned its pictures."""
    learned: dict[str, list[str]] = {}
    for label, run in runs.items():
        depth, scale = label.split(", scale ")
        learned.setdefault(depth, [])
        if run.curve("train_accuracy")[-1] >= LEARNED:
            learned[depth].append(scale)
    told = []
    for depth, scales in learned.items():
        which = f" ({', '.join(scales)})" if scales else ""
        ends = f"ends with {percent(LEARNED, 0)} or more of its pictures right"
        told.append(f"The {depth} net {ends} at {len(scales)} of {len(FIRST_SCALES)} scales{which}.")
    if len(learned) == 2 and len({len(scales) for scales in learned.values()}) == 2:
        least = min(learned, key=lambda depth: len(learned[depth]))
        told.append(f"The {least} net is the more sensitive one here.")
    return told


def dropout_told(runs: Runs) -> list[str]:
    """What dropout does to training and to validation accuracy, at the end and at best."""
    none, kept = runs.get("none"), runs.get("keep .25")
    if none is None or kept is None:
        return sayings.ranking(runs)
    train, val = (kept.curve(name)[-1] - none.curve(name)[-1] for name in ("train_accuracy", "val_accuracy"))
    best = max(kept.curve("val_accuracy")) - max(none.curve("val_accuracy"))
    return [
        f"With dropout training accuracy, evaluated without dropping, ends {_points(train)}; "
        f"validation accuracy ends {_points(val)}, and its best epoch is {_points(best)}.",
    ]


def _points(difference: float) -> str:
    return f"{abs(100 * difference):.1f} points {'higher' if difference >= 0 else 'lower'}"


def sizes_told(runs: Runs) -> list[str]:
    """For each size, which of its runs has the best validation accuracy."""
    by_size: dict[str, Runs] = {}
    for label, run in runs.items():
        size, dropout = label.split(", ")
        by_size.setdefault(size, {})[dropout] = run
    best = {
        size: max(members, key=lambda one: max(members[one].curve("val_accuracy"))) for size, members in by_size.items()
    }
    return [
        f"{size}: best with {kept}, validation accuracy {percent(max(by_size[size][kept].curve('val_accuracy')))}."
        for size, kept in best.items()
    ]


COMPARISONS = (
    Comparison(
        "overfit",
        "Can the net learn 50 pictures by heart in 20 epochs of plain SGD?",
        {
            "100-100": _OVERFIT | {"hidden": "100x2", "lr": 1e-3},
            "100-100-100-100": _OVERFIT | {"hidden": "100x4", "lr": 2e-3},
        },
        "own",
        report="Both nets have all 50 right after 20 epochs.",
        quick="whole",
        told=_overfit_told,
    ),
    Comparison(
        "depth",
        "Which is more sensitive to the scale of its first weights: a net of three layers or one of five?",
        {
            f"{depth}, scale {scale:g}": _OVERFIT | settings | {"weight_scale": scale}
            for depth, settings in _DEPTHS.items()
            for scale in FIRST_SCALES
        },
        "own",
        quick="whole",
        told=depth_told,
    ),
    Comparison(
        "baseline",
        "How far does one hidden layer come with plain SGD?",
        {
            "100, l2 .2": _SGD
            | {"hidden": "100", "l2": 0.2, "lr": 1e-3, "decay": 0.95, "epochs": 10, "initializer": "normal"}
            | {"weight_scale": 1e-3}
        },
        "own",
        report="About 60 % in training and 50 % in validation after 10 epochs.",
        quick="whole",
        told=_baseline_told,
    ),
    Comparison(
        "momentum",
        "Does momentum make SGD faster?",
        {"sgd, 100x5": _FIVE_LAYERS, "momentum .9, 100x5": _FIVE_LAYERS | {"momentum": 0.9}},
        "own",
        report="Momentum is clearly ahead.",
        quick="whole",
        told=_two_told,
    ),
    Comparison(
        "adaptive",
        "Which is faster, RMSProp or Adam?",
        {
            "rmsprop, 100x4": _FOUR_LAYERS | {"optimizer": "rmsprop", "lr": 1e-4},
            "adam, 100x4": _FOUR_LAYERS | {"optimizer": "adam", "lr": 1e-3},
        },
        "own",
        report="They are nearly the same, and both ahead of SGD.",
        quick="whole",
        told=_two_told,
    ),
    Comparison(
        "adagrad",
        "Why does AdaGrad slow down?",
        {
            "adagrad, 100x4": _FOUR_LAYERS | {"optimizer": "adagrad", "lr": 1e-3},
            "rmsprop, 100x4": _FOUR_LAYERS | {"optimizer": "rmsprop", "lr": 1e-4},
        },
        "own",
        quick="whole",
        told=adagrad_told,
    ),
    Comparison(
        "cells",
        "Which weight scale and which learning rate are best?",
        {
            f"scale {scale:g}, lr {rate:g}, run {number}": {"weight_scale": scale, "lr": rate, "seed": number // 3}
            for scale in SCALES
            for number, rate in enumerate(RATES, 1)
        },
        "own",
        report="Scale .02 with rate 5e-4 is best, .515 in validation.",
        quick="none",
    ),
    Comparison(
        "dropout",
        "What does dropout do on 500 pictures?",
        {name: _DROPOUT | {"hidden": "500", "dropout": _KEEPS[name]} for name in ("none", "keep .25")},
        "own",
        report="Training accuracy is lower with dropout, validation accuracy higher.",
        quick="whole",
        told=dropout_told,
    ),
    Comparison(
        "dropout-sizes",
        "How much dropout suits smaller layers?",
        {
            f"{units} units, {name}": _DROPOUT | {"hidden": str(units), "dropout": rate}
            for units in (100, 25)
            for name, rate in _KEEPS.items()
        },
        "own",
        quick="whole",
        told=sizes_told,
    ),
)
