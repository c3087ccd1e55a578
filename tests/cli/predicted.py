"""Models of each kind, and what `fastnn predict` and `fastnn evaluate` print of them."""

import json
import os

import numpy as np

import fastnn as fn
from fastnn.cli import main
from tests.small_data import WORDS

CLASSES = [f"class {i}" for i in range(10)]


def pictures_model(shape=(28, 28), flat=True, classes=10, meta=None, **pixels):
    described = fn.Pixels(shape, divide=255, flat=flat, **pixels)
    layers = [fn.Dense(classes)] if flat else [fn.Conv2D(2, 3), fn.Flatten(), fn.Dense(classes)]
    model = fn.Sequential(layers, input_shape=described.made_shape, preprocessing=described)
    model.meta = {"classes": CLASSES[:classes]} | (meta or {})
    return model


def cats_model():
    pixels = fn.Pixels((32, 32), divide=255, targets=(-1, 1))
    model = fn.Sequential(
        [fn.Flatten(), fn.Dense(1, "tanh")],
        input_shape=(32, 32, 1),
        loss="mse",
        metrics=[("accuracy", "sign_accuracy")],
        preprocessing=pixels,
    )
    model.meta = {"recipe": "cats-vs-cars", "classes": ["cat", "car"]}
    return model


def words_model(words=WORDS, **keywords):
    made = fn.Words(words, **keywords)
    layers = [fn.Embedding(len(words), 2), fn.Flatten(), fn.Dense(len(words))]
    model = fn.Sequential(layers, input_shape=(3,), preprocessing=made, seed=1)
    model.meta = {"recipe": "trigram"}
    return model


def points_model():
    model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(2)], input_shape=(2,), dtype="float64")
    model.meta = {"recipe": "moons", "classes": ["0", "1"]}
    return model


MODELS = {
    "digits.h5": lambda: pictures_model(meta={"recipe": "mnist-mlp"}),
    "conv.h5": lambda: pictures_model(flat=False),
    "colour.h5": lambda: pictures_model((32, 32, 3), meta={"recipe": "cifar10-mlp"}),
    "cats.h5": cats_model,
    "words.h5": words_model,
    "points.h5": points_model,
    "numbers.h5": lambda: fn.Sequential([fn.Dense(2)], input_shape=(3,), loss="mse"),
    "binary.h5": lambda: fn.Sequential([fn.Dense(1)], input_shape=(3,), loss="binary_cross_entropy"),
    "bare.h5": lambda: fn.Sequential([fn.Dense(10)], input_shape=(784,)),
}


GREY = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)


def write_words(path, words):
    from tests.small_data import write_trigrams

    write_trigrams(path, words)


def said(capsys, *arguments):
    """What a command prints; it must end well, and print nothing to stderr."""
    assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, folder, *arguments):
    """The one line that a command says against its arguments; it leaves nothing behind."""
    before = sorted(os.listdir(folder))
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("fastnn: ")
    assert sorted(os.listdir(folder)) == before
    return err


def best(capsys, *arguments):
    """Sample -> [(label, number), ...], from JSON."""
    rows = json.loads(said(capsys, "predict", *arguments, "--format", "json"))
    return {row["sample"]: [tuple(answer.values()) for answer in row["predictions"]] for row in rows}


def want_of(model, x, count):
    found = fn.load(model).predict(x)
    order = np.argsort(-found, axis=1)[:, :count]
    return [[(CLASSES[i], float(row[i])) for i in ids] for row, ids in zip(found, order, strict=True)]
