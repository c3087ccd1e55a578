"""The memory of gradients that are used where they arise, known before the first run."""

import pytest

from fastnn.engine.footprint import bytes_of_transients
from tests.engine.nets import compiled


@pytest.mark.parametrize("optimizer", ["momentum", "clipped"])
@pytest.mark.parametrize("net", ["words", "images"])
def test_on_one_thread_each_gradient_is_there_once(net, optimizer):
    step = compiled(net, optimizer).step
    assert bytes_of_transients(step.program, {37}, 1) == step.gradients.nbytes > 0
    assert bytes_of_transients(step.program, {37, 16}, 1) == step.gradients.nbytes, "in batches of any size"
    kept = compiled(net, optimizer, fused=False).step
    assert bytes_of_transients(kept.program, {37}, 1) == 0, "gradients that are kept are none of them"
