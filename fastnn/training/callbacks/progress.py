"""Shows progress on stderr: a bar with loss, speed and time left, and a line for each epoch."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from fastnn.common.text import loss_text, metric_text
from fastnn.training.callbacks.base import Callback, Run

WIDTH = 80  # of a terminal
LONGEST = 110  # a line of the usual figures, loss and accuracy of both sets, is somewhat longer and stays one
LARGE_BYTES = 100_000_000  # of memory: a training that takes less does not say so
KERNELS = logging.getLogger("fastnn_kernels")


class ProgressBar(Callback):
    """A bar over the whole training. Where stderr is no terminal, only the lines of the epochs.

    `fit(verbose=True)` adds one.

    Examples:
        >>> history = model.fit(x, y, callbacks=[fn.ProgressBar()])
    """

    often = True

    def __init__(self) -> None:
        self.console: Any = None  # rich is imported when a training begins
        self.bar: Any = None
        self.task: Any = None
        self.listener: logging.Handler = logging.NullHandler()
        self.first_epoch = 0

    @staticmethod
    def wanted(verbose: bool | int | str) -> bool:
        """Whether `fit(verbose=...)` asks for a bar.

        Args:
            verbose: The argument of `fit`.

        Raises:
            ValueError: If it is none of True, False, "auto", 0, 1, 2.
        """
        if not isinstance(verbose, int | str) or verbose not in (0, 1, 2, "auto"):
            raise ValueError(f"verbose is {verbose!r}, expected True, False or 'auto'")
        return sys.stderr.isatty() if verbose == "auto" else bool(verbose)

    def on_train_begin(self, run: Run) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)
        if run.memory.total >= LARGE_BYTES:
            self.console.print(f"takes {run.memory}", highlight=False, soft_wrap=True)
        self.bar = _bar(self.console)
        self.task = self.bar.add_task(
            "loading kernels", total=run.samples * (run.last_epoch - run.epoch) or None, note=""
        )
        self.listener = _listen(_Compilations(self.bar, self.task))
        self.first_epoch = run.epoch
        self.bar.start()

    def on_epoch_begin(self, run: Run) -> None:
        self.first_epoch = min(self.first_epoch, run.epoch)
        self.bar.update(self.task, description=f"epoch {run.epoch + 1}/{run.last_epoch}")

    def on_batch_end(self, run: Run) -> None:
        done = (run.epoch - self.first_epoch) * run.samples + run.samples_done
        self.bar.update(self.task, completed=done, note=f"loss {loss_text(run.logs['loss'])}")
        self.bar.refresh()

    def on_epoch_end(self, run: Run) -> None:
        names = [metric.name for metric in run.model.network.metrics]
        self.bar.console.print(epoch_line(run.logs, run.last_epoch, names), highlight=False, soft_wrap=True)

    def on_train_end(self, run: Run) -> None:
        KERNELS.removeHandler(self.listener)
        self.bar.stop()


class CompilationNote(Callback):
    """A line on stderr if kernels must be compiled: without a bar, as in a notebook, seconds of silence were odd."""

    def __init__(self) -> None:
        self.listener: logging.Handler = logging.NullHandler()

    def on_train_begin(self, run: Run) -> None:
        self.listener = _listen(_FirstMessage())

    def on_train_end(self, run: Run) -> None:
        KERNELS.removeHandler(self.listener)


def _listen(listener: logging.Handler) -> logging.Handler:
    """Hand the listener what the kernels log; where nobody chose a level for them, from INFO on."""
    if KERNELS.level == logging.NOTSET:
        KERNELS.setLevel(logging.INFO)
    KERNELS.addHandler(listener)
    return listener


def _bar(console: Any) -> Any:
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=30),
        progress.TextColumn("{task.fields[note]}"),
        _speed_column(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("left"),
        console=console,
        transient=True,
        auto_refresh=False,  # a refreshing thread would take a core from the kernels
        disable=not console.is_terminal,
    )


def _speed_column() -> Any:
    from rich import progress

    class Speed(progress.ProgressColumn):
        def render(self, task):
            return f"{task.speed:,.0f} samples/s" if task.speed else ""

    return Speed()


class _Compilations(logging.Handler):
    """Says in the bar that a kernel is being compiled: the first run of a version takes a while."""

    def __init__(self, bar: Any, task: Any):
        super().__init__(logging.INFO)
        self.bar, self.task = bar, task
        self.said = False

    def emit(self, record):
        if not self.said:
            self.bar.console.print(f"{record.getMessage()} ...", highlight=False)
            self.said = True
            return
        self.bar.update(self.task, description=record.getMessage())
        self.bar.refresh()


class _FirstMessage(logging.Handler):
    """Writes the first message, which says how many kernels are compiled, and none of the others."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said = False

    def emit(self, record):
        if not self.said:
            sys.stderr.write(f"{record.getMessage()} ...\n")
            self.said = True


def epoch_line(logs: dict[str, Any], last_epoch: int, metrics: Sequence[str]) -> str:
    """One epoch in a line: epoch 3/50  loss 3.0123  accuracy 31.2 %  ...; in several where it has many figures."""
    begin = f"epoch {logs['epoch']:>{len(str(last_epoch))}}/{last_epoch}"
    names = ["loss", *metrics]
    shown = [name for name in (*names, *(f"val_{name}" for name in names)) if name in logs]
    figures = [f"{name} {metric_text(name, logs[name], 1)}" for name in shown]
    parts = [begin, *figures, f"{logs['samples_per_second']:,.0f} samples/s"]
    if len("  ".join(parts)) <= LONGEST:
        return "  ".join(parts)
    lines = [parts[0]]
    for part in parts[1:]:
        fits = len(lines[-1]) + 2 + len(part) <= WIDTH and not part.startswith("val_loss ")
        lines[-1:] = [f"{lines[-1]}  {part}"] if fits else [lines[-1], " " * (len(begin) + 2) + part]
    return "\n".join(lines)
