"""The training loop: epochs and steps, with callbacks between compiled calls."""

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.errors import NonFiniteError
from fastnn.data.source import Feed
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import Schedule
from fastnn.training.callbacks import Callback, ProgressBar
from fastnn.training.compile import Plan, compile_train
from fastnn.training.interrupt import InterruptShield
from fastnn.training.rollback import LastGoodState

if TYPE_CHECKING:
    from fastnn.training.history import History
    from fastnn.training.model import Sequential

# One-step epochs that are trained without coming back to Python's callbacks in between.
EPOCHS_AT_ONCE = 1024


class Run:
    """One `fit`: what callbacks see and may change.

    model, optimizer, history   of this training
    epoch, last_epoch           epochs finished so far, and the number at which the run ends
    step, steps                 steps done in this epoch, and how many an epoch has
    samples                     samples of an epoch
    batch_size                  samples of a step
    logs                        this epoch's figures so far: loss, accuracy; val_* once known
    plan                        what runs: its gradients (by parameter), its layer_outputs(), of the last step
    """

    def __init__(
        self,
        model: "Sequential",
        optimizer: Optimizer,
        batch_size: int | None,
        epochs: int,
        shuffle: bool,
        callbacks: Iterable[Callback],
        verbose: bool | str,
    ):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer is {optimizer!r}, expected an optimizer such as SGD(0.1)")
        self.batch_size = None if batch_size is None else _at_least_one("batch_size", batch_size)
        self.model, self.optimizer, self.history = model, optimizer, model.history
        self.epoch = model.epoch
        self.last_epoch = model.epoch + _at_least_one("epochs", epochs)
        self.shuffle = shuffle
        self.callbacks = sorted(map(_callback, callbacks), key=lambda callback: callback.last)
        if ProgressBar.wanted(verbose):
            self.callbacks.append(ProgressBar())
        self.step = self.steps = self.samples = 0
        self.logs: dict[str, Any] = {}
        self._stop_reason: str | None = None
        self._first_epoch: int | None = None  # of a walk whose steps are epochs
        self._seconds = float("nan")  # of one of them

    def stop(self, reason: str) -> None:
        """End training after the step that is running; `reason` is kept in the history."""
        self._stop_reason = self._stop_reason or reason

    def train(self, feed: Feed, validation: Feed | None) -> "History":
        """Train on what `feed` gives, evaluate on `validation` after each epoch."""
        self.samples = feed.samples
        self.batch_size = min(self.batch_size or feed.whole_batch(), self.samples)
        self.steps = -(-self.samples // self.batch_size)
        self.model.network.check_batch(self.samples % self.batch_size or self.batch_size)
        self.plan = plan = self._compiled(feed)
        arrays = [self.model.parameters.flat, self.model.buffers.flat, *self.optimizer.flat_state()]
        self.history.stop_reason = None
        with InterruptShield() as self._shield, self._callbacks_around("train"):
            plan.start(*feed.start(), samples=feed.samples)
            plan.prepare()
            self._good = LastGoodState(plan, arrays)
            at_once = self._epochs_at_once(plan, validation is not None)
            while self.epoch < self.last_epoch and self._stop_reason is None:
                if at_once > 1:
                    self._train_epochs(plan, feed, min(at_once, self.last_epoch - self.epoch))
                else:
                    self._train_epoch(plan, feed, validation)
        self.history.stop_reason = self._stop_reason
        return self.history

    def _compiled(self, feed: Feed) -> Plan:
        options = {
            "shuffle": self.shuffle,
            "weighted": feed.weighted,
            "fused": self._is_fused(),
            "whole": feed.in_memory and self.samples == self.batch_size,
        }
        model = self.model
        return compile_train(model.network, model.state, self.batch_size or 1, self.optimizer, **options)

    def _is_fused(self) -> bool:
        """Whether gradients may be used where they arise: not if a callback reads them."""
        return not any(callback.reads_gradients for callback in self.callbacks)

    def _epochs_at_once(self, plan: Plan, validated: bool) -> int:
        """How many epochs one walk may make: more than one where each is a single step and nobody looks in between."""
        looked_at = validated or not all(callback.skips_epochs for callback in self.callbacks)
        by_epoch = isinstance(self.optimizer.lr, Schedule) or plan.build.draws_noise
        return 1 if looked_at or by_epoch or not plan.whole else EPOCHS_AT_ONCE

    @contextlib.contextmanager
    def _callbacks_around(self, what: str):
        """Call on_<what>_begin and, however the block ends, on_<what>_end."""
        self._call(f"on_{what}_begin")
        try:
            yield
        finally:
            self._call(f"on_{what}_end")

    def _train_epoch(self, plan: Plan, feed: Feed, validation: Feed | None) -> None:
        self.step, self.logs = 0, {"epoch": self.epoch + 1}
        self.optimizer.epoch = self.epoch
        self._call("on_epoch_begin")
        if self._stop_reason is not None:  # a callback that does not want this epoch: there is none
            return
        self._run_epoch(plan, feed)
        if validation is not None:
            self.logs |= {f"val_{name}": value for name, value in self.model._evaluate(validation).items()}
        self.epoch += 1
        self.model.epoch = self.epoch
        self.history.epochs.append(self.logs)  # itself: figures that callbacks add are kept
        self._call("on_epoch_end")

    def _train_epochs(self, plan: Plan, feed: Feed, count: int) -> None:
        """`count` epochs of one step each, in compiled calls that do not come back after every one."""
        self.step, self.logs, self._first_epoch = 0, {"epoch": self.epoch + 1}, self.epoch
        self.optimizer.epoch = self.epoch
        self._call("on_epoch_begin")
        plan.start(*feed.start(), passes=count)
        self._good.begin_window()
        while self._stop_reason is None and self.step < count:
            begin = time.perf_counter()
            self._call("on_batch_begin", batch_event=True)
            self._keep_good()
            with self._shield.hold():
                first, self.logs = self.step, {"epoch": self.epoch + 1}
                self._advance(plan)
                self._count_epochs(plan, first, (time.perf_counter() - begin) / (self.step - first))
            self._call("on_batch_end", batch_event=True)
        self._check_parameters()
        self._call("on_epoch_end")

    def _count_epochs(self, plan: Plan, first: int, seconds: float) -> None:
        """Write the epochs that were one step each, from step `first` on, into the history."""
        self._seconds = seconds
        speed = {"lr": self.optimizer.current_lr, "seconds": seconds, "samples_per_second": self.samples / seconds}
        for step in range(first, self.step):
            self.epoch += 1
            self.logs = {"epoch": self.epoch, **plan.metrics_between(step, step + 1), **speed}
            self.history.epochs.append(self.logs)
        self.model.epoch = self.epoch

    def _count_again(self, steps: int) -> None:
        """Make the history say that only the first `steps` epochs of this walk were trained."""
        assert self._first_epoch is not None
        counted = self.epoch - self._first_epoch
        del self.history.epochs[len(self.history.epochs) - counted + steps :]
        self.step, self.epoch = steps, self._first_epoch + min(counted, steps)
        self._count_epochs(self.plan, min(counted, steps), self._seconds)

    def _run_epoch(self, plan: Plan, feed: Feed) -> None:
        begin = time.perf_counter()
        for _ in plan.through(feed, seed=self.model.seed, epoch=self.epoch):
            self._good.begin_window()
            while self._stop_reason is None and plan.next_batch:
                self._run_steps(plan)
            self._check_parameters()
            if self._stop_reason is not None:
                break
        seconds = time.perf_counter() - begin
        self.logs |= {"lr": self.optimizer.current_lr, "seconds": seconds, "samples_per_second": plan.done / seconds}

    def _check_parameters(self) -> None:
        # A step's loss tells of the steps before it; what the last one did shows only here.
        if not all(np.isfinite(array).all() for array in self.model.parameters.values()):
            raise self._diverged("the parameters are no longer finite")

    def _keep_good(self) -> None:
        if not self._good.keep():
            raise self._diverged("the parameters are no longer finite")

    def _run_steps(self, plan: Plan) -> None:
        """One compiled call and what surrounds it."""
        self._call("on_batch_begin", batch_event=True)
        self._keep_good()
        with self._shield.hold():
            self._advance(plan)
        self._call("on_batch_end", batch_event=True)

    def _advance(self, plan: Plan) -> None:
        """Run some steps and count them."""
        steps = plan.advance(self._steps_until_a_callback(), self._rates)
        losses = plan.losses[self.step : self.step + steps]
        bad = ~np.isfinite(losses)
        self.history.steps["loss"].extend(losses[: np.argmax(bad)] if bad.any() else losses)
        if bad.any():
            raise self._diverged(f"the loss became {losses[np.argmax(bad)]}")
        self.step += steps
        self.optimizer.iteration += steps
        self.logs |= plan.metrics()

    def _rates(self, steps: int) -> np.ndarray:
        rates = self.optimizer.rates(self.optimizer.iteration + np.arange(steps))
        self._good.ran(rates)
        return rates

    def _steps_until_a_callback(self) -> int | None:
        waits = [callback.every - self.step % callback.every for callback in self.callbacks if callback.every]
        return min(waits, default=None)

    def _diverged(self, what: str) -> NonFiniteError:
        """The error that says where; the model is back in its last finite state."""
        started = self.optimizer.iteration - self.step
        step, where = self._good.find()
        self.optimizer.iteration = started + step
        if self._first_epoch is not None:  # of a walk whose steps are epochs: those from the bad one on did not happen
            self._count_again(step)
            step = 0
        place = f"epoch {self.epoch + 1}, step {step + 1} of {self.steps} ({self.batch_size} samples)"
        hint = f"a smaller learning rate than {self.optimizer.current_lr:g} may help"
        return NonFiniteError(f"{what}: at {place}, {where}; the weights are those before that step; {hint}")

    def _call(self, event: str, batch_event: bool = False) -> None:
        for callback in self.callbacks:
            if not batch_event or (callback.every and self.step % callback.every == 0) or callback.often:
                getattr(callback, event)(self)


def _callback(value: Any) -> Callback:
    if not isinstance(value, Callback):
        raise TypeError(f"callbacks holds {value!r}, expected callbacks such as EarlyStopping()")
    return value


def _at_least_one(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} is {value!r}, expected a whole number")
    if value < 1:
        raise ValueError(f"{name} is {value}, expected at least 1")
    return int(value)
