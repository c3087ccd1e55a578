"""Sentences that are computed from the runs of the comparisons."""

from fastnn.common.text import metric_name, percent
from fastnn.experiment import sayings
from fastnn.experiment.results import RunResult
from fastnn.recipes.cifar10_mlp.effective_rate import RATE, STEP

Runs = dict[str, RunResult]

FIRST_SCALES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of the first weights, in `depth`
FILLED = 100  # steps after which RMSProp's moving mean no longer shows that it began at 0
LEARNED = 0.9  # the training accuracy from which on 50 pictures count as learned


def overfit_told(runs: Runs) -> list[str]:
    """After which epoch each net has all of its pictures right."""
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


def baseline_told(runs: Runs) -> list[str]:
    """What each net ends with, and when its validation accuracy reaches a half."""
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
        f"It reaches {percent(level)} after epoch {reached:,} of {epochs:,}.",
    ]


def two_told(runs: Runs) -> list[str]:
    """`catching_up` in training accuracy, then in validation accuracy."""
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
        found.append(f"{label}: from {span} the median effective rate lr/√c of the first layer {goes}.")
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
    none, kept = runs.get("none"), runs.get("keep 0.25")
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
