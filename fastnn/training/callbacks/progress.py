"""Shows progress on stderr: a bar with loss, speed and time left, and a line for each epoch."""

import logging
from typing import Any

from fastnn.common import notebook, stderr
from fastnn.common.text import loss_text, speed_text
from fastnn.nn.time_steps import tokens_of_samples
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.kernel_log import KernelMessages
from fastnn.training.callbacks.lines import LARGE_BYTES, CompilationNote, EpochLines, epoch_line
from fastnn.training.callbacks.run import Run

WIDE = 70  # columns of a terminal, from which on the speed and the time left stand beside the bar


def shown(verbose: bool | int | str) -> tuple[Callback, ...]:
    """What shows a training, as `fit(verbose=...)` says. ValueError if it is none of True, False, "auto", 0, 1, 2."""
    if not isinstance(verbose, int | str) or verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"verbose is {verbose!r}, expected True, False or 'auto'")
    if not verbose:
        return ()
    if notebook.shell() is not None:
        from fastnn.training.callbacks.notebook import NotebookDisplay

        return (NotebookDisplay(),)
    if stderr.is_terminal():
        return (ProgressBar(),)
    return CompilationNote(), EpochLines(asked=verbose != "auto")


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
        self.said = False

    def on_train_begin(self, run: Run) -> None:
        self.console = _console()
        if run.memory.total >= LARGE_BYTES:
            self.console.print(f"takes {run.memory}", highlight=False, soft_wrap=True)
        self.bar = _bar(self.console, tokens_of_samples(run.model.network))
        self.task = self.bar.add_task(
            "loading kernels", total=run.samples * (run.last_epoch - run.epoch) or None, note=""
        )
        self.listener = KernelMessages(self._say).listen()
        self.first_epoch = run.epoch
        self.bar.start()

    def on_epoch_begin(self, run: Run) -> None:
        self.first_epoch = min(self.first_epoch, run.epoch)
        self.bar.update(self.task, description=f"epoch {run.epoch + 1:,}/{run.last_epoch:,}")

    def on_batch_end(self, run: Run) -> None:
        done = (run.epoch - self.first_epoch) * run.samples + run.samples_done
        self.bar.update(self.task, completed=done, note=f"loss {loss_text(run.logs['loss'])}")
        self.bar.refresh()

    def on_epoch_end(self, run: Run) -> None:
        names = [metric.name for metric in run.model.network.metrics]
        line = epoch_line(run.logs, run.last_epoch, names, tokens_of_samples(run.model.network))
        self.bar.console.print(line, highlight=False, soft_wrap=True)

    def on_train_end(self, run: Run) -> None:
        KernelMessages.end(self.listener)
        self.bar.stop()

    def _say(self, text: str) -> None:
        """Say in the bar that a kernel is being compiled: the first run of a version takes a while."""
        if not self.said:
            self.bar.console.print(f"{text} ...", highlight=False)
            self.said = True
            return
        self.bar.update(self.task, description=text)
        self.bar.refresh()


def _console() -> Any:
    from rich.console import Console

    if stderr.is_terminal():
        return Console(stderr=True)
    writer: Any = stderr.Writer()
    return Console(file=writer, force_jupyter=False)


def _bar(console: Any, tokens: int) -> Any:
    from rich import progress

    left = (progress.TimeRemainingColumn(), progress.TextColumn("left"))
    beside = (_speed_column(tokens), *left) if console.width >= WIDE else ()
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=30 if beside else None),
        progress.TextColumn("{task.fields[note]}"),
        *beside,
        console=console,
        transient=True,
        auto_refresh=False,  # a refreshing thread would take a core from the kernels
        disable=not console.is_terminal,
    )


def _speed_column(tokens: int) -> Any:
    from rich import progress

    class Speed(progress.ProgressColumn):
        def render(self, task):
            return speed_text(task.speed, tokens) if task.speed else ""

    return Speed()
