"""The comparisons of the sheet of CIFAR-10."""

from fastnn.common.text import setting_text
from fastnn.experiment.comparison import Comparison
from fastnn.recipes.cifar10_mlp.sentences import (
    FIRST_SCALES,
    adagrad_told,
    baseline_told,
    depth_told,
    dropout_told,
    overfit_told,
    sizes_told,
    two_told,
)

SCALES = (0.01, 0.02, 0.005)
RATES = (1e-5, 5e-4, 1e-5)  # the report's third column repeats its first; here it has another seed

_SGD = {"optimizer": "sgd", "momentum": 0.0}
_FOUR_THOUSAND = {"samples": 4_000, "epochs": 5, "batch_size": 100, "weight_scale": 0.05}
_FIVE_LAYERS = _FOUR_THOUSAND | _SGD | {"hidden": "100x5", "lr": 1e-2}
_FOUR_LAYERS = _FOUR_THOUSAND | {"hidden": "100x4"}
_OVERFIT = {"samples": 50, "batch_size": 25, "epochs": 20, "weight_scale": 0.1, "keep": "last"} | _SGD
_DEPTHS = {"three-layer": {"hidden": "100x2", "lr": 1e-3}, "five-layer": {"hidden": "100x4", "lr": 2e-3}}
_DROPOUT = {"samples": 500, "weight_scale": 0.01, "optimizer": "adam", "lr": 5e-4, "batch_size": 100, "epochs": 25}
_KEEPS = {"none": 0.0, "keep 0.5": 0.5, "keep 0.25": 0.75}


COMPARISONS = (
    Comparison(
        "overfit",
        "Can the net learn 50 pictures by heart in 20 epochs of plain SGD?",
        # Two of the runs of `depth`, by the names that they have there.
        {f"{depth}, scale 0.1": _OVERFIT | settings for depth, settings in _DEPTHS.items()},
        "own",
        report="Both nets have all 50 right after 20 epochs.",
        quick="whole",
        told=overfit_told,
    ),
    Comparison(
        "depth",
        "Which is more sensitive to the scale of its first weights: a net of three layers or one of five?",
        {
            f"{depth}, scale {setting_text(scale)}": _OVERFIT | settings | {"weight_scale": scale}
            for depth, settings in _DEPTHS.items()
            for scale in FIRST_SCALES
        },
        "own",
        quick="whole",
        told=depth_told,
    ),
    Comparison(
        "baseline",
        "How far does one hidden layer come with plain SGD?",
        {
            "100, l2 0.2": _SGD
            | {"hidden": "100", "l2": 0.2, "lr": 1e-3, "decay": 0.95, "epochs": 10, "initializer": "normal"}
            | {"weight_scale": 1e-3}
        },
        "own",
        report="About 60 % in training and 50 % in validation after 10 epochs.",
        quick="whole",
        told=baseline_told,
    ),
    Comparison(
        "momentum",
        "Does momentum make SGD faster?",
        {"sgd, 100x5": _FIVE_LAYERS, "momentum 0.9, 100x5": _FIVE_LAYERS | {"momentum": 0.9}},
        "own",
        report="Momentum is clearly ahead.",
        quick="whole",
        told=two_told,
    ),
    Comparison(
        "adaptive",
        "Which is faster, RMSProp or Adam?",
        {
            "rmsprop, 100x4": _FOUR_LAYERS | {"optimizer": "rmsprop", "lr": 1e-4},
            "adam, 100x4": _FOUR_LAYERS | {"optimizer": "adam", "lr": 1e-3},
        },
        "own",
        report="They are nearly the same, and both ahead of SGD.",
        quick="whole",
        told=two_told,
    ),
    Comparison(
        "adagrad",
        "Why does AdaGrad slow down?",
        {
            "adagrad, 100x4": _FOUR_LAYERS | {"optimizer": "adagrad", "lr": 1e-3},
            "rmsprop, 100x4": _FOUR_LAYERS | {"optimizer": "rmsprop", "lr": 1e-4},
        },
        "own",
        quick="whole",
        told=adagrad_told,
    ),
    Comparison(
        "cells",
        "Which weight scale and which learning rate are best?",
        {
            f"scale {setting_text(scale)}, lr {setting_text(rate)}, run {number}": {
                "weight_scale": scale,
                "lr": rate,
                "seed": number // 3,
            }
            for scale in SCALES
            for number, rate in enumerate(RATES, 1)
        },
        "own",
        report="Scale 0.02 with rate 0.0005 is best, 0.515 in validation.",
        quick="none",
    ),
    Comparison(
        "dropout",
        "What does dropout do on 500 pictures?",
        {name: _DROPOUT | {"hidden": "500", "dropout": _KEEPS[name]} for name in ("none", "keep 0.25")},
        "own",
        report="Training accuracy is lower with dropout, validation accuracy higher.",
        quick="whole",
        told=dropout_told,
    ),
    Comparison(
        "dropout-sizes",
        "How much dropout suits smaller layers?",
        {
            f"{units} units, {name}": _DROPOUT | {"hidden": str(units), "dropout": rate}
            for units in (100, 25)
            for name, rate in _KEEPS.items()
        },
        "own",
        quick="whole",
        told=sizes_told,
    ),
)
