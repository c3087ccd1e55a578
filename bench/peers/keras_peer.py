"""Training steps in Keras 3 on TensorFlow: a loop of one's own over a Keras model, loss and optimizer.

It is the one of Keras's guide "Writing a training loop from scratch in TensorFlow": a `GradientTape` and the
optimizer in a `tf.function`, which makes one step a call, or many steps in a loop; with XLA or without. (`fit` passes
every batch through `tf.data` and callbacks, which takes longer than a step of most networks here.)
"""

import os

# Read when they are imported. TensorFlow would write to the console which instructions it uses, and that it has no GPU.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numba
import numpy as np

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.system import System

try:
    import keras
    import tensorflow as tf
except ImportError as error:
    raise Absent(f"Keras runs on TensorFlow here: {error}") from None


def layer_of(layer) -> keras.Layer:
    """Keras's layer that does what a fastnn layer does."""
    match layer:
        case fn.Embedding():
            return keras.layers.Embedding(layer.rows, layer.width)
        case fn.Dense():
            return keras.layers.Dense(layer.units, _activation(layer))
        case fn.Conv2D():
            return keras.layers.Conv2D(
                layer.filters, layer.kernel_size, padding=layer.padding, activation=_activation(layer)
            )
        case fn.BatchNorm():
            return keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.eps)
        case fn.MaxPool2D():
            return keras.layers.MaxPooling2D(layer.pool_size)
        case fn.Flatten():
            return keras.layers.Flatten()
    raise Absent(f"not written here: {layer}")


def _activation(layer) -> str | None:
    return None if layer.activation == "identity" else layer.activation


KERAS_NAMES = {"w": "kernel", "b": "bias"}  # gamma and beta are the same


def network(system: System, model: fn.Sequential) -> keras.Sequential:
    """The same network with the same parameters."""
    kind = "int32" if system.ids else "float32"
    layers = [layer_of(layer) for layer in model.layers]
    net = keras.Sequential([keras.Input(system.input_shape, dtype=kind), *layers])
    by_name = dict(zip(model.network.names, layers, strict=True))
    for full, array in model.parameters.items():
        name, _, short = full.rpartition(".")
        owner = by_name[name]
        embedded = isinstance(owner, keras.layers.Embedding)
        (owner.embeddings if embedded else getattr(owner, KERAS_NAMES.get(short, short))).assign(array)
    return net


def optimizer_of(ours) -> keras.optimizers.Optimizer:
    """The same optimizer. Keras adds Adam's eps before it corrects the bias, which moves no digit that is compared."""
    if isinstance(ours, fn.Adam):
        return keras.optimizers.Adam(ours.lr, beta_1=ours.beta1, beta_2=ours.beta2, epsilon=ours.eps)
    return keras.optimizers.SGD(ours.lr, momentum=ours.momentum, nesterov=ours.nesterov)


def loss_function(system: System, net: keras.Sequential):
    """(x, y) -> the loss of a batch, penalty included, as fastnn defines it."""
    reduction = "sum_over_batch_size" if system.loss.reduction == "mean" else "sum"
    regression = isinstance(system.loss, fn.MSE)
    factor = system.loss.scale if regression else 1.0
    names = ("kernel", "embeddings")
    weights = [variable for variable in net.trainable_variables if variable.name in names]
    measure = (
        keras.losses.MeanSquaredError(reduction)
        if regression
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    )

    def loss(x, y):
        total = factor * measure(y, net(x, training=True))
        return total + 0.5 * system.l2 * sum(tf.reduce_sum(tf.square(w)) for w in weights) if system.l2 else total

    return loss


def runner(traits: frozenset[str], system: System, model: fn.Sequential, shuffle: bool) -> Run:
    """run(steps) -> losses; `traits` among "loop", without which each step is a call, and "xla"."""
    _limit_threads()
    net, optimizer = network(system, model), optimizer_of(system.optimizer)
    loss_of, variables = loss_function(system, net), net.trainable_variables
    optimizer.build(variables)
    x, y = map(tf.constant, system.data())

    def step(rows):
        with tf.GradientTape() as tape:
            loss = loss_of(x, y) if system.whole else loss_of(tf.gather(x, rows), tf.gather(y, rows))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def loop(orders):
        losses = tf.TensorArray(tf.float32, len(orders))
        for i in tf.range(len(orders)):
            losses = losses.write(i, step(orders[i]))
        return losses.stack()

    compiled = tf.function(loop if "loop" in traits else step, jit_compile="xla" in traits, reduce_retracing=False)
    order = Order(system, shuffle)

    def run(steps: int) -> np.ndarray:
        orders = tf.constant(order.take(steps))
        if "loop" in traits:
            return compiled(orders).numpy()
        return tf.stack([compiled(rows) for rows in tf.unstack(orders)]).numpy()

    return run


def _limit_threads() -> None:
    """As many threads as kernels take; it can be said once a process, before anything runs."""
    threads = numba.get_num_threads()
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
