"""Values that one piece alone uses: few rows that are written again and again, and the figures stay what they are."""

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine import local_rows, pieces
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Slice
from fastnn.engine.schedule import Chain, Task
from fastnn.training.steps.compile import compile_evaluate, compile_train
from tests.tiny import jit_only, two_threads


def copies(build, count):
    """So many copies of rows of 16 numbers, one of the other: the buffers."""
    found = [build.value("x", (16,)).buffer]
    for _ in range(count):
        found.append(build.value("x", (16,)).buffer)
        build.emit(k.relu_forward, found[-1], found[-2], 16)
    return found


def test_a_buffer_is_local_if_one_piece_uses_it():
    build = Builder(8, "float32")
    a, b, c, d = copies(build, 3)
    first, second = Chain(build.samples, build.ops[:2]), Chain(build.samples, build.ops[2:])
    assert local_rows.local_buffers([a, b, c, d], [first, second, first]) == {a: first, b: first, d: second}
    assert local_rows.local_buffers([b], [first, second]) == {b: first}


def test_a_buffer_that_is_read_otherwise_is_not_local():
    build = Builder(8, "float32")
    a, b = copies(build, 1)
    total = build.array("total", (16,))
    build.emit(k.bias_backward, total, b, 0)
    by_samples, whole = Chain(build.samples, build.ops[:1]), Chain(None, build.ops[1:])
    assert local_rows.local_buffers([a, b, total], [by_samples, whole]) == {a: by_samples}
    part = Chain(build.samples, [build.ops[0]._replace(operands=(b, Slice(a), 16))])
    assert local_rows.local_buffers([a], [part]) == {}


def test_a_worker_has_rows_for_its_largest_task():
    buffer, steps = Buffer("x", (60, 16), np.dtype("f4"), True), Buffer("y", (180, 4), np.dtype("f8"), True, rows=3)
    chain, other = Chain(Builder(60, "float32").samples), Chain(None)
    tasks = [Task(chain, 0, 7), Task(chain, 7, 15), Task(other, 0, 0), Task(chain, 15, 22)]
    rows = local_rows.local_rows(tasks, {buffer: chain, steps: chain})
    assert {key: array.shape for key, array in rows.items()} == {
        (id(buffer), 7): (7, 16),
        (id(buffer), 8): (8, 16),
        (id(steps), 7): (21, 4),
        (id(steps), 8): (24, 4),
    }
    assert np.shares_memory(rows[id(buffer), 7], rows[id(buffer), 8])
    assert all(array.dtype == (buffer if key[0] == id(buffer) else steps).dtype for key, array in rows.items())
    assert local_rows.local_rows(tasks[:1], {buffer: chain}) == {}


@jit_only
@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=two_threads)])
@pytest.mark.parametrize("metrics", [[], ["r2", "mae"]])
def test_evaluations_in_pieces_have_the_same_bits(threads, metrics, monkeypatch):
    monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((90, 8, 9, 2), np.float32), rng.standard_normal((90, 3), np.float32)
    figures = []
    for size in (10_000, 1 << 40):
        monkeypatch.setattr(pieces, "PIECE_BYTES", size)
        layers = [fn.Conv2D(16, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten(), fn.LayerNorm()]
        model = fn.Sequential([*layers, fn.Dense(3)], input_shape=(8, 9, 2), loss="mse", metrics=metrics)
        with fn.threads(threads):
            figures.append(model.evaluate(x, y))
    assert figures[0] == figures[1]


IMAGES = [fn.Conv2D(16, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Conv2D(8, 3, "gelu"), fn.AveragePool2D(2)]
TRAINED = {
    "images": ([*IMAGES, fn.Flatten(), fn.Dropout(0.3), fn.Dense(20, "elu"), fn.Dense(3)], (8, 9, 2)),
    "dense": ([fn.Dense(40, "tanh"), fn.LayerNorm(), fn.Dense(30, "silu"), fn.Dense(3, "sigmoid")], (25,)),
    "sequences": ([fn.GRU(20, return_sequences=True), fn.LSTM(9), fn.Dense(3)], (7, 5)),
    "narrow": ([fn.Dense(5, "tanh"), fn.Dense(3)], (4,)),
}


@jit_only
@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=two_threads)])
@pytest.mark.parametrize("batch_size", [90, None])
@pytest.mark.parametrize("net", TRAINED)
def test_trainings_in_pieces_have_the_same_bits(net, batch_size, threads, monkeypatch):
    """Also of all samples at once, which are gathered before the first step."""
    monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
    layers, shape = TRAINED[net]
    rng, states = np.random.default_rng(0), []
    x, y = rng.standard_normal((200, *shape), np.float32), rng.standard_normal((200, 3), np.float32)
    for size, samples in ((10_000, 16), (1 << 40, 1 << 20)):
        monkeypatch.setattr(pieces, "PIECE_BYTES", size)
        monkeypatch.setattr("fastnn.engine.builder.SAMPLES_AT_ONCE", samples)
        model = fn.Sequential(layers, input_shape=shape, loss="mse", seed=1)
        with fn.threads(threads):
            model.fit(x, y, optimizer="adam", batch_size=batch_size, epochs=3, verbose=False)
        states.append(np.concatenate([model.parameters.flat, model.history.steps["loss"]]))
    np.testing.assert_array_equal(states[0], states[1])


@jit_only
def test_a_training_keeps_few_rows_of_what_only_its_forward_pass_reads(monkeypatch):
    """Scores before a ReLU, and not outputs of layers, which callbacks may read."""
    monkeypatch.setattr("fastnn.engine.builder.SAMPLES_AT_ONCE", 16)
    model = fn.Sequential([fn.Dense(40, "relu"), fn.Dense(3)], input_shape=25, loss="mse")
    program = compile_train(model.network, model.state, 64, fn.SGD(0.1)).program
    own = {key for phase in program.plan.entries(64, 1) for one in phase for entry in one for key in entry.own}
    local = [(op.owner, buffer.name) for op in program.ops for buffer in op.operands[:1] if (id(buffer), 16) in own]
    assert ("dense", "scores") in local
    assert not {("dense", "relu"), ("dense_1", "scores")}.intersection(local)


@jit_only
def test_an_evaluation_of_images_keeps_few_rows(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 10_000)
    layers = [fn.Conv2D(16, 3, "relu"), fn.MaxPool2D(2), fn.Flatten(), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=(8, 9, 2), loss="mse")
    program = compile_evaluate(model.network, model.state, 64).program
    own = [entry.own for phase in program.plan.entries(64, 1) for one in phase for entry in one]
    shapes = {array.shape for one in own for array in one.values()}
    assert (1, 8 * 9 * 16) in shapes
    assert (64, 8 * 9 * 16) not in shapes
