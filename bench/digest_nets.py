"""Small nets that together use most layers, their data and optimizers: what `bench.digests` trains."""

from collections.abc import Callable

import numpy as np

import fastnn as fn

SAMPLES = 230  # no multiple of a batch: the last one is shorter
rng = np.random.default_rng(7)
WORDS = rng.integers(0, 50, (SAMPLES, 3)), rng.integers(0, 50, SAMPLES)
POINTS = rng.normal(size=(SAMPLES, 20)), rng.integers(0, 4, SAMPLES)
VALUES = rng.normal(size=(SAMPLES, 20)), rng.normal(size=(SAMPLES, 3))
CHANCES = rng.normal(size=(SAMPLES, 20)), rng.random(size=(SAMPLES, 3))
IMAGES = rng.integers(0, 256, (SAMPLES, 9, 10, 2)).astype(np.uint8), rng.integers(0, 5, SAMPLES)
IMAGES = IMAGES[0] / 255, IMAGES[1]


def words(**options):
    """The trigram net in small."""
    layers = [fn.Embedding(50, 8, l2=options.pop("table_l2", 0.0)), fn.Flatten(), fn.Dense(70, "sigmoid"), fn.Dense(50)]
    return fn.Sequential(layers, input_shape=(3,), **options), WORDS


def summed(**options):
    """Embeddings added up."""
    layers = [fn.Embedding(50, 16), fn.Sum(), fn.LayerNorm(), fn.Dense(40, "gelu"), fn.Dense(50)]
    return fn.Sequential(layers, input_shape=(3,), **options), WORDS


def deep(loss="softmax_cross_entropy", data=POINTS, outputs=4, **options):
    """Every activation, normalisation and dropout."""
    kinds = ("relu", "leaky_relu", "tanh", "sigmoid", "softplus", "elu", "gelu", "silu")
    layers = [layer for i, kind in enumerate(kinds) for layer in (fn.Dense(17 + 5 * i, kind), *AFTER[i % 3])]
    return fn.Sequential([*layers, fn.Dense(outputs)], input_shape=(20,), loss=loss, **options), data


AFTER = ((fn.BatchNorm(),), (fn.LayerNorm(), fn.Dropout(rate=0.2)), ())


def images(**options):
    """Convolutions of both strides and paddings, pooling, channels' normalisation, bounded norms."""
    layers = [
        fn.Conv2D(17, 3, "relu"),
        fn.BatchNorm(momentum=0.9),
        fn.MaxPool2D(2),
        fn.Conv2D(6, (3, 2), "tanh", stride=2, max_norm=0.7),
        fn.Conv2D(5, 2, "elu", padding="valid", use_bias=False),
        fn.Flatten(),
        fn.Dropout(keep=0.7),
        fn.Dense(33, "silu", max_norm=1.0),
        fn.Dense(5),
    ]
    return fn.Sequential(layers, input_shape=(9, 10, 2), **options), IMAGES


OPTIMIZERS: dict[str, Callable] = {
    "sgd": lambda: fn.SGD(0.1),
    "momentum": lambda: fn.SGD(0.1, momentum=0.9, clip_value=0.05),
    "nesterov": lambda: fn.SGD(fn.ExponentialDecay(0.1, 0.99), momentum=0.9, nesterov=True),
    "rmsprop": lambda: fn.RMSProp(fn.StepDecay(0.01, 0.5, 2)),
    "adagrad": lambda: fn.AdaGrad(0.1, initial_accumulator_value=0.1),
    "adam": lambda: fn.Adam(0.01, clip_norm=0.5),
    "adamw": lambda: fn.AdamW(fn.CosineDecay(0.01, 30)),
}
NETS = {
    "words": words,
    "words l1 l2": lambda **o: words(l1=1e-3, l2=1e-2, table_l2=0.1, **o),
    "words float64": lambda **o: words(dtype="float64", **o),
    "summed": summed,
    "deep": deep,
    "deep sum": lambda **o: deep(fn.SoftmaxCrossEntropy("sum", label_smoothing=0.1), **o, l2=1e-3),
    "deep binary": lambda **o: deep("binary_cross_entropy", CHANCES, 3, **o),
    "deep mse": lambda **o: deep(fn.MSE(scale=0.5), VALUES, 3, **o, dtype="float64"),
    "deep mae": lambda **o: deep("mae", VALUES, 3, **o),
    "deep huber": lambda **o: deep(fn.Huber(delta=0.7), VALUES, 3, **o, l1=1e-4),
    "images": images,
    "images l2": lambda **o: images(l2=1e-2, **o),
}
