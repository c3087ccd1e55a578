"""Language models with random weights, small enough to be followed word by word."""

import numpy as np

import fastnn as fn
from fastnn.text.tokens import Tokenizer

CONTEXT = 3
WHOLE = ["the", "<unk>", "</s>", "old", "man", "was", ".", "<s>"]  # with all marks
BARE = ["the", "old", "man", "was", ".", "tired"]  # as models had them before there were any
UNKNOWN, END, START = 1, 2, 7


def net(words, seed=0, **of_words):
    """A model whose distributions are far from uniform."""
    layers = [fn.Embedding(len(words), 4), fn.Flatten(), fn.Dense(len(words))]
    described = fn.Words(words, **of_words)
    model = fn.Sequential(layers, input_shape=(CONTEXT,), preprocessing=described, dtype="float64")
    rng = np.random.default_rng(seed)
    model.set_parameters({name: rng.normal(size=array.shape) for name, array in model.parameters.items()})
    return model


def whole(words=WHOLE, **tokenizer):
    return fn.LanguageModel(net(words, tokenizer=Tokenizer(**tokenizer).config()))


def bare():
    return fn.LanguageModel(net(BARE))


def pixels():
    return fn.Sequential([fn.Dense(3)], input_shape=(4,), preprocessing=fn.Pixels((2, 2), divide=255, flat=True))
