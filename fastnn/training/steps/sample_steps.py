"""Steps of one sample of a narrow net: a program that takes many of them, with the bits of a program for each.

On one core with AVX-512 a step of the net 2-3-2 takes .13 instead of .63 µs in float64, .11 instead of .53 in float32;
one of 32-32-32-7, which is as wide as narrow nets are, 2.7 instead of 8.1 and 2.6 instead of 5.9. On a Zen 5
`narrow_sgd` takes 84 ns a sample of 2-3-2 in float64, `narrow_sgd_two` 59. The same arithmetic written out for it, with
its weights in registers, takes 55: each sample waits for the last one's weights, through the terms of two exponentials
and two divisions in a row.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import fastnn_kernels as k
from fastnn.engine.program import Program
from fastnn.nn import narrow_sgd
from fastnn.nn.metrics import MeanMetric
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training.history.figures import CORRECT, Figures
from fastnn.training.steps import batch as batches
from fastnn.training.steps.scalars import table_of_scalars
from fastnn.training.steps.step import Step
from fastnn_kernels._tuning import BLOCK

AT_ONCE = BLOCK  # steps of a run: their samples stay in the first cache, and the calls around them cost little


def compile_sample_steps(
    network: Network, state: State, optimizer: Optimizer, shuffle: bool, layered: Callable[[], Step]
) -> Step:
    """A step for one sample; a run of its program takes up to AT_ONCE of them. `narrow_sgd.fits` says for which nets.

    layered  compiles the same step layer by layer
    """
    build, inputs = batches.begin(network, state, AT_ONCE, training=True)
    batches.emit_order(build, inputs, shuffle)
    (x,) = batches.gather_inputs(build, inputs, network)
    (output,) = network.outputs
    labels = build.array("labels", (build.batch,), np.int32, batched=True)
    batches.gather_ids(build, inputs, labels, inputs.y[0], output.width, full_batch=False)
    table = table_of_scalars(build, optimizer, state.parameters)
    judged = narrow_sgd.emit_steps(build, network, state, x, labels, inputs.loss_weight, table)
    build.begin("update")
    written = inputs.losses, inputs.sums, inputs.cursor
    build.emit(k.record_steps, *written, *judged, inputs.sample_weight, inputs.loss_weight)
    return Step(
        Program(build, inputs.bound),
        replace(inputs, scalars=table),
        1,
        network.loss,
        trains=True,
        shuffles=shuffle,
        block=AT_ONCE,
        divisible=True,
        values=build.outputs,
        gradients=state.parameters.like(),
        fused=True,
        figures=Figures({one: CORRECT for one in output.metrics if isinstance(one, MeanMetric)}),
        layered=layered,
    )
