"""What is recorded of a step, of an epoch and of a training.

- `figures`: which sums a step records; `step_log`: the losses and figures of the steps of an epoch
- `history`: the record of a training, of every epoch and step; `display`: how a person sees it
"""

from fastnn.training.history.history import History

__all__ = ["History"]
