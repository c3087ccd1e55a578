"""Which way a training step takes the layers, by the net, the optimizer and what is asked of the step."""

from dataclasses import replace

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.steps import blocks
from fastnn.training.steps.ways import Request, way_of

NARROW = [fn.Dense(3, "tanh"), fn.Dense(2)]
WIDE = [fn.Dense(70, "tanh"), fn.Dense(2)]
SGD, MOMENTUM = fn.SGD(0.1), fn.SGD(0.1, momentum=0.9)


def request(layers, optimizer=SGD, batch=1, **changes):
    """One that asks for the quickest way."""
    network = fn.Sequential(layers, input_shape=5).network
    state = network.initial_state(np.float32, 0)
    plain = {"shuffle": True, "weighted": False, "fused": True, "full_batch": False, "block": 1, "layered": False}
    return Request(network, state, batch, optimizer, **(plain | changes))


@pytest.fixture(autouse=True)
def small_weights_too(monkeypatch):
    monkeypatch.setattr(blocks, "SMALLEST_AHEAD", 0)


OTHER = {"batch": 2, "weighted": True, "full_batch": True, "layered": True, "fused": False, "optimizer": MOMENTUM}


def test_one_kernel_takes_steps_of_one_sample_of_a_narrow_net():
    assert request(NARROW).is_one_kernel
    assert not request(WIDE).is_one_kernel
    assert not request(NARROW, None).is_one_kernel


@pytest.mark.parametrize("name", OTHER)
def test_one_kernel_takes_no_other_steps(name):
    assert not replace(request(NARROW), **{name: OTHER[name]}).is_one_kernel


@pytest.mark.parametrize("asked", [request(NARROW, batch=2), request(NARROW, None, 9, fused=False, weighted=True)])
def test_one_kernel_takes_all_layers_of_a_narrow_net(asked):
    way = way_of(asked)
    assert way.layout is not None
    assert (way.steps, way.divisible, way.hides_layers) == (1, False, True)
    assert way_of(replace(asked, layered=True)).layout is None


def test_a_wide_layer_is_multiplied_with_the_next_sample():
    way = way_of(request(WIDE))
    assert (way.layout, way.steps, way.divisible, way.hides_layers) == (None, blocks.AHEAD, True, True)
    assert type(way.network.calls[0].layer).__name__ == "AheadDense"


@pytest.mark.parametrize("name", OTHER)
def test_all_other_steps_of_a_wide_net_go_layer_by_layer(name):
    asked = replace(request(WIDE), **{name: OTHER[name]})
    way = way_of(asked)
    assert (way.layout, way.steps, way.divisible, way.hides_layers) == (None, 1, False, False)
    assert way.network is asked.network


@pytest.mark.parametrize("layers", [NARROW, WIDE])
def test_a_block_is_taken_where_it_is_asked_for(layers):
    way = way_of(request(layers, block=8))
    assert (way.layout, way.steps, way.divisible, way.hides_layers) == (None, 8, False, False)
    assert type(way.network.calls[0].layer).__name__ == "BlockedDense"
