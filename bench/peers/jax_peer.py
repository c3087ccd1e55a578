"""Training steps in JAX: one jitted step called from Python, and a whole run of steps in one jitted scan.

Parameters, optimizer state and the step's number are one pytree, whose memory each call gives away and gets back.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.system import System

ACTIVATIONS = {"identity": lambda x: x, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}


def apply(layer, p: dict, x):
    """The output of a fastnn layer in training for a batch x, with parameters p."""
    match layer:
        case fn.Embedding():
            return p["w"][x]
        case fn.Dense():
            return ACTIVATIONS[layer.activation](x @ p["w"] + p["b"])
        case fn.Conv2D():
            order = ("NHWC", "HWIO", "NHWC")
            scores = lax.conv_general_dilated(x, p["w"], (1, 1), layer.padding.upper(), dimension_numbers=order)
            return ACTIVATIONS[layer.activation](scores + p["b"])
        case fn.BatchNorm():
            mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
            return p["gamma"] * (x - mean) * lax.rsqrt(var + layer.eps) + p["beta"]
        case fn.MaxPool2D():
            return largest_of_squares(x, layer.pool_size)
        case fn.Flatten():
            return x.reshape(len(x), -1)
    raise Absent(f"not written here: {layer}")


def largest_of_squares(x, size: int):
    """Pooling as a maximum over axes: its gradient is faster than that of a windowed reduction on a CPU
    (with which a step of mnist-cnn took 1.6 times as long).

    It shares the gradient among equals, which are zeros of a relu here: their gradient ends there.
    """
    N, H, W, C = x.shape
    return x.reshape(N, H // size, size, W // size, size, C).max((2, 4))


def loss_function(system: System, model: fn.Sequential):
    """(parameters, x, y) -> the loss of a batch, penalty included, as fastnn defines it."""
    layers = tuple(zip(model.network.names, model.layers, strict=True))
    reduce = jnp.mean if system.loss.reduction == "mean" else jnp.sum

    def loss(parameters, x, y):
        for name, layer in layers:
            x = apply(layer, parameters.get(name, {}), x)
        if isinstance(system.loss, fn.MSE):
            total = system.loss.scale * reduce(jnp.square(x - y).mean(1))
        else:
            own = jnp.take_along_axis(x, y[:, None], 1)[:, 0]
            total = reduce(jax.nn.logsumexp(x, 1) - own)
        squares = (jnp.square(p["w"]).sum() for p in parameters.values() if "w" in p)
        return total + 0.5 * system.l2 * sum(squares) if system.l2 else total

    return loss


def start(system: System, model: fn.Sequential) -> dict:
    """The pytree at the start: {"parameters": {layer: {name: array}}, "m": ..., "v": ..., "steps": 0}."""
    parameters: dict = {}
    for full, array in model.parameters.items():
        layer, _, name = full.rpartition(".")
        parameters.setdefault(layer, {})[name] = jnp.array(array)
    zeros = functools.partial(jax.tree.map, jnp.zeros_like, parameters)
    moments = {"m": zeros(), "v": zeros()} if isinstance(system.optimizer, fn.Adam) else {}
    momentum = {"m": zeros()} if getattr(system.optimizer, "momentum", 0) else {}
    return {"parameters": parameters, "steps": jnp.zeros((), jnp.float32)} | moments | momentum


def updated(optimizer, state: dict, gradients: dict) -> dict:
    """The pytree after a step of SGD, with or without momentum, or Adam."""
    if isinstance(optimizer, fn.Adam):
        return _adam(optimizer, state, gradients)
    if "m" not in state:
        step = jax.tree.map(lambda g: -optimizer.lr * g, gradients)
        return state | {"parameters": jax.tree.map(jnp.add, state["parameters"], step)}
    m = jax.tree.map(lambda m, g: optimizer.momentum * m - optimizer.lr * g, state["m"], gradients)
    return state | {"parameters": jax.tree.map(jnp.add, state["parameters"], m), "m": m}


def _adam(optimizer, state: dict, gradients: dict) -> dict:
    b1, b2, steps = optimizer.beta1, optimizer.beta2, state["steps"] + 1
    lr, root = optimizer.lr / (1 - b1**steps), lax.rsqrt(1 - b2**steps)
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["m"], gradients)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state["v"], gradients)
    w = jax.tree.map(lambda w, m, v: w - lr * m / (jnp.sqrt(v) * root + optimizer.eps), state["parameters"], m, v)
    return {"parameters": w, "m": m, "v": v, "steps": steps}


UNROLLED = 8  # how many steps of a scan become one pass of its loop


def runner(traits: frozenset[str], system: System, model: fn.Sequential, shuffle: bool) -> Run:
    """run(steps) -> losses, on the device; `traits` among "scan", without which each step is a call, and "unrolled"."""
    x, y = map(jnp.array, system.data())
    loss_and_gradients = jax.value_and_grad(loss_function(system, model))

    def step(state, rows, x, y):
        batch = (x, y) if system.whole else (x[rows], y[rows])
        loss, gradients = loss_and_gradients(state["parameters"], *batch)
        return updated(system.optimizer, state, gradients), loss

    def scan(state, orders, x, y):
        unroll = UNROLLED if "unrolled" in traits else 1
        return lax.scan(lambda state, rows: step(state, rows, x, y), state, orders, unroll=unroll)

    drive = _at_once if "scan" in traits else _one_by_one
    compiled = jax.jit(scan if "scan" in traits else step, donate_argnums=0)
    order, state = Order(system, shuffle), start(system, model)

    def run(steps: int):
        nonlocal state
        state, losses = drive(compiled, state, order.take(steps), x, y)
        return jax.block_until_ready(losses)

    return run


def _one_by_one(step, state, orders: np.ndarray, x, y):
    losses = []
    for rows in orders if orders.size else [None] * len(orders):
        state, loss = step(state, rows, x, y)
        losses.append(loss)
    return state, losses


def _at_once(scan, state, orders: np.ndarray, x, y):
    return scan(state, orders, x, y)
