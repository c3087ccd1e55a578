"""An epoch as a line, and lines where there is neither a terminal nor a notebook: by `logging`, when asked for."""

import logging
from collections.abc import Sequence
from typing import Any

from fastnn.common import stderr
from fastnn.common.text import metric_text, speed_text
from fastnn.nn.time_steps import tokens_of_samples
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.kernel_log import KernelMessages
from fastnn.training.callbacks.run import Run

WIDTH = 80  # of a terminal
LONGEST = 110  # a line of the usual figures, loss and accuracy of both sets, is somewhat longer and stays one
LARGE_BYTES = 100_000_000  # of memory: a training that takes less does not say so
LOG = logging.getLogger("fastnn")


class EpochLines(Callback):
    """A line an epoch at level INFO of the logger "fastnn", on stderr where `logging` has no handler.

    asked : whether the user asked for it; else only where the logger's level does
    """

    def __init__(self, *, asked: bool):
        self.asked = asked

    def on_train_begin(self, run: Run) -> None:
        if run.memory.total >= LARGE_BYTES:
            self._say(f"takes {run.memory}")

    def on_epoch_end(self, run: Run) -> None:
        names = [metric.name for metric in run.model.network.metrics]
        figures = figures_of(run.logs, names, tokens_of_samples(run.model.network))
        self._say("  ".join([_begin(run.logs, run.last_epoch), *figures]))

    def _say(self, line: str) -> None:
        say(line, asked=self.asked)


def say(line: str, *, asked: bool) -> None:
    """A line at level INFO of the logger "fastnn", on stderr where `logging` has no handler; `asked`: by the user."""
    if not asked and not LOG.isEnabledFor(logging.INFO):
        return
    if LOG.hasHandlers():  # past the logger's level: the user asked
        LOG.handle(LOG.makeRecord(LOG.name, logging.INFO, __file__, 0, line, (), None))
    else:
        stderr.say(line)


class CompilationNote(Callback):
    """A line on stderr if kernels must be compiled: without a bar, seconds of silence were odd."""

    def __init__(self) -> None:
        self.listener: logging.Handler = logging.NullHandler()
        self.said = False

    def on_train_begin(self, run: Run) -> None:
        self.listener = KernelMessages(self._say).listen()

    def on_train_end(self, run: Run) -> None:
        KernelMessages.end(self.listener)

    def _say(self, text: str) -> None:
        if not self.said:  # further messages say how many are done
            stderr.say(f"{text} ...")
        self.said = True


def epoch_line(logs: dict[str, Any], last_epoch: int, metrics: Sequence[str], tokens: int = 0) -> str:
    """One epoch in a line: epoch 3/50  loss 3.0123  accuracy 31.2 %  ...; in several where it has many figures.

    tokens : of a sample that is a row of them
    """
    begin = _begin(logs, last_epoch)
    parts = [begin, *figures_of(logs, metrics, tokens)]
    if len("  ".join(parts)) <= LONGEST:
        return "  ".join(parts)
    lines = [parts[0]]
    for part in parts[1:]:
        fits = len(lines[-1]) + 2 + len(part) <= WIDTH and not part.startswith("val_loss ")
        lines[-1:] = [f"{lines[-1]}  {part}"] if fits else [lines[-1], " " * (len(begin) + 2) + part]
    return "\n".join(lines)


def _begin(logs: dict[str, Any], last_epoch: int) -> str:
    last = f"{last_epoch:,}"
    return f"epoch {logs['epoch']:>{len(last)},}/{last}"


def figures_of(logs: dict[str, Any], metrics: Sequence[str], tokens: int = 0) -> list[str]:
    """The loss and the metrics of an epoch, those of validation too, and the speed, each with its name."""
    names = ["loss", *metrics]
    shown = [name for name in (*names, *(f"val_{name}" for name in names)) if name in logs]
    return [
        *(f"{name} {metric_text(name, logs[name], 1)}" for name in shown),
        speed_text(logs["samples_per_second"], tokens),
    ]
