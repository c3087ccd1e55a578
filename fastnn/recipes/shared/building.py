"""Helpers of several recipes: optimizers and initialisers by name, lists of layer sizes, pixels for networks."""

from collections.abc import Callable
from typing import Any

from fastnn.data import Dataset
from fastnn.data.preprocessing import Pixels
from fastnn.language.network import WARMUP
from fastnn.nn.initializers import INITIALIZERS, Initializer, InitializerName, Normal, TruncatedNormal, get
from fastnn.nn.layers import BatchNorm, Dense, Dropout, Layer, LayerNorm
from fastnn.nn.layers.activation import KERNELS, ActivationName
from fastnn.nn.optimizers import OPTIMIZERS, Optimizer
from fastnn.nn.schedules import CosineDecay, ExponentialDecay, Schedule

# The choices of flags come from the library's own tables, so a name that is added there can be chosen here.
OPTIMIZER_NAMES = tuple(OPTIMIZERS)
ACTIVATION_NAMES = (*KERNELS, "identity")
INITIALIZER_NAMES = tuple(sorted(INITIALIZERS))
NORM_NAMES = ("none", "batch", "layer")


def optimizer_of(settings: Any) -> Optimizer:
    """The optimizer that the settings name; sgd if they name none.

    It takes `lr` and, where the settings have them, `decay` of the rate, `momentum` (sgd) and `accumulator` (adagrad).
    """
    lr: float | Schedule = settings.lr
    if (decay := getattr(settings, "decay", 1.0)) != 1.0:
        lr = ExponentialDecay(settings.lr, decay)
    name = getattr(settings, "optimizer", "sgd")
    own: dict[str, Any] = {}
    if name == "sgd":
        own = {"momentum": getattr(settings, "momentum", 0.0)}
    elif name == "adagrad" and hasattr(settings, "accumulator"):
        own = {"initial_accumulator_value": settings.accumulator}
    return OPTIMIZERS[name](lr, **own)


def cosine_of(settings: Any, data: Dataset) -> CosineDecay:
    """The learning rate from 0 up to `lr` in a twentieth of the training's steps, then down to 0."""
    samples = min(settings.samples or len(data.train), len(data.train))
    steps = settings.epochs * -(-samples // settings.batch_size)
    return CosineDecay(settings.lr, max(steps, 1), warmup=steps // WARMUP)


def initializer_of(name: InitializerName, std: float) -> Initializer:
    """The initialiser called `name`; the normal and the truncated normal one have the deviation `std`."""
    wide: dict[str, Callable[[float], Initializer]] = {"normal": Normal, "truncated_normal": TruncatedNormal}
    return wide[name](std) if name in wide else get(name)


def sizes_of(text: str, flag: str, what: str = "units of each hidden layer") -> list[int]:
    """Sizes of layers from a text such as 100,50, or 100x2 for two equal layers; ValueError for any other text.

    flag, what : the flag's name and the numbers that it expects, for the message.
    """
    sizes: list[int] = []
    try:
        for part in text.split(","):
            units, _, times = part.partition("x")
            sizes += [int(units)] * int(times or 1)
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise ValueError(f"--{flag} is {text!r}, expected {what}: 100,50 or, for equal ones, 100x4")
    return sizes


def hidden_layers(
    sizes: list[int],
    activation: ActivationName,
    start: Initializer,
    *,
    bias: InitializerName | Initializer = "zeros",
    norm: str = "none",
    dropout: float = 0.0,
) -> list[Layer]:
    """Dense layers, each followed by a normalisation and by dropout where `norm` and `dropout` ask for them."""
    layers: list[Layer] = []
    for units in sizes:
        layers.append(Dense(units, activation, start, bias))
        if norm != "none":
            layers.append(BatchNorm() if norm == "batch" else LayerNorm())
        if dropout:
            layers.append(Dropout(rate=dropout))
    return layers


def pixels(**described: Any) -> Callable[[Dataset], Pixels]:
    """A recipe's `preprocessing` of pictures (N, H, W) or (N, H, W, C): `fn.Pixels` of the shape that they have."""
    return lambda data: Pixels(data.train.x.shape[1:], **described)


def classes_of(data: Dataset) -> list[str]:
    """The names of the classes, by label."""
    return [str(name) for name in data.meta["classes"]]
