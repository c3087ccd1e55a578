"""What all optimizers share: settings, state, the step in a program and by hand. The arithmetic is one kernel each."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.assigned import Check, above_zero, count, optional
from fastnn.common.hints.habits import hinted
from fastnn.common.plain import plain
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.optimizers import by_hand
from fastnn.nn.optimizers import state as state_storage
from fastnn.nn.optimizers.arguments import StateDtype, learning_rate, state
from fastnn.nn.optimizers.emission import Kernels, Update, emit_clipping
from fastnn.nn.optimizers.laid_out import LaidOut
from fastnn.nn.optimizers.rates import Rates
from fastnn.nn.schedules import Schedule
from fastnn_kernels._jit import Kernel


class Optimizer(Rates):
    """Base of all optimizers.

    An optimizer counts its own steps and epochs: a new one begins its schedule at the beginning, whatever the model has
    been through, and a Checkpoint that resumes goes on where it was. It belongs to the model that it trains. Given to
    another model it starts anew there: iteration and epoch 0, fresh state. Given back, it starts anew once more, so
    models that are trained in turns need an optimizer each. `lr` stays as it is, also where a callback has lowered it.
    A copy (`copy.deepcopy`) belongs to no model: the first that it trains takes over its state and its counts.

    The update of a layer of millions of weights waits for memory, and state is most of what it moves: that is where
    bfloat16 may be faster, if memory is slow; elsewhere it is slower. Arithmetic stays in the dtype of the parameters.
    What is kept of it is rounded up or down at random, right on average. The random numbers depend on the model's seed,
    the epoch and the step: the same for any number of threads, and when a training is resumed. (`step` draws them as a
    model of seed 0.) Then state is uint16, of which `fn.bfloat16.decoded` makes float32. Floats may be assigned, and
    are rounded to nearest; uint16 that is assigned where state is whole is taken as bfloat16.

    All settings may be assigned, and are checked then as they are here. During a `fit`, lr and the numbers of the
    formula count from the next step; bounds, state_dtype and SGD's nesterov count from the next `fit`.

    Args:
        lr: The learning rate, a number or a schedule.
        clip_norm: A bound on the norm of all gradients together; None: no bound.
        clip_value: A bound on the size of each number of a gradient; None: no bound.
        state_dtype: How state is kept: None, in the dtype of the parameters; "bfloat16", in half the bytes of float32.

    Attributes:
        state: By the name of a parameter, {name of a state array: array}; may be assigned; checked when it is used.
        iteration: Steps taken; schedules go by these; may be assigned.
        epoch: Epochs finished, likewise.

    Raises:
        ValueError: For a rate that is negative or not finite, a bound that is not above 0, or another state_dtype.
        TypeError: For a rate that is neither number nor schedule.

    Examples:
        >>> optimizer = fn.Adam(1e-3, state_dtype="bfloat16")
        >>> history = model.fit(x, y, optimizer=optimizer)
        >>> fn.bfloat16.decoded(optimizer.state["dense.w"]["m"]).shape
        (4, 8)
    """

    name: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()  # the constructor's arguments beside lr and the clips
    _checks: ClassVar[dict[str, Check]] = {
        "lr": learning_rate,
        "clip_norm": optional(above_zero),
        "clip_value": optional(above_zero),
        "state_dtype": state_storage.checked,
        "iteration": count,
        "epoch": count,
        "state": state,
    }
    state_names: tuple[str, ...] = ()
    start: float = 0.0  # the initial value of the state
    kernel: Kernel
    rows_kernel: Kernel | None = None  # the same for some rows of a table, if a gradient of 0 changes nothing
    outer_kernel: Kernel | None = None  # the same by the two rows of which a weight's gradient is the outer product

    def __init__(
        self,
        lr: float | Schedule,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        state_dtype: StateDtype | None = None,
    ):
        self.lr = lr
        self.clip_norm, self.clip_value, self.state_dtype = clip_norm, clip_value, state_dtype
        self.iteration = 0
        self.epoch = 0
        self.state: dict[str, dict[str, np.ndarray]] = {}
        self._laid_out = LaidOut()

    def config(self) -> dict[str, Any]:
        """The settings as plain data, from which `from_config` makes an equal optimizer."""
        lr = self.lr.config() if isinstance(self.lr, Schedule) else self.lr
        own = {name: getattr(self, name) for name in self.settings}
        optional = {name: getattr(self, name) for name in ("clip_norm", "clip_value", "state_dtype")}
        chosen = {name: value for name, value in optional.items() if value is not None}
        return plain({"name": self.name, "lr": lr} | own | chosen)  # what was assigned may be NumPy's

    def attach(self, parameters: NamedArrays) -> None:
        """Make the state of `parameters`: the arrays that were assigned for these names, else initial values.

        If it belongs to another model's parameters, it starts anew: that state and those counts are dropped.

        Args:
            parameters: Of a model.

        Raises:
            ValueError: For an assigned array of another parameter, or of a kind that is not kept; if eps is 0 or
                infinite in the model's dtype.
            ShapeError: For one of another shape.
            TypeError: For one that holds no numbers.
        """
        self._check_eps(parameters.dtype)
        dtype, laid_out = self._dtype_of_state(parameters.dtype), self._laid_out
        is_theirs = laid_out.is_of(parameters, dtype)
        if is_theirs and laid_out.is_untouched(self.state):
            return
        held = {name for name, parts in self.state.items() if laid_out.holds(name, parts)}
        if is_theirs and held.issuperset(parameters):
            return
        changes_owner = laid_out.owner is not None and laid_out.owner is not parameters
        given = {name: parts for name, parts in self.state.items() if not (changes_owner and name in held)}
        self._laid_out = LaidOut.of(parameters, dtype, self.state_names, self.start, given)
        self.state = self._laid_out.by_name()
        if changes_owner and not any(name in given for name in parameters):  # who assigns state says where it stands
            self.iteration = self.epoch = 0

    @property
    def _rounds(self) -> bool:
        """Whether there is state, and it is rounded to bfloat16."""
        return self.state_dtype is not None and bool(self.state_names)

    def _dtype_of_state(self, dtype: np.dtype) -> np.dtype:
        return state_storage.WORDS if self._rounds else dtype

    @property
    def _kernels(self) -> Kernels:
        """The kernels of the moment: `momentum` and the dtype of the state decide which."""
        return Kernels(self.kernel, self.rows_kernel, self.outer_kernel, self._rounds)

    def flat_state(self) -> list[np.ndarray]:
        """Each kind of state, of all parameters together, as one flat array."""
        return [block.flat for block in self._laid_out.blocks.values()]

    def __getstate__(self) -> dict[str, Any]:
        # A copy's state belongs to no model yet. The first model that it trains takes it over.
        return self.__dict__ | {"_laid_out": LaidOut()}

    def emit(self, build: Builder, parameters: NamedArrays, gradients: NamedArrays, scalars: Buffer) -> None:
        """Emit clipping, over all gradients at once, then the update of each parameter.

        Args:
            build: What collects the operations.
            parameters: Of the model.
            gradients: By the names of the parameters.
            scalars: What `scalars` makes, for the step.
        """
        emit_clipping(build, gradients, self.clip_norm, self.clip_value)
        self.emit_update(build, parameters, gradients, scalars)

    def emit_update(self, build: Builder, parameters: NamedArrays, gradients: NamedArrays, scalars: Buffer) -> None:
        """Emit the update of each parameter, along the axis of its gradient if it has one.

        Where a gradient of 0 changes nothing, rows of a table whose id does not occur in the batch cost nothing.
        Gradients that were computed as one array are used as one.

        Args:
            build: What collects the operations.
            parameters: Of the model.
            gradients: By the names of the parameters.
            scalars: What `scalars` makes, for the step.
        """
        Update(self._kernels, tuple(self._laid_out.blocks.values())).emit(build, parameters, gradients, scalars)

    def reads_lists_alone(self, lazy: bool) -> bool:
        """Whether it reads, of gradients that are 0 but in listed rows, these rows alone. A bound reads them all.

        Args:
            lazy: Whether all other rows may keep weights and state, even where a gradient of 0 would change them.
        """
        return self.clip_norm is None and self.clip_value is None and self._kernels.listed(lazy) is not None

    @property
    def takes_outer_products(self) -> bool:
        """Whether it can update a weight without its gradient being stored. A bound on gradients needs them all."""
        return self.outer_kernel is not None and self.clip_norm is None and self.clip_value is None

    @hinted
    @ieee
    def step(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        """Update the arrays of any dict in place, by their gradients. State is made when it is first needed.

        Of a model's parameters those that are frozen stay as they are, and need no gradient. After an error nothing has
        changed. Arrays do not say what their layers ask for: of Embedding(sparse=True) and SampledSoftmax, momentum and
        means move all rows, not those of the batch alone, and max_norm bounds nothing. `fit` and
        `model.train_on_batch` do as the layers ask.

        Args:
            params: Arrays by name, float32 or float64.
            grads: Their gradients by the same names, of the same shapes.

        Raises:
            KeyError: If a gradient is missing.
            ShapeError: If one has another shape, or state that was assigned.
            TypeError: For a parameter that cannot be updated in place.
            ValueError: For assigned state of a kind that this optimizer does not keep.

        Examples:
            >>> w, dw = np.zeros(3), np.ones(3)
            >>> fn.SGD(0.5).step({"w": w}, {"w": dw})
            >>> w
            array([-0.5, -0.5, -0.5])
        """
        if isinstance(params, NamedArrays) and not self._rounds:
            self._step_model(params, grads)
            return
        params = {name: by_hand.updatable(name, w) for name, w in by_hand.trained(params).items()}
        gradients = {name: by_hand.gradient_of(name, grads, w) for name, w in params.items()}
        gradients = by_hand.clipped(gradients, self.clip_norm, self.clip_value)
        state = {name: self._state_of(name, w) for name, w in params.items()}
        for name, w in params.items():
            self.state[name] = state[name]
            self._update(name, [w, *state[name].values()], gradients[name])
        self.iteration += 1

    def _step_model(self, parameters: NamedArrays, grads: Mapping[str, np.ndarray]) -> None:
        """As `step`, of all parameters of a model at once."""
        gradients = by_hand.gathered(parameters, grads)
        self.attach(parameters)
        if self.clip_value is not None or self.clip_norm is not None:
            gradients = gradients.duplicate() if gradients is grads else gradients
            by_hand.clip([gradients], self.clip_norm, self.clip_value)
        blocks = parameters, *self._laid_out.blocks.values(), gradients
        by_hand.update_model(self.kernel, blocks, self._scalars_now(parameters.dtype))
        self.iteration += 1

    def _state_of(self, name: str, w: np.ndarray) -> dict[str, np.ndarray]:
        """The state arrays of a parameter, in the kernel's order: those it has, fresh ones for others."""
        assigned = self.state.get(name, {})
        state_storage.check_kinds(name, assigned, self.state_names)
        known = {part: np.full_like(w, self.start) for part in self.state_names} | assigned
        dtype = self._dtype_of_state(w.dtype)
        return {
            part: state_storage.fitting(state_storage.told(name, part), known[part], w.shape, dtype)
            for part in self.state_names
        }

    def _update(self, name: str, arrays: list[np.ndarray], gradient: np.ndarray) -> None:
        noise = state_storage.noise_by_hand(name, self.epoch, self.iteration) if self._rounds else ()
        by_hand.update(self._kernels.stored(self.kernel), arrays, gradient, self._scalars_now(arrays[0].dtype), *noise)

    def __repr__(self):
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config().items() if name != "name")
        return f"{type(self).__name__}({settings})"
