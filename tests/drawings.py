"""Helpers that tests of pictures share: records of a Monitor, and the texts of a figure."""

import numpy as np

from fastnn.training.callbacks.monitor import describe


def records(steps=(1, 2, 3), kinds=("parameter", "gradient"), names=("dense.w", "dense.b")):
    """Records like those of a Monitor, of normal numbers whose deviation grows with the steps."""
    stream = np.random.default_rng(0)
    return [
        {"step": step, "epoch": 1, "kind": kind, "name": name} | describe(step * stream.normal(size=500), 10)
        for step in steps
        for kind in kinds
        for name in names
    ]


def texts(figure):
    """All texts of a figure."""
    found = [text.get_text() for text in figure.texts] + [figure.get_suptitle()]
    for axis in figure.axes:
        labels = [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts, *axis.get_xticklabels()]
        found += [label.get_text() for label in [*labels, *axis.get_yticklabels()]]
    return found
