"""The training that a callback sees."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.common.hints.habits import Hinted
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.optimizers import Optimizer
from fastnn.training.history import History
from fastnn.training.models.model import Predictor
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.memory import Memory
from fastnn_kernels._former import warn_of_former


class Run(Hinted):
    """One `fit`, as callbacks see it.

    Args:
        model: The model that is trained.
        optimizer: Of this training.
        epochs: How many epochs it adds.
        callbacks: All of them, in the order in which they are called.

    Attributes:
        history: The record of the model's trainings.
        epoch: Epochs finished so far.
        last_epoch: The number at which the training ends.
        step: Steps done in this epoch.
        steps: How many an epoch has.
        samples: Samples of an epoch.
        batch_size: Samples of a step.
        shuffle: Whether each epoch has its own order of samples.
        logs: This epoch's figures so far: loss, the model's metrics; val_* once known. Figures that a callback adds are
            kept in the history.
        can_resume_within: Whether a training can go on from the middle of an epoch.
        position_to_resume: Where the next epoch begins, if not at its beginning: set by a Checkpoint.
        memory: What the training takes of memory, known before it begins.
        stop_reason: Why a callback ended the training; None while it goes on.
        put_back: Whether a callback has put the parameters of an earlier epoch back, at the end: then a Checkpoint
            keeps these for `load`, beside those from which a training resumes.
    """

    _holds_more = True  # callbacks may tell each other something by it

    history: History
    epoch: int
    last_epoch: int
    step: int
    steps: int
    samples: int
    batch_size: int
    shuffle: bool
    can_resume_within: bool
    put_back: bool

    def __init__(self, model: Predictor, optimizer: Optimizer, epochs: int, callbacks: Sequence[Any]):
        self.model, self.optimizer, self.history = model, optimizer, model.history
        self.epoch = model.epoch
        self.last_epoch = model.epoch + epochs
        self.callbacks = callbacks
        self.step = self.steps = self.samples = self.batch_size = 0
        self.shuffle = self.can_resume_within = True
        self.logs: dict[str, Any] = {}
        self._measure: Callable[[Run], Memory] = lambda run: Memory()
        self.stop_reason: str | None = None
        self.put_back = False
        self.position_to_resume: Mapping[str, Any] | None = None
        self._runner: Runner | None = None

    def stop(self, reason: str) -> None:
        """End training after the step that is running; the first `reason` is kept in the history.

        Args:
            reason: What `history.stop_reason` will say.
        """
        self.stop_reason = self.stop_reason or reason

    def attach(self, runner: Runner) -> None:
        """Say what runs the steps: the training loop does, once they are compiled.

        Args:
            runner: What runs them.
        """
        self._runner = runner

    def measure_by(self, measure: "Callable[[Run], Memory]") -> None:
        """Say what finds `memory`, where somebody asks for it: the training loop does.

        Args:
            measure: What finds it.
        """
        self._measure = measure

    @functools.cached_property
    def memory(self) -> Memory:
        """What the training takes of memory."""
        return self._measure(self)

    @property
    def samples_done(self) -> int:
        """Samples used so far in this epoch."""
        return self._runner.samples_done if self._runner is not None and self.step else 0

    def position(self) -> dict[str, Any]:
        """How far this epoch has come, as plain data: a training that has it as `position_to_resume` goes on there."""
        assert self._runner is not None, "no step has run"
        return self._runner.position()

    @property
    def gradients(self) -> NamedArrays:
        """The gradients of the last step, by parameter.

        Raises:
            FastnnError: Unless a callback says `reads_gradients`.
        """
        assert self._runner is not None, "no step has run"
        return self._runner.gradients

    def layer_outputs(self) -> dict[str, np.ndarray]:
        """The inputs (one: "input") and each layer's output for the batch of the last step, by name: views."""
        assert self._runner is not None, "no step has run"
        return self._runner.layer_outputs()

    def figures_of_last_step(self) -> dict[str, float]:
        """Loss and metrics of the samples of the step that ran last, before its update."""
        assert self._runner is not None, "no step has run"
        done = self._runner.steps_done
        return self._runner.metrics_by(1, done - 1, done)[0]

    def arrays(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """The kind, the name and the values of each array of the last step, for callbacks that describe them.

        The kinds are "parameter", "gradient" (see `gradients`), "input" and "activation".
        """
        yield from (("parameter", name, array) for name, array in self.model.parameters.items())
        yield from (("gradient", name, array) for name, array in self.gradients.items())
        for name, array in self.layer_outputs().items():
            yield ("input" if name in self.model.network.graph.inputs else "activation"), name, array

    @property
    def plan(self) -> "Run":
        """The run itself: the former way to gradients and layers' outputs, gone in 0.3."""
        warn_of_former("run.plan", "run", "0.3")
        return self
