"""Which trainings may take a block of steps at once: `fit(steps_per_block=)`, and unasked, where the bits stay.

In a block of steps of one sample by plain SGD, the scores of step t are xₜ·w − Σ lr·(xₜ·xₛ)·dₛ over the steps s before
it in the block, where w is the first weight at the block's beginning and dₛ is the gradient of the scores of step s. So
X·w, X·Xᵀ and the block's update w −= lr·Xᵀ·D are products. What follows the first layer takes its steps one by one.
"""

import math
from collections.abc import Iterator

from fastnn.nn import narrow
from fastnn.nn.layers import Dense
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer
from fastnn.training.steps.scalars import STEPS_PER_CALL

AHEAD = 16  # steps of a run in which each prepares the next: their samples are few beside the weight in the cache
# Numbers in a first weight that is worth it: a small one lies in a near cache, short runs cost more than reading it.
# On one core with AVX-512 steps were .76 times as fast at 256 x 128, as fast at 784 x 128, 1.15 times at 784 x 200.
SMALLEST_AHEAD = 1 << 17


def check(network: Network, optimizer: Optimizer, block: int, batch: int, *, reads_gradients: bool) -> None:
    """ValueError, with every reason, unless the training may take `block` steps at once."""
    if block == 1:
        return
    reasons = list(_reasons(network, optimizer, block, batch))
    if reads_gradients:
        reasons.append("a callback reads gradients, and that of the first weight is not computed")
    if reasons:
        raise ValueError(f"steps_per_block is {block}, but " + "; ".join(reasons))


def steps_ahead(network: Network, optimizer: Optimizer | None) -> int:
    """How many steps of one sample a run of the program takes.

    Each of them also multiplies the first weight with the sample of the next step, while the weight is in the cache.

    1 unless the network is of dense layers in a row, the first of which is large, trained by plain SGD.
    """
    plain = all(type(call.layer) is Dense and call.layer.tied_to is None for call in network.calls)
    if optimizer is None or not plain or not network.graph.is_chain or len(network.input_shape) != 1:
        return 1
    if math.prod(network.parameter_specs[f"{network.names[0]}.w"].shape) < SMALLEST_AHEAD:
        return 1
    return 1 if narrow.is_narrow(network) or any(_reasons(network, optimizer, AHEAD, 1)) else AHEAD


def _reasons(network: Network, optimizer: Optimizer, block: int, batch: int) -> Iterator[str]:
    first, weight = network.calls[0].layer, f"{network.names[0]}.w"
    if block > STEPS_PER_CALL:
        yield f"it may be at most {STEPS_PER_CALL}"
    if batch != 1:
        yield f"a step takes {batch} samples: it is for batch_size=1"
    if weight in network.frozen or not network.graph.is_chain:
        yield "it is for layers in a row, the first of which is trained"
    if weight in network.shared or (isinstance(first, Dense) and weight not in network.parameter_specs):
        yield "the weight of the first layer is tied: another layer uses it in the same step"
    if not isinstance(first, Dense):
        yield f"the first layer is {network.names[0]}: it is for a network that begins with Dense"
    if not optimizer.takes_outer_products:
        yield f"the optimizer is {optimizer!r}: it is for SGD without momentum, clip_norm and clip_value"
    if weight in network.penalties():
        yield f"{weight} has a penalty l1 or l2, which every step would add to it"
    if weight in network.max_norms():
        yield f"{weight} has a max_norm, which every step would apply to it"
