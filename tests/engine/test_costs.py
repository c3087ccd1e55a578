"""What an operation is thought to cost, by which threads share it or do not."""

from types import SimpleNamespace

import numpy as np

from fastnn.engine.costs import CACHED_BYTES, MEMORY_BYTE, cost_of
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Op
from fastnn_kernels._tuning import SERIAL_ELEMENT

FLOAT = np.dtype(np.float32)
BATCHED, FIXED, SOURCE = Buffer("x", (4, 16), FLOAT, batched=True), Buffer("w", (3, 16), FLOAT), Buffer("s", (), FLOAT)


def cost(*operands, work=None, outputs=1):
    """Of an operation on (operand as emitted, array that its kernel takes)."""
    given, arrays = zip(*operands, strict=True)
    op = Op(SimpleNamespace(work=work, outputs=outputs), given, "layer")
    return cost_of(op, arrays, lambda operand: operand is SOURCE)


def test_without_an_estimate_the_largest_output_or_array_of_the_batch_counts():
    small, large, huge = np.zeros((2, 16), FLOAT), np.zeros((4, 16), FLOAT), np.zeros(900, FLOAT)
    assert cost((FIXED, small), (BATCHED, large), (7, 7)) == SERIAL_ELEMENT * 64
    assert cost((FIXED, large), (BATCHED, small)) == SERIAL_ELEMENT * 64
    assert cost((FIXED, small), (FIXED, large)) == SERIAL_ELEMENT * 32, "what is only read, for all samples at once"
    assert cost((FIXED, small), (FIXED, large), outputs=2) == SERIAL_ELEMENT * 64
    assert cost((SOURCE, huge), (BATCHED, small)) == SERIAL_ELEMENT * 32, "of a record of all steps it writes one"
    assert cost((BATCHED, np.zeros(900, np.uint8))) == SERIAL_ELEMENT, "a mask of bits"


def test_a_kernel_s_own_estimate_unless_memory_takes_longer():
    def work(out, x, n):
        return 10.0 * n

    out = np.zeros((4, 16), FLOAT)
    assert cost((BATCHED, out), (BATCHED, out), (7, 7), work=work) == 70
    large = np.zeros(CACHED_BYTES // 8 + 1, FLOAT)  # two of them are more than a cache holds
    assert cost((BATCHED, large), (FIXED, large), (7, 7), work=work) == 70
    assert cost((BATCHED, large), (BATCHED, large), (7, 7), work=work) == MEMORY_BYTE * 2 * large.nbytes
