"""Helpers that tests of pictures share: records of a Monitor, texts of a figure, commands that draw next to nothing."""

import contextlib
from unittest import mock

import matplotlib.figure
import numpy as np

from fastnn import plots
from fastnn.experiment.answers import Answer
from fastnn.search.folder import PICTURE
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


@contextlib.contextmanager
def empty_pictures():
    """In the block a run and a sweep draw one empty picture each: drawing takes longer than a small training."""
    empty = matplotlib.figure.Figure()
    answer = Answer("chosen", "How?", pictures=[("curves.png", "", empty)])
    drawn = mock.patch("fastnn.experiment.runner.answers_of", return_value=[answer])
    with drawn, mock.patch("fastnn.cli.sweep.draw", lambda work: plots.save(empty, work.folder / PICTURE)):
        yield
