"""The callback protocol: the moments at which a callback is called."""

import inspect
from typing import Any, ClassVar

from fastnn.common.assigned import Checks, count, switch
from fastnn.common.hints.habits import Hinted
from fastnn.common.hints.names import FOREIGN_EVENTS
from fastnn.common.names import nearest
from fastnn.common.shown import call_of
from fastnn.training.callbacks.run import Run


def _check_event(owner: str, event: str, method: Any) -> None:
    """TypeError if a method is near an event but none, or wants more than the run, as those of Keras do."""
    name, events = f"{owner}.{event}", [known for known in vars(Callback) if known.startswith("on_")]
    if event not in events:
        if meant := nearest(event, events, cutoff=0.75):
            raise TypeError(f"{name} would never be called; {meant}")
        return
    parameters = inspect.signature(method).parameters.values()
    given = [parameter.name for parameter in parameters if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]
    if len(given) > 2:
        raise TypeError(
            f"{name} takes ({', '.join(given)}), but is called with the run alone: (self, run); run.epoch, run.logs "
            "and run.model say the rest"
        )


class Callback(Hinted):
    """Base of all callbacks: override the methods that you need. Each is called with the `Run`.

    Attributes:
        every: Call the batch methods every `every` steps, and so end compiled calls there; 0: never.
        often: Call the batch methods after every compiled call, several times a second, at no fixed step.
        last: Call it after the callbacks that are not `last`: it sees, and may save, what they have done.
        reads_gradients: Whether it reads `run.gradients`: otherwise they are used where they arise, and not kept.
        everywhere: Within `fn.distributed()`, whether it is called on all ranks, not on rank 0 alone. Whatever changes
            the model must be.

    Examples:
        >>> class Told(fn.Callback):
        ...     def on_epoch_end(self, run):
        ...         print(run.epoch, sorted(run.logs)[:2])
        >>> history = model.fit(x, y, callbacks=[Told()])
        1 ['accuracy', 'epoch']
    """

    every: int = 0
    often: bool = False
    last: bool = False
    reads_gradients: bool = False
    everywhere: bool = False
    _checks: ClassVar[Checks] = {
        "every": count,
        **dict.fromkeys(("often", "last", "reads_gradients", "everywhere"), switch),
    }

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name, check in cls._checks.items():
            if name in vars(cls) and not hasattr(vars(cls)[name], "__get__"):
                check(cls.__name__, name, vars(cls)[name])
        for name, method in vars(cls).items():
            if name in FOREIGN_EVENTS:
                raise TypeError(f"{cls.__name__}.{name} would never be called; use {FOREIGN_EVENTS[name]}(self, run)")
            if name.startswith("on_") and callable(method):
                _check_event(cls.__name__, name, method)

    def __repr__(self) -> str:
        return call_of(self)

    def on_train_begin(self, run: Run) -> None:
        """Called once, before the first step.

        Args:
            run: The training.
        """

    def on_train_end(self, run: Run) -> None:
        """Called once, after the last epoch or where the training was stopped.

        Args:
            run: The training.
        """

    def on_epoch_begin(self, run: Run) -> None:
        """Called before the first step of each epoch.

        Args:
            run: The training.
        """

    def on_epoch_end(self, run: Run) -> None:
        """Called after each epoch and its validation: `run.logs` holds its figures.

        Args:
            run: The training.
        """

    def epochs_at_once(self, run: Run) -> int:
        """How many epochs may run in one compiled call, before the callback hears of any of them.

        0, unless overridden: the callback is called before each epoch and after it. With another number,
        `on_epoch_begin` is not called. `on_epoch_end` is called for each epoch with its `run.logs`, but only after all
        of them have run: the model is then that of the last epoch. Only in the call for the last epoch may the
        callback stop the training or change the learning rate.

        Args:
            run: The training.
        """
        return 0

    def on_batch_begin(self, run: Run) -> None:
        """Called before a step, as `every` and `often` say.

        Args:
            run: The training.
        """

    def on_batch_end(self, run: Run) -> None:
        """Called after a step, as `every` and `often` say.

        Args:
            run: The training.
        """

    def bytes_kept(self, run: Run) -> int:
        """The bytes that it will take of memory, where they are many: `run.memory` counts them.

        Args:
            run: The training.
        """
        return 0

    def state_dict(self) -> dict[str, Any]:
        """The state that a checkpoint must keep, so that this callback goes on as if it had not been interrupted."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state that `state_dict` gave.

        Args:
            state: What a checkpoint kept.
        """
