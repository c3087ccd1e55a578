"""Shows progress in a notebook: one output that changes while the net is trained, and stays short when it is saved."""

import logging
import sys
import time
from html import escape
from typing import Any, ClassVar

from fastnn.common import notebook
from fastnn.common.text import loss_text, plural
from fastnn.nn.time_steps import tokens_of_samples
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.kernel_log import KernelMessages
from fastnn.training.callbacks.lines import LARGE_BYTES, figures_of
from fastnn.training.callbacks.run import Run
from fastnn.training.history import display

SECONDS = 0.4  # between two changes of what is shown
MOST = 5  # outputs of one cell: later trainings of a cell, as in a loop, show themselves in the last of them


class NotebookDisplay(Callback):
    """A bar, the last figures and a small curve of the loss. It is closed however the training ends."""

    often = True

    def __init__(self) -> None:
        self.output: Any = None
        self.listener: logging.Handler = logging.NullHandler()
        self.doing = "loading kernels"
        self.shown_at = self.began = 0.0
        self.first_epoch = self.done = 0  # the samples that are done

    def on_train_begin(self, run: Run) -> None:
        self.began, self.first_epoch = time.monotonic(), run.epoch
        self.output = _Outputs.next()
        self._show(run, closed=False)
        self.listener = KernelMessages(lambda text: self._say(run, text)).listen()

    def on_epoch_begin(self, run: Run) -> None:
        self.first_epoch = min(self.first_epoch, run.epoch)  # a checkpoint may have been loaded
        self.doing = f"epoch {run.epoch + 1:,}/{run.last_epoch:,}"

    def on_batch_end(self, run: Run) -> None:
        self.done = (run.epoch - self.first_epoch) * run.samples + run.samples_done
        self._show_now_and_then(run)

    def on_epoch_end(self, run: Run) -> None:
        self.done = (run.epoch - self.first_epoch) * run.samples
        self._show_now_and_then(run)

    def _show_now_and_then(self, run: Run) -> None:
        if time.monotonic() - self.shown_at >= SECONDS:
            self._show(run, closed=False)

    def on_train_end(self, run: Run) -> None:
        KernelMessages.end(self.listener)
        run.history.cell = notebook.cell()
        self._show(run, closed=True)

    def _say(self, run: Run, text: str) -> None:
        self.doing = text
        self._show(run, closed=False)

    def _show(self, run: Run, *, closed: bool) -> None:
        self.shown_at = time.monotonic()
        text = self._ending(run) if closed else self.doing
        figures = self._figures(run)
        bar = "" if closed else self._bar(run)
        html = f"<div><b>{escape(text)}</b> {bar} {escape(' · '.join(figures))}</div>{display.curve(run.history)}"
        if not closed and run.memory.total >= LARGE_BYTES:
            html += notebook.line(f"takes {run.memory}")
        self.output.update({"text/html": html, "text/plain": "  ".join([text, *figures])}, raw=True)

    def _bar(self, run: Run) -> str:
        """The share of the training that is done, where it is known, and the time that is left."""
        total = (run.last_epoch - self.first_epoch) * run.samples
        share = min(self.done / total, 1.0) if total else 0.0
        seconds = self.shown_at - self.began
        left = f" {seconds * (1 / share - 1):,.0f} s left" if share > 0 else ""
        return f'<progress value="{share:.4f}" style="width:16em;vertical-align:middle"></progress>{left}'

    def _figures(self, run: Run) -> list[str]:
        """Those of the last epoch; before its end the loss so far."""
        epochs = run.history.epochs[-1:] if run.epoch > self.first_epoch else []
        if epochs:
            names = [metric.name for metric in run.model.network.metrics]
            return figures_of(epochs[0], names, tokens_of_samples(run.model.network))
        return [f"loss {loss_text(run.logs['loss'])}"] if "loss" in run.logs else []

    def _ending(self, run: Run) -> str:
        """How far it came, why it ended, and how long it took."""
        done, wanted = run.epoch - self.first_epoch, run.last_epoch - self.first_epoch
        text = f"{done:,} of {wanted:,} epochs" if done < wanted else plural(done, "epoch")
        if done < wanted:
            error = sys.exc_info()[0]  # on_train_end is called while it passes
            text += f", {run.stop_reason or (f'ended by {error.__name__}' if error else 'ended')}"
        return f"{text}, {time.monotonic() - self.began:,.1f} s"


class _Outputs:
    """The outputs of the cell that runs."""

    cell: ClassVar[int | None] = None
    handles: ClassVar[list[Any]] = []

    @classmethod
    def next(cls) -> Any:
        """A new output; the last one where the cell has many. What IPython calls a display handle."""
        from IPython.display import DisplayHandle

        if cls.cell != notebook.cell():
            cls.cell, cls.handles = notebook.cell(), []
        if len(cls.handles) < MOST:
            handle = DisplayHandle()
            handle.display({"text/plain": ""}, raw=True)
            cls.handles.append(handle)
        return cls.handles[-1]
