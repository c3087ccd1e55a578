"""Which operations use the same memory, found by comparing all with all: what the scheduler must agree with."""

import numpy as np

from fastnn.engine.memory import Buffer
from fastnn.engine.ops import array_of, is_array


def overlap(a, b):
    """Whether two arrays or buffers share memory."""
    if isinstance(a, Buffer) or isinstance(b, Buffer):
        return a is b
    return a.nbytes > 0 and b.nbytes > 0 and np.may_share_memory(a, b)


def conflicts(op, before):
    """The pairs of operands that share memory, where one of the two is written."""
    for i, a in enumerate(op.operands):
        for j, b in enumerate(before.operands):
            written = i < op.kernel.outputs or j < before.kernel.outputs
            if written and is_array(a) and is_array(b) and overlap(array_of(a), array_of(b)):
                yield a, b
