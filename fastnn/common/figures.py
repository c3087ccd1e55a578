"""What the name of a figure says of it: which way is better, whether it is a fraction or a perplexity.

The names are those that metrics and losses have in the field and in scikit-learn: "val_r2", "roc_auc_score".
"""

import difflib
import re
from typing import Literal, get_args

Mode = Literal["auto", "min", "max"]
MODES: tuple[Mode, ...] = get_args(Mode)
CIRCUMSTANCES = ("epoch", "lr", "seconds", "samples_per_second")  # of an epoch: how it was trained, not what came of it
SPLIT_PREFIXES = ("val_", "test_", "train_")

HIGHER = {"acc", "accuracy", "auc", "f1", "fbeta", "iou", "jaccard", "precision", "r2", "recall", "score", "top"}
LOWER = {"deviance", "entropy", "error", "huber", "loss", "mae", "mape", "mse", "perplexity", "rmse", "seconds"}


def is_fraction(name: str) -> bool:
    """Whether a figure is a fraction, which is shown in per cent: an accuracy, top_k, the unknown words of a text."""
    return name.endswith("accuracy") or name == "unknown" or re.search(r"(^|_)top_\d+$", name) is not None


def scale_of(name: str) -> float:
    """By what a figure is multiplied where it is drawn: fractions are drawn in per cent."""
    return 100.0 if is_fraction(name) else 1.0


def unit_of(name: str) -> str:
    """In what a figure is drawn: "%", or "" for a number."""
    return "%" if is_fraction(name) else ""


def label_of(name: str) -> str:
    """A figure as an axis names it: "val_accuracy" as "val accuracy, %"."""
    return f"{name.replace('_', ' ')}, {unit_of(name)}".removesuffix(", ")


def is_perplexity(name: str) -> bool:
    """Whether a figure is a perplexity, which is shown with few digits."""
    return name.endswith("perplexity")


def higher_is_better(name: str, mode: Mode = "auto", what: str = "") -> bool:
    """Whether more of a figure is better, by `mode` ("min", "max"), or with "auto" by the last word that tells.

    So "brier_score_loss" is a loss and "val_d2_absolute_error_score" a score. A figure that begins with "neg" is
    turned round, as scikit-learn does.

    what : for messages, who asks. ValueError for another mode, or for "auto" where no word tells.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what}the figure is {name!r:.60}, expected its name, such as 'val_loss'")
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{what}mode is {mode!r:.60}, expected 'auto', 'min' or 'max'")
    if mode != "auto":
        return mode == "max"
    words = without_split(name).split("_")
    known = next((word for word in reversed(words) if word in HIGHER | LOWER), None)
    if known is None:
        matches = difflib.get_close_matches(words[-1], sorted(HIGHER | LOWER), n=1, cutoff=0.75)
        meant = "perplexity" if words[-1] == "ppl" else next(iter(matches), "")
        hint = f" (did you mean {name.removesuffix(words[-1])}{meant}?)" if meant else ""
        raise ValueError(
            f"{what}cannot tell whether more or less {name!r} is better{hint}; say mode='max' or mode='min'"
        )
    return (known in HIGHER) != words[0].startswith("neg")


def without_split(name: str) -> str:
    """The name of a figure without the split that it is of: "val_accuracy" as "accuracy"."""
    for prefix in SPLIT_PREFIXES:
        name = name.removeprefix(prefix)
    return name
