"""Training on several ranks: rank 0 decides, and calls the callbacks; the others do as it does."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastnn.common.errors import DataError, NonFiniteError
from fastnn.common.interrupt import InterruptShield
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.ranks.group import Group, current
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.checkpoint import setup_of
from fastnn.training.fit.joined import JoinedLoop
from fastnn.training.fit.loop import Loop
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.models.model import Predictor
from fastnn.training.passes.runner import Runner
from fastnn.training.ranks.compile import compile_rank
from fastnn.training.ranks.runner import RankRunner


def train(model: Predictor, settings: Settings, source: Source, validation: Source | None) -> History:
    """As a `JoinedLoop` does; within `fastnn.distributed`, together with the other ranks."""
    group = current()
    if group is None:
        return JoinedLoop(model, settings, source, validation).train()
    _check(group, model, settings, source)
    if group.rank:
        everywhere = [callback for callback in settings.callbacks if callback.everywhere]
        settings = replace(settings, callbacks=everywhere, verbose=False)
    return RankLoop(group, model, settings, source, validation).train()


def _check(group: Group, model: Predictor, settings: Settings, source: Source) -> None:
    """ValueError for what several ranks cannot train."""
    if isinstance(source, BatchSource):
        raise ValueError("fn.distributed() shares arrays and streams among ranks, not batches that a user makes")
    if settings.steps_per_block > 1:
        raise ValueError(f"steps_per_block is {settings.steps_per_block}; within fn.distributed() it must be 1")
    _check_parts(group, model, settings.batch_of(source), source.samples)
    if group.sync_every == 1:
        return
    if model.network.loss.reduction == "sum":
        raise ValueError('sync_every takes means of losses, but the loss has reduction="sum"')
    if settings.optimizer.state_dtype is not None:
        raise ValueError("sync_every takes means of the optimizer's state, which state_dtype='bfloat16' would round")
    for callback in settings.callbacks:
        if callback.every % group.sync_every:
            raise ValueError(
                f"{type(callback).__name__} looks every {callback.every} steps, when ranks have different parameters; "
                f"expected a multiple of sync_every, {group.sync_every}"
            )


def _check_parts(group: Group, model: Predictor, batch: int, samples: int) -> None:
    """DataError if a rank's part of a batch is too small for a layer, such as one that needs a variance."""
    for size in {min(batch, samples), samples % batch} - {0}:
        try:
            model.network.check_batch(max(size // group.size, 1))
        except DataError as error:
            raise DataError(f"{error}: its part of {size} on {group.size} ranks") from None


class RankLoop(Loop):
    """One training on all ranks while it runs; each of them calls its methods in the same order.

    Where a method of `Loop` decides something by a clock, a signal or a callback, rank 0 decides here, or all ranks
    agree, so that none waits for another one for ever.
    """

    def __init__(self, group: Group, model: Predictor, settings: Settings, source: Source, validation: Source | None):
        self.group = group
        super().__init__(model, settings, source, validation)

    def _runner_of(self, batch: int, shuffle: bool, block: int) -> Runner:
        whole, weighted = self._takes_all(batch), self.source.weighted
        network, state, optimizer = self.model.network, self.model.state, self.optimizer
        given = {"shuffle": shuffle, "weighted": weighted, "whole": whole}
        step, exchange = compile_rank(self.group, network, state, batch, optimizer, **given)
        means = [state.parameters.flat, *optimizer.flat_state()]
        return RankRunner(step, exchange, self.group, means)

    def _good_state(self, arrays: Sequence[np.ndarray]) -> LastGoodState:
        return _GoodState(self.group, self.runner, arrays)

    def _shield(self, asked: threading.Event | None) -> InterruptShield:
        return GroupShield(self.group)

    def train(self) -> History:
        self._check_alike()
        try:
            return super().train()
        except NonFiniteError as error:  # which all ranks raise at the same step
            self._share_arrays()
            self.group.agreed = error
            raise

    def _check_alike(self) -> None:
        """ValueError if ranks were given different trainings."""
        judged_by = self.validation.samples if self.validation is not None else None
        given = {"epochs": self.run.last_epoch, "number of validation samples": judged_by}
        of_each = self.group.communicator.collect(setup_of(self.run) | given)
        for name, mine in of_each[self.group.rank].items():
            other = next((rank for rank, one in enumerate(of_each) if name != "callbacks" and one[name] != mine), None)
            if other is not None:
                raise ValueError(f"rank {other} trains with another {name} than rank {self.group.rank}: expected one")

    @contextlib.contextmanager
    def _callbacks_around_training(self) -> Iterator[None]:
        with super()._callbacks_around_training():
            yield
        self._share_arrays()
        self._share_history()

    def _begin_callbacks(self, begun: list[Callback]) -> None:
        super()._begin_callbacks(begun)
        self._share_beginning()
        self._share_stop()

    def _call(self, event: str) -> None:
        super()._call(event)
        self._share_stop()
        if event == "on_epoch_end":
            self._share_epoch()

    def _share_beginning(self) -> None:
        """Begin where rank 0 does, which may have read a checkpoint."""
        run, model, optimizer = self.run, self.model, self.optimizer
        self._share_arrays()
        for array in optimizer.flat_state():
            self.group.communicator.broadcast(array)
        told = (run.epoch, model.epoch, optimizer.iteration, optimizer.epoch, optimizer.lr, run.position_to_resume)
        told = self.group.told(told)
        run.epoch, model.epoch, optimizer.iteration, optimizer.epoch, optimizer.lr, run.position_to_resume = told
        self._share_history()

    def _share_arrays(self) -> None:
        """Parameters and running statistics become those of rank 0."""
        for array in (self.model.parameters.flat, self.model.buffers.flat):
            if array.size:
                self.group.communicator.broadcast(array)

    def _share_history(self) -> None:
        history = self.run.history
        epochs, steps = self.group.told((history.epochs, history.steps))
        if self.group.rank:
            history.epochs[:] = epochs
            history.steps.clear()
            history.steps.update(steps)

    def _share_stop(self) -> None:
        self.run.stop_reason = self.group.told(self.run.stop_reason)

    def _share_epoch(self) -> None:
        """What callbacks have made of an epoch: figures, the learning rate, parameters."""
        logs, self.optimizer.lr = self.group.told((self.run.logs, self.optimizer.lr))
        if self.group.rank:
            self.run.logs.clear()
            self.run.logs.update(logs)
        self._share_arrays()

    def _validated(self, source: Source) -> dict[str, float]:
        """Each rank evaluates a part, with the running statistics of rank 0."""
        if self.model.buffers.flat.size:
            self.group.communicator.broadcast(self.model.buffers.flat)
        return self.model.evaluate_source(source, self.group)

    def _goes_on(self) -> bool:
        assert isinstance(self.ending.shield, GroupShield)
        self.ending.shield.agree()
        self._share_stop()
        return super()._goes_on()

    def _check_state(self, is_finite: bool) -> None:
        super()._check_state(self.group.all(is_finite))

    def _scalars(self, steps: int) -> np.ndarray:
        """Those of rank 0, whose callbacks may have changed the learning rate."""
        scalars = np.ascontiguousarray(self._computed_scalars(steps), np.float64)
        self.group.communicator.broadcast(scalars)
        self.good.ran(scalars)
        return scalars


class _GoodState(LastGoodState):
    """Copies that all ranks make at the same steps, so that all go back to the same one."""

    def __init__(self, group: Group, runner: Runner, arrays: Sequence[np.ndarray]):
        super().__init__(runner, arrays)
        self._group = group

    def _agreed(self, given: bool) -> bool:
        return self._group.all(given)


class GroupShield(InterruptShield):
    """A signal takes effect on all ranks, where `agree` finds that one of them has got it; a second one at once."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self._group = group

    def __enter__(self) -> "GroupShield":
        super().__enter__()
        self.catch_termination()
        return self

    def agree(self) -> None:
        """KeyboardInterrupt on all ranks, or what else a signal does, if one of them has got a signal."""
        number = 0 if self._pending is None else self._pending[0]
        numbers = self._group.of_each(np.array([number]))
        first = next((one for one in numbers.ravel().tolist() if one), 0)
        if not first:
            return
        pending, self._pending = self._pending, None
        effect: Any = self._effects.get(first)
        try:
            if effect is not None and pending is not None and pending[0] == first:
                effect(*pending)
            raise KeyboardInterrupt
        except BaseException as error:
            self._group.agreed = error
            raise

    def _take_effect(self) -> None:
        """Not now: see `agree`."""

    def _handle(self, number: int, frame: Any) -> None:
        if self._pending is None:
            self._pending = (number, frame)
        else:
            self._effects[number](number, frame)
