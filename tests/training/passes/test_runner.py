"""A step taken through data: no memory is asked for, gradients are there for who reads them."""

import tracemalloc

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from tests.engine.nets import NETS, compiled
from tests.tiny import jit_only, python, tiny_model, trigrams


def trained_once(batch=8):
    model = tiny_model()
    runner = Runner(compile_train(model.network, model.state, batch, fn.SGD(0.1, momentum=0.5)))
    runner.start(checked_batch(model.network, *trigrams(100_000 if batch == 8 else 400)))
    runner.advance(1, opt_scalars)
    return model, runner


def opt_scalars(steps):
    return np.tile([0.1, 0.5], (steps, 1))


def run(runner, steps):
    """A call of `steps` steps, as `advance` makes it, whatever time they take."""
    runner.step.program[runner.step.inputs.cursor][2] = 0
    runner.step.program.run(steps)


@jit_only
def test_training_steps_allocate_no_python_memory():
    _, runner = trained_once()
    run(runner, 10)
    tracemalloc.start()
    try:
        peaks = []
        for steps in (1, 1000):
            run(runner, steps)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            run(runner, steps)
            now, peak = tracemalloc.get_traced_memory()
            peaks.append(peak - before)
            assert now - before < 1024
    finally:
        tracemalloc.stop()
    assert peaks[1] <= peaks[0] + 1024, "memory grows with the number of steps"
    assert peaks[1] < 4096


@jit_only
def test_training_steps_allocate_no_memory_inside_kernels():
    code = """
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from fastnn_kernels import _tuning
rtsys.initialize(cpu_target.target_context)  # counts, which a process that loads all of its kernels does not ask for
from tests.training.passes.test_runner import trained_once
for threshold in (_tuning.PARALLEL_FROM, 300.0):  # serial, then some parallel twins
    _tuning.PARALLEL_FROM = threshold
    model, runner = trained_once()
    runner.step.program.run(1)
    for steps in (1, 100):
        before = rtsys.get_allocation_stats()
        runner.step.program.run(steps)
        after = rtsys.get_allocation_stats()
        print(after.alloc - before.alloc, after.mi_alloc - before.mi_alloc)
"""
    assert python(code, NUMBA_NRT_STATS="1").split() == ["0"] * 8


STEPS = """
import fastnn as fn
from tests.tiny import fit, tiny_model
model = fit(tiny_model(dtype="float64"), count=20, batch_size=8)
print(*[value.hex() for value in model.parameters["dense.w"].ravel()], *[v.hex() for v in model.history.steps["loss"]])
"""


@jit_only
def test_with_jit_off_the_same_steps_are_taken():
    on, off = ([float.fromhex(value) for value in python(STEPS, NUMBA_DISABLE_JIT=flag).split()] for flag in "01")
    # Not the same bits: only compiled code fuses multiply and add.
    np.testing.assert_allclose(on, off, rtol=1e-12, atol=1e-14)


def test_gradients_of_a_fused_plan_cannot_be_read():
    with pytest.raises(fn.FastnnError, match="set reads_gradients on the callback"):
        _ = compiled().gradients
    assert set(compiled(fused=False).gradients) > {"conv2d.w", "dense.w"}


def test_a_callback_that_reads_gradients_gets_those_of_the_step():
    class Reads(fn.Callback):
        every, reads_gradients = 1, True

        def on_batch_end(self, run):
            norms.append(float(np.abs(run.gradients["dense.w"]).sum()))

    norms = []
    layers, (x, y) = NETS["words"]
    model = fn.Sequential(layers(), input_shape=(3,))
    model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=30, callbacks=[Reads()], verbose=False)
    assert len(norms) == 3
    assert min(norms) > 0
