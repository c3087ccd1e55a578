"""Nets as users build them: each can be built, and its data are what it is trained on."""

from dataclasses import replace

import numpy as np
import pytest

import fastnn as fn
from bench.nets import COMPARED, NETS
from bench.systems import fastnn_runner

SMALL = [one for one in NETS if one.id.startswith("8-64-64-1, Huber, batch")]


def test_no_name_stands_twice():
    assert len({one.id for one in NETS}) == len(NETS)


@pytest.mark.parametrize("one", NETS, ids=lambda one: one.id)
def test_data_are_those_of_the_net(one):
    few = replace(one, samples=8)
    model, (x, y) = few.model(), few.data()
    assert x.shape == (8, *model.network.input_shape)
    chunk = model.expected.checked_input(0, x, "x"), model.expected.checked_target(0, y, "y")
    assert [len(array) for array in chunk] == [8, 8]
    assert one.samples % one.batch == 0


def test_what_is_compared_drops_nothing():
    one = next(one for one in NETS if any(isinstance(layer, fn.Dropout) for layer in one.layers))
    same = COMPARED[one.id]
    assert [layer.kept for layer in same.layers if isinstance(layer, fn.Dropout)] == [1.0, 1.0]
    assert same.model().dtype == np.float64
    assert list(same.model().parameters) == list(one.model().parameters)


@pytest.mark.parametrize("one", SMALL, ids=lambda one: one.id)
def test_losses_are_those_of_pytorch(one):
    pytest.importorskip("torch")
    from bench.peers import torch_module

    same = COMPARED[one.id]
    _, run = fastnn_runner(same, shuffle=False)
    theirs = torch_module.runner(frozenset({"not fused"}), same, same.model(), shuffle=False)
    np.testing.assert_allclose(run(same.checked), [float(loss) for loss in theirs(same.checked)], rtol=same.rtol)
