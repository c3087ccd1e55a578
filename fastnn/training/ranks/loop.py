"""Training on several ranks: rank 0 decides, and calls the callbacks; the others do as it does."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from fastnn.common.errors import NonFiniteError
from fastnn.common.interrupt import InterruptShield
from fastnn.data.source import Source
from fastnn.ranks.group import Group
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.checkpoint import setup_of
from fastnn.training.fit.loop import Loop
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.history.history import put_back
from fastnn.training.models.model import Predictor
from fastnn.training.passes.runner import Runner
from fastnn.training.ranks.compile import compile_rank
from fastnn.training.ranks.runner import RankRunner
from fastnn.training.ranks.shield import GroupShield


class RankLoop(Loop):
    """One training on all ranks while it runs; each of them calls its methods in the same order.

    Where a method of `Loop` decides something by a clock, a signal or a callback, rank 0 decides here, or all ranks
    agree, so that none waits for another one for ever.
    """

    def __init__(self, group: Group, model: Predictor, settings: Settings, source: Source, validation: Source | None):
        self.group = group
        super().__init__(model, settings, source, validation)

    def _runner_of(self, batch: int, shuffle: bool, block: int) -> Runner:
        full_batch, weighted = self._takes_all(batch), self.source.weighted
        network, state, optimizer = self.model.network, self.model.state, self.optimizer
        given = {"shuffle": shuffle, "weighted": weighted, "full_batch": full_batch}
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
            put_back(history, epochs, steps)

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
