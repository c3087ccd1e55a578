"""How large gradients are, step by step."""

from array import array

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.step_recorder import StepRecorder, steps_so_far


class GradientNorms(StepRecorder):
    """Puts the Frobenius norm of each parameter's gradient into `history.steps`, every `every` steps of an epoch.

    history.steps["norm dense.w"] are the norms, one for each recorded step, of the gradient that the update used: with
    penalties, and clipped if the optimizer clips. history.steps["norm step"] says which steps these were, from 1,
    counted as history.steps["loss"] counts.

    An epoch of fewer than `every` steps is recorded once, at its end. every=1 runs each step as a call of its own,
    which makes small networks slower.

    Args:
        every: Steps between two records within an epoch.

    Raises:
        ValueError: If `every` is below 1.

    Examples:
        >>> history = model.fit(x, y, batch_size=10, callbacks=[fn.GradientNorms()])
        >>> len(history.steps["norm dense.w"])
        3
    """

    reads_gradients = True

    def __init__(self, every: int = 1):
        super().__init__(every)

    def record(self, run: Run) -> None:
        # Looked up each time: a checkpoint that training resumes from brings arrays of its own.
        steps = run.history.steps
        steps.setdefault("norm step", array("d")).append(steps_so_far(run))
        for name, gradient in run.gradients.items():
            steps.setdefault(f"norm {name}", array("d")).append(_norm(gradient))


@ieee  # a norm that overflows is inf, which says enough
def _norm(gradient: np.ndarray) -> float:
    # NumPy's norm is a call of BLAS, whose threads wait for a core that the training's threads hold.
    return float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
