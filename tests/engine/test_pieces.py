"""Pieces of a chain: every operation takes every sample once, in order; those of much memory take few at once."""

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine import pieces
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Axis, Slice
from fastnn.engine.program import Program
from fastnn.engine.schedule import Chain, Task
from tests.tiny import two_threads


def chain_of(*widths, shared=0, batch=40):
    """A chain of copies between rows of these widths, and a product with a weight of `shared` numbers after the first.

    Returns it and its builder.
    """
    build = Builder(batch, "float32")
    arrays = [build.value("x", (width,)) for width in widths]
    for out, x in zip(arrays[1:], arrays, strict=False):
        build.emit(k.relu_forward, out.buffer, x.buffer, out.width)
        if shared and x is arrays[0]:
            weight = np.zeros((shared // 16, 16), np.float32)
            build.emit(k.matmul, build.value("product", (16,)).buffer, out.buffer, weight)
    return Chain(build.samples, build.ops)


def test_small_layers_stay_in_one_piece():
    chain = chain_of(64, 64, 64)
    assert [(len(piece.ops), most) for piece, most in pieces.pieces_of(chain, 40)] == [(2, chain.axis.grain)]


def test_wide_layers_take_as_many_samples_as_fit():
    width = pieces.PIECE_BYTES // 4 // 2 // 3  # of input and output: three samples fit
    ((piece, most),) = pieces.pieces_of(chain_of(width, width, width), 40)
    assert len(piece.ops) == 2
    assert 2 <= most <= 3


def test_large_batches_are_not_cut_into_many_slices():
    batch, width = 20 * pieces.MOST_SLICES, pieces.PIECE_BYTES // 4
    ((_, most),) = pieces.pieces_of(chain_of(width, width, batch=batch), batch)
    assert most == 20


def test_a_large_weight_is_read_for_whole_slices():
    width = pieces.PIECE_BYTES // 4 // 2 // 3
    chain = chain_of(width, width, width, shared=pieces.SHARED_BYTES)
    found = pieces.pieces_of(chain, 40)
    assert [[op.kernel.name for op in piece.ops] for piece, _ in found] == [
        ["relu_forward"],
        ["matmul"],
        ["relu_forward"],
    ]
    assert found[1][1] == chain.axis.grain > found[0][1]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_each_piece_takes_every_sample_once_and_in_order(most):
    whole, part = Chain(Axis(None, 1, 128)), Chain(Axis(None, 1, 128))
    found = list(pieces.in_pieces(Task(whole, 5, 30), [(part, most), (whole, 128)]))
    taken = [i for task in found if task.chain is part for i in range(task.first, task.last)]
    assert taken == list(range(5, 30))
    assert max(task.last - task.first for task in found if task.chain is part) <= most
    assert [(task.first, task.last) for task in found if task.chain is whole] == [(5, 30)]
    assert found[-1].chain is whole


def test_what_comes_next_begins_with_what_was_last():
    whole, part = Chain(Axis(None, 1, 128)), Chain(Axis(None, 1, 128))
    found = list(pieces.in_pieces(Task(whole, 0, 30), [(whole, 10), (part, 15), (whole, 30)]))
    assert [(task.chain is part, task.first, task.last) for task in found] == [
        *((False, 0, 10), (False, 10, 20), (False, 20, 30)),
        *((True, 15, 30), (True, 0, 15)),
        (False, 0, 30),
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_other_phase_begins_with_the_last_samples(workers):
    build = Builder(600, "float32")
    x, y = (build.value("x", (2048,)).buffer for _ in range(2))
    total = np.zeros(2048, np.float32)
    build.emit(k.relu_forward, y, x, 2048)
    build.emit_along(Axis(2048, 16, 2048), k.bias_backward, Slice(total), x, OFFSET)
    build.emit(k.bias_forward, y, total)
    program = Program(build)
    firsts = [
        [[task.first for task in own if task.chain.axis is build.samples] for own in tasks]
        for tasks, _ in program.plan.tasks(600, workers)
    ]
    assert len(firsts) == 2
    assert all(len(of_phase[0]) > 4 for of_phase in firsts)
    assert firsts[0] == [sorted(own) for own in firsts[0]]
    assert firsts[1] == [sorted(own)[::-1] for own in firsts[1]]


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=two_threads)])
def test_pieces_change_no_bit(threads, monkeypatch):
    ends = []
    for size in (1, 10_000, 1 << 40):
        monkeypatch.setattr(pieces, "PIECE_BYTES", size)
        monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
        layers = [fn.Conv2D(16, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten(), fn.Dense(20, "tanh")]
        model = fn.Sequential([*layers, fn.Dense(3)], input_shape=(8, 9, 2), loss="softmax_cross_entropy")
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((50, 8, 9, 2), np.float32), rng.integers(0, 3, 50)
        with fn.threads(threads):
            model.fit(x, y, optimizer=fn.Adam(1e-2), batch_size=20, epochs=2, verbose=False)
        ends.append({name: array.copy() for name, array in model.parameters.items()})
    for name in ends[0]:
        np.testing.assert_array_equal(ends[0][name], ends[2][name])
        np.testing.assert_array_equal(ends[1][name], ends[2][name])
