"""The callback protocol."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastnn.training.loop import Run


class Callback:
    """Base of all callbacks: override what you need. `run` is described at `fastnn.training.loop.Run`.

    every   call the batch methods every so many steps (and so end compiled calls there); 0: never
    last    called after the callbacks that are not: it sees, and may save, the state they have reached
    reads_gradients  whether it reads `run.plan.gradients`: otherwise gradients are used up where they arise
    skips_epochs  whether it does without some epochs: tiny nets train many full-batch epochs in one compiled call
    often   call them after every compiled call, that is, several times a second, at no fixed step
    """

    every: int = 0
    last: bool = False
    often: bool = False
    skips_epochs: bool = False
    reads_gradients: bool = False

    def on_train_begin(self, run: "Run") -> None: ...

    def on_train_end(self, run: "Run") -> None: ...

    def on_epoch_begin(self, run: "Run") -> None: ...

    def on_epoch_end(self, run: "Run") -> None: ...

    def on_batch_begin(self, run: "Run") -> None: ...

    def on_batch_end(self, run: "Run") -> None: ...

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep for this callback to go on as if never interrupted."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...
