"""The training loop: epochs and steps, with callbacks between compiled calls."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import NonFiniteError
from fastnn.common.interrupt import InterruptShield
from fastnn.common.validation import truth
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.engine.available_memory import is_small
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.run import Run
from fastnn.training.fit.ending import Ending
from fastnn.training.fit.idle import warn_of_idle_steps
from fastnn.training.fit.needs import Needs
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.models.model import Predictor
from fastnn.training.passes.runner import Runner
from fastnn.training.steps import blocks
from fastnn.training.steps.compile import compile_train


class Loop:
    """One training while it runs: of a model on a source, evaluated on `validation` after each epoch.

    asked : where it is not the main thread that trains: set to end it between whole steps, as Ctrl-C does there
    """

    runner_kind: type[Runner] = Runner

    def __init__(
        self,
        model: Predictor,
        settings: Settings,
        source: Source,
        validation: Source | None,
        asked: threading.Event | None = None,
    ):
        self.model, self.optimizer, self.source, self.validation = model, settings.optimizer, source, validation
        self.callbacks, self.passes = settings.callbacks, settings.passes_of(source)
        of_earlier_training = {id(array) for array in self.optimizer.flat_state()}
        self.run = run = self._new_run(settings)
        self.runner = self._runner_of(run.batch_size, run.shuffle, settings.steps_per_block)
        run.attach(self.runner)
        warn_of_idle_steps(model, self.optimizer, run.steps * settings.epochs)
        state = [model.parameters.flat, model.buffers.flat, *self.optimizer.flat_state()]
        self.good = self._good_state(state)
        self.ending = Ending(run, self.good, self._shield(asked))
        self.steps_before = 0  # this epoch, in the history
        present = sum(array.nbytes for array in self.optimizer.flat_state() if id(array) in of_earlier_training)
        self._memory = Needs(model, source, validation, self.runner, self.good, present)
        run.measure_by(self._memory)

    def _new_run(self, settings: Settings) -> Run:
        """What callbacks see of this training before its first step. ShapeError for batches that a layer refuses."""
        batch, source = settings.batch_of(self.source), self.source
        self.model.network.check_batch(source.samples % batch or batch, _another_size(source.samples, batch))
        run = Run(self.model, self.optimizer, settings.epochs, self.callbacks)
        run.samples, run.batch_size = source.samples * self.passes, batch
        run.shuffle = truth("shuffle", settings.shuffle) and source.shuffles
        run.steps, run.can_resume_within = -(-run.samples // batch), not isinstance(source, BatchSource)
        return run

    def _good_state(self, arrays: Sequence[np.ndarray]) -> LastGoodState:
        return LastGoodState(self.runner, arrays)

    def _shield(self, asked: threading.Event | None) -> InterruptShield:
        return InterruptShield(asked)

    def _runner_of(self, batch: int, shuffle: bool, block: int) -> Runner:
        reads_gradients = any(callback.reads_gradients for callback in self.callbacks)
        blocks.check(self.model.network, self.optimizer, block, batch, reads_gradients=reads_gradients)
        step = compile_train(
            self.model.network,
            self.model.state,
            batch,
            self.optimizer,
            shuffle=shuffle,
            weighted=self.source.weighted,
            fused=not reads_gradients,
            full_batch=self._takes_all(batch),
            block=min(block, self.source.samples or block),
        )
        return self.runner_kind(step)

    def _takes_all(self, batch: int) -> bool:
        """Whether each step takes all samples."""
        return self.source.in_memory and batch == self.source.samples

    def train(self) -> History:
        at_most = self._memory(self.run, exactly=False)  # exactly takes a millisecond, which small trainings feel
        if not is_small(at_most.total):
            self.run.memory.check()
        run, history = self.run, self.run.history
        history.stop_reason = None
        with self.ending.shield, self._callbacks_around_training(), self.ending:
            self._start()
            self.runner.prepare()
            while run.epoch < run.last_epoch and run.stop_reason is None:
                self._train_epoch()
        history.stop_reason = run.stop_reason
        return history

    def _start(self) -> None:
        """Bind some data, so that the kernels can be compiled for them."""
        self.runner.start(self.source.start(), passes=self.passes, samples=self.source.samples)

    @contextlib.contextmanager
    def _callbacks_around_training(self) -> Iterator[None]:
        """Call on_train_begin and, however that and the block end, on_train_end of all whose beginning is done."""
        begun: list[Callback] = []
        try:
            self._begin_callbacks(begun)
            yield
        finally:
            with contextlib.ExitStack() as endings:  # if one of them fails, the others are called all the same
                for callback in reversed(begun):  # the last one is called first
                    endings.callback(callback.on_train_end, self.run)

    def _begin_callbacks(self, begun: list[Callback]) -> None:
        """Call on_train_begin of each callback, and note in `begun` those that have returned."""
        for callback in self.callbacks:
            callback.on_train_begin(self.run)
            begun.append(callback)

    def _train_epoch(self) -> None:
        run = self.run
        position, run.position_to_resume = run.position_to_resume, None
        run.step, run.logs = 0, {"epoch": run.epoch + 1}
        if position is not None:
            run.step = len(position["losses"])
        self.steps_before = len(run.history.steps["loss"]) - run.step
        self._call("on_epoch_begin")
        if run.stop_reason is not None:  # a callback that does not want this epoch: there is none
            return
        self._run_epoch(position)
        if self.validation is not None:
            run.logs |= {f"val_{name}": value for name, value in self._validated(self.validation).items()}
        self.ending.epoch_done()
        run.epoch += 1
        self.model.epoch = run.epoch
        self.optimizer.epoch += 1
        run.history.epochs.append(run.logs)  # itself: figures that callbacks add are kept
        self._call("on_epoch_end")

    def _validated(self, source: Source) -> dict[str, float]:
        """The model's figures on the validation data."""
        return self.model.evaluate_source(source)

    def _run_epoch(self, position: Mapping[str, Any] | None) -> None:
        run, runner = self.run, self.runner
        begin, keys = time.perf_counter(), {"seed": self.model.seed, "epoch": run.epoch}
        for chunk in runner.chunks(self.source, **keys, passes=self.passes, position=position):
            self.good.begin_chunk()
            self.model.network.check_batch(len(chunk) % run.batch_size or run.batch_size)
            while self._goes_on() and runner.next_batch:
                self._run_steps()
            self.ending.chunk_done()
            self._check_state(self.good.is_finite())
            if run.stop_reason is not None:
                break
        if not self.source.in_memory:
            runner.release_memory()  # while the model is validated, another chunk and another step are in memory
        seconds = time.perf_counter() - begin
        speed = runner.samples_done / seconds
        run.logs |= runner.metrics()
        run.logs |= {"lr": self.optimizer.current_lr, "seconds": seconds, "samples_per_second": speed}

    def _goes_on(self) -> bool:
        """Whether nobody has stopped the training."""
        return self.run.stop_reason is None

    def _check_state(self, is_finite: bool) -> None:
        # A step's loss tells of the steps before it. What the last one did shows only in the state.
        if not is_finite:
            raise self._diverged("the parameters are no longer finite")

    def _run_steps(self) -> None:
        """One compiled call and the callbacks around it."""
        with self.ending.steps():
            self._call_batch("on_batch_begin")
            self._check_state(self.good.keep())
            with self.ending.shield.hold():
                self._advance()
            self._call_batch("on_batch_end")

    def _advance(self) -> None:
        """Run some steps and count them."""
        run = self.run
        steps = self.runner.advance(self._steps_until_a_callback(), self._scalars)
        losses = self.runner.losses[run.step : run.step + steps]
        bad = ~np.isfinite(losses)
        finite = losses[: np.argmax(bad)] if bad.any() else losses
        run.history.steps["loss"].frombytes(finite.tobytes())  # `extend` takes them one by one, 60 ns each
        if bad.any():
            raise self._diverged(f"the loss became {losses[np.argmax(bad)]}")
        run.step += steps
        self.optimizer.iteration += steps
        run.logs |= self.runner.metrics()

    @ieee  # those of an optimizer or a schedule of a user's own, too
    def _scalars(self, steps: int) -> np.ndarray:
        scalars = self._computed_scalars(steps)
        self.good.ran(scalars)
        return scalars

    def _computed_scalars(self, steps: int) -> np.ndarray:
        return self.optimizer.checked_scalars(self.optimizer.iteration + np.arange(steps))

    def _steps_until_a_callback(self) -> int | None:
        waits = [callback.every - self.run.step % callback.every for callback in self.callbacks if callback.every]
        return min(waits, default=None)

    def _diverged(self, what: str) -> NonFiniteError:
        """The error that says where; the model is back in its last finite state."""
        run, started = self.run, self.optimizer.iteration - self.run.step
        step, where = self.good.find()
        self.optimizer.iteration = started + step
        # Steps after it may have run before anybody looked: how many is a matter of time.
        del run.history.steps["loss"][self.steps_before + step :]
        last = f" of {run.steps:,}" if run.steps else ""  # of batches that a user makes the number may be unknown
        epoch, number = self._place(step)
        which = f"epoch {epoch + 1:,}, step {number + 1:,}{last} ({run.batch_size:,} samples)"
        hint = f"a smaller learning rate than {self.optimizer.current_lr:g} may help"
        return NonFiniteError(f"{what}: at {which}, {where}; the weights are those before that step; {hint}")

    def _place(self, step: int) -> tuple[int, int]:
        """The epoch and the step in it, both from 0, of a step that is counted as `run.step` is."""
        return self.run.epoch, step

    def _call(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self.run)

    def _call_batch(self, event: str) -> None:
        """Call the callbacks whose step it is."""
        for callback in self.callbacks:
            if callback.often or (callback.every and self.run.step % callback.every == 0):
                getattr(callback, event)(self.run)


def _another_size(samples: int, batch: int) -> str:
    """The end of a message: what to do where the last batch is one sample."""
    larger = next((size for size in range(batch + 1, samples + 1) if samples % size != 1), None)
    return f": {samples:,} samples in batches of {batch:,}; give batch_size={larger}, for example" if larger else ""
