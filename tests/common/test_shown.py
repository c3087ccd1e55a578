"""What objects show at the prompt, and in messages: the call that makes them, or one line."""

import numpy as np
import pytest

import fastnn as fn

SPLIT = fn.Split(np.zeros((3, 2)), np.zeros(3))


class Told(fn.Callback):
    def __init__(self, text, *, times=2, hidden=None):
        self.text, self.times = text, times


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (fn.Dense(3, "relu"), "Dense(units=3, activation='relu')"),
        (fn.Embedding(10, 4, l2=0.5, name="words"), "Embedding(rows=10, width=4, name='words', l2=0.5)"),
        (fn.MSE(), "MSE()"),
        (fn.Huber(delta=2.0), "Huber(delta=2.0)"),
        (fn.CosineDecay(0.1, warmup=5), "CosineDecay(lr=0.1, warmup=5)"),
        (fn.initializers.Normal(0.5), "Normal(std=0.5)"),
        (fn.Pixels((2, 2), subtract=np.zeros((2, 2))), "Pixels(shape=(2, 2), subtract=<float64 array (2, 2)>)"),
        (fn.EarlyStopping("val_accuracy", mode="max"), "EarlyStopping(monitor='val_accuracy', mode='max')"),
        (fn.Checkpoint("a.h5", every=3), "Checkpoint(path='a.h5', every=3)"),
        (fn.Monitor(), "Monitor()"),
        (Told("hello", times=3), "Told(text='hello', times=3)"),
        (fn.SGD(0.1), "SGD(lr=0.1, momentum=0.0, nesterov=False)"),
        (SPLIT, "<Split of 3 samples: x float64 (3, 2), y float64 (3,)>"),
        (fn.Dataset(SPLIT, SPLIT), "<Dataset of samples: train 3, val 3>"),
        (fn.Input(3), "<Input of shape (3,)>"),
    ],
)
def test_what_is_shown(thing, shown):
    assert repr(thing) == shown


def test_a_long_value_is_cut():
    shown = repr(fn.Words(tuple(f"word{i}" for i in range(10_000))))
    assert shown.startswith("Words(vocabulary=('word0', 'word1'")
    assert len(shown) < 120


def test_a_value_of_a_deep_net_is_shown_at_once():
    """Not with its inputs: they stand twice at each of the joins, and so 2**40 times in all."""
    node = fn.Input(3)
    for _ in range(40):
        node = fn.Add()(node, fn.Dense(3)(node))
    assert repr(node) == "<Add of shape (3,)>"


@pytest.mark.parametrize("name", [name for name in fn.__all__ if name in dir(fn.callbacks)])
def test_every_callback_has_a_line(name):
    kind = getattr(fn, name)
    if kind is fn.TensorBoard:
        pytest.importorskip("tensorboardX")
    of_a_path = {kind: ["a"] for kind in (fn.Checkpoint, fn.CSVLogger, fn.SaveBest, fn.TensorBoard)}
    given = (of_a_path | {fn.TimeLimit: [1]}).get(kind, [])
    assert repr(kind(*given)).startswith(f"{name}(")
