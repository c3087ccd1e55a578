"""The public API as calls with arguments that fit: what `careless_calls` then spoils.

A case is a name, a function, its arguments by name, and whether it answers: whether the same arguments must give the
same bits, in whatever layout.
"""

from typing import Any, NamedTuple

import numpy as np

import fastnn as fn
from fastnn import ops
from tests.tiny import dense_model, tiny_model, trigrams

USES = 100  # calls of a model before it is made anew: careless ones may have left infinite weights


class Call(NamedTuple):
    name: str
    function: Any
    arguments: dict
    answers: bool = False


def floats(rng, *shape):
    return rng.standard_normal(shape).astype((np.float32, np.float64)[OF_CALL.dtype])


class OF_CALL:  # noqa: N801  (of one call all float arrays have one dtype)
    dtype = 0


def _op_arguments(name, rng):
    B, C, n, V = (int(size) for size in rng.integers(1, 7, 4))
    ids, labels = rng.integers(0, V, (B, C)), rng.integers(0, n, B)
    x, dout = floats(rng, B, n), floats(rng, B, n)
    special = {
        "matmul": {"x": x, "w": floats(rng, n, V)},
        "matmul_xt": {"x": x, "dout": floats(rng, B, C)},
        "matmul_wt": {"dout": x, "w": floats(rng, V, n)},
        "bias_forward": {"x": x, "b": floats(rng, n)},
        "bias_backward": {"dout": x},
        "softmax": {"x": x},
        "softmax_cross_entropy": {"x": x, "labels": labels, "weight": abs(floats(rng, B))},
        "embedding_forward": {"w": floats(rng, V, n), "word_ids": ids},
        "embedding_backward": {"dout": floats(rng, B, C * n), "word_ids": ids, "rows": V},
        "sum_forward": {"x": floats(rng, B, C * n), "parts": C},
        "sum_backward": {"dout": x, "parts": C},
        "gather_rows": {"source": floats(rng, V, n), "indices": rng.integers(0, V, B)},
        "permuted_indices": {"count": int(rng.integers(0, 300)), "key": fn.random.key(0, "order", words=10)},
        "sgd_update": {"w": x, "dw": dout, "lr": 0.1},
        "momentum_update": {"w": x, "velocity": dout, "dw": floats(rng, B, n), "lr": 0.1, "momentum": 0.5},
        "nesterov_update": {"w": x, "velocity": dout, "dw": floats(rng, B, n), "lr": 0.1, "momentum": 0.5},
    }
    if name in special:
        return special[name]
    return {"x": x} if name.endswith("forward") else {"dout": dout, "x_or_out": x}


def op(rng):
    OF_CALL.dtype = int(rng.integers(2))
    name = ops.__all__[rng.integers(len(ops.__all__))]
    return Call(f"ops.{name}", getattr(ops, name), _op_arguments(name, rng), not name.endswith("update"))


def _image_model():
    layers = [fn.Conv2D(2, 2, "relu"), fn.MaxPool2D(2), fn.Dropout(0.2), fn.Flatten(), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=(4, 4, 1))


def _two_inputs():
    word, number = fn.Input((2,), name="word"), fn.Input((3,), name="number")
    joined = fn.Concatenate()([fn.Flatten()(fn.Embedding(7, 2)(word)), number])
    scores = {"label": fn.Dense(3)(joined), "size": fn.Dense(2)(joined)}
    return fn.Model([word, number], scores, loss={"label": "softmax_cross_entropy", "size": "mse"})


def _table():
    layers = [fn.Columns([0, 3], {1: 4, 4: 2}, width=2), fn.BatchNorm(), fn.Dense(1)]
    return fn.Sequential(layers, input_shape=(5,), loss="binary_cross_entropy", dtype="float64")


def _words(rng):
    return trigrams(int(rng.integers(1, 30)))


def _numbers(rng):
    N = int(rng.integers(1, 30))
    return rng.standard_normal((N, 5)), rng.integers(0, 3, N)


def _images(rng):
    N = int(rng.integers(1, 20))
    return rng.standard_normal((N, 4, 4, 1)).astype(np.float32), rng.integers(0, 3, N).astype(np.uint8)


def _both(rng):
    N = int(rng.integers(1, 20))
    x = {"word": rng.integers(0, 7, (N, 2)), "number": rng.standard_normal((N, 3))}
    return x, {"label": rng.integers(0, 3, N), "size": rng.standard_normal((N, 2))}


def _rows(rng):
    N = int(rng.integers(1, 20))
    x = rng.standard_normal((N, 5))
    x[:, 1], x[:, 4] = rng.integers(0, 4, N), rng.integers(0, 2, N)
    return x, rng.integers(0, 2, (N, 1)).astype(np.float64)


MODELS = {
    "words": (tiny_model, _words),
    "numbers": (dense_model, _numbers),
    "images": (_image_model, _images),
    "two inputs": (_two_inputs, _both),
    "table": (_table, _rows),
}


class Models:
    """A model of each kind, made anew now and then."""

    def __init__(self):
        self._made, self._uses = {}, dict.fromkeys(MODELS, 0)

    def get(self, kind):
        if self._uses[kind] % USES == 0:
            self._made[kind] = MODELS[kind][0]()
        self._uses[kind] += 1
        return self._made[kind]


def _training(rng):
    return {
        "optimizer": fn.SGD(0.01),
        "batch_size": int(rng.integers(1, 9)),
        "epochs": 1,
        "validation_split": 0.0,
        "shuffle": bool(rng.integers(2)),
        "sample_weight": None,
        "class_weight": None,
        "validation_data": None,
        "steps_per_block": 1,
        "callbacks": (),
        "verbose": False,
    }


def _model_arguments(model, kind, name, rng):
    x, y = MODELS[kind][1](rng)
    first = next(iter(model.parameters))
    return {
        "fit": {"x": x, "y": y, **_training(rng)},
        "train_on_batch": {"x": x, "y": y, "optimizer": "sgd", "sample_weight": None},
        "evaluate": {"x": x, "y": y, "sample_weight": None},
        "predict": {"x": x, "logits": False},
        "outputs_of": {"layer": model.network.names[-1], "x": x},
        "loss_and_gradients": {"x": x, "y": y, "draw": 0},
        "batch_loss": {"x": x, "y": y},
        "set_parameters": {"values": {first: np.array(model.parameters[first])}},
        "freeze": {},
        "restore": {"snapshot": model.snapshot()},
    }[name]


METHODS = ("fit",) * 3 + ("predict",) * 3 + ("evaluate", "train_on_batch", "loss_and_gradients", "batch_loss")
METHODS += ("outputs_of", "set_parameters", "restore")


def of_model(rng, models):
    kind, name = list(MODELS)[rng.integers(len(MODELS))], METHODS[rng.integers(len(METHODS))]
    model = models.get(kind)
    arguments = _model_arguments(model, kind, name, rng)
    function = getattr(model, name)
    if name == "batch_loss":
        function = lambda x, y: model.batch_loss(x, y)()  # noqa: E731
    return Call(f"{kind}.{name}", function, arguments, name in ("predict", "evaluate", "outputs_of"))


DENSE = {"units": 4, "activation": "relu", "initializer": "normal", "bias_initializer": "zeros", "use_bias": True}
SHARED = {"name": "one", "freeze": False, "l1": 0.0, "l2": 0.0, "max_norm": None}
CONV = {"filters": 2, "kernel_size": 2, "activation": "relu", "stride": 1, "padding": "same", "initializer": "normal"}
POOL = {"pool_size": 2, "stride": 1, "padding": "valid"}
# A layer, its arguments, and the shape of the samples that a net of it takes
LAYERS = {
    "Dense": (DENSE | SHARED, (3,)),
    "Embedding": ({"rows": 5, "width": 2, "initializer": "normal"} | SHARED, (2,)),
    "Conv2D": (CONV | SHARED, (4, 4, 1)),
    "Conv1D": (CONV | SHARED, (6, 2)),
    "GRU": ({"units": 4, "return_sequences": True, "initializer": "normal"} | SHARED, (6, 2)),
    "LSTM": ({"units": 4, "unit_forget_bias": False, "bias_initializer": "normal"} | SHARED, (6, 2)),
    "MaxPool1D": (POOL, (6, 2)),
    "AveragePool1D": (POOL, (6, 2)),
    "MaxPool2D": (POOL, (4, 4, 1)),
    "AveragePool2D": (POOL, (4, 4, 1)),
    "BatchNorm": ({"momentum": 0.9, "eps": 1e-3}, (3,)),
    "LayerNorm": ({"eps": 1e-3}, (3,)),
    "Dropout": ({"rate": 0.5, "name": None}, (3,)),
    "Activation": ({"activation": "tanh"}, (3,)),
    "Reshape": ({"shape": (3, 1)}, (3,)),
    "Columns": ({"numbers": (0, 1), "categories": {2: 3}, "width": 2, "standardise": False}, (3,)),
}


def _net(name, shape):
    def make(**arguments):
        input_shape = arguments.pop("input_shape", shape)
        model = fn.Sequential([getattr(fn, name)(**arguments), fn.Flatten(), fn.Dense(2)], input_shape=input_shape)
        model.summary()
        return model.predict(np.zeros((2, *shape)))

    return make


def layer(rng):
    name = list(LAYERS)[rng.integers(len(LAYERS))]
    arguments, shape = LAYERS[name]
    return Call(f"fn.{name}", _net(name, shape), arguments | {"input_shape": shape})


def _trained(kind):
    def make(**arguments):
        return dense_model().fit(np.ones((4, 5)), np.ones(4, int), optimizer=kind(**arguments), verbose=False)

    return make


def _loss(kind):
    def make(**arguments):
        model = dense_model(loss=kind(**arguments))
        y = np.ones(4, int) if kind is fn.SoftmaxCrossEntropy else np.ones((4, 3))
        return model.evaluate(np.ones((4, 5)), y)

    return make


def _called_back(kind):
    def make(**arguments):
        x, y = np.ones((4, 5)), np.ones(4, int)
        return dense_model().fit(x, y, callbacks=[kind(**arguments)], validation_data=(x, y), verbose=False)

    return make


def _scheduled(kind):
    return lambda **arguments: _trained(fn.SGD)(lr=kind(**arguments))


def _sequential(**arguments):
    return fn.Sequential([fn.Dense(3, "relu"), fn.Dense(2)], **arguments).predict(np.ones((2, 4)))


def _branching(units, shape, **arguments):
    x = fn.Input(shape)
    return fn.Model(x, fn.Dense(units)(fn.Add()(x, fn.Dense(4)(x))), **arguments).predict(np.ones((2, 4)))


def _threads(count):
    with fn.threads(count):
        return fn.ops.matmul(np.ones((2, 2)), np.ones((2, 2)))


def _step(w, g):
    fn.Adam(0.1).step({"w": w}, {"w": g})


STATE = {"clip_norm": None, "clip_value": None, "state_dtype": None}
LOSSES = {"reduction": "mean"}
PATIENT = {"monitor": "val_loss", "patience": 2, "min_delta": 0.0, "mode": "auto"}


def _others(rng):
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    net = {"loss": "softmax_cross_entropy", "metrics": (), "dtype": "float32", "seed": 0, "l1": 0.0, "l2": 0.0}
    w, g = floats(rng, 3, 2), floats(rng, 3, 2)
    return {
        "SGD": (_trained(fn.SGD), {"lr": 0.1, "momentum": 0.5, "nesterov": False} | STATE),
        "Adam": (_trained(fn.Adam), {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8} | STATE),
        "AdamW": (_trained(fn.AdamW), {"lr": 0.1, "beta1": 0.9, "eps": 1e-8, "weight_decay": 0.1} | STATE),
        "AdaGrad": (_trained(fn.AdaGrad), {"lr": 0.1, "eps": 1e-8, "initial_accumulator_value": 0.1} | STATE),
        "RMSProp": (_trained(fn.RMSProp), {"lr": 0.1, "decay": 0.9, "eps": 1e-8} | STATE),
        "CosineDecay": (_scheduled(fn.CosineDecay), {"lr": 0.1, "steps": 10, "warmup": 2, "end": 0.01}),
        "ExponentialDecay": (_scheduled(fn.ExponentialDecay), {"lr": 0.1, "decay": 0.9, "per": "epoch"}),
        "StepDecay": (_scheduled(fn.StepDecay), {"lr": 0.1, "factor": 0.5, "every": 2, "per": "step"}),
        "SoftmaxCrossEntropy": (_loss(fn.SoftmaxCrossEntropy), LOSSES | {"label_smoothing": 0.1}),
        "BinaryCrossEntropy": (_loss(fn.BinaryCrossEntropy), LOSSES),
        "MSE": (_loss(fn.MSE), LOSSES | {"scale": 0.5}),
        "MAE": (_loss(fn.MAE), LOSSES),
        "Poisson": (_loss(fn.Poisson), LOSSES),
        "Huber": (_loss(fn.Huber), LOSSES | {"delta": 1.0}),
        "EarlyStopping": (_called_back(fn.EarlyStopping), PATIENT | {"restore_best": True, "max_gap": None}),
        "ReduceOnPlateau": (_called_back(fn.ReduceOnPlateau), PATIENT | {"factor": 0.5, "min_lr": 0.0}),
        "GradientNorms": (_called_back(fn.GradientNorms), {"every": 1}),
        "Monitor": (_called_back(fn.Monitor), {"every": 1, "bins": 5}),
        "TimeLimit": (_called_back(fn.TimeLimit), {"seconds": 100.0}),
        "Sequential": (_sequential, {"input_shape": (4,)} | net),
        "Model": (_branching, {"units": 2, "shape": (4,), "loss_weights": None} | net),
        "Split": (fn.Split, {"x": x, "y": y}),
        "Dataset.cut": (lambda **sizes: fn.Dataset(fn.Split(x, y)).cut(**sizes), {"train": 3, "val": 2, "seed": 0}),
        "Split.drawn": (fn.Split(x, y).drawn, {"count": 3}),
        "Split.shuffled": (fn.Split(x, y).shuffled, {"seed": 3}),
        "Split.part": (fn.Split(x, y).part, {"first": 1, "last": 3}),
        "random.key": (lambda words, **seed: fn.random.key(words=words, **seed), {"seed": 1, "words": 4}),
        "random.generator": (fn.random.generator, {"seed": 1}),
        "bfloat16.encoded": (fn.bfloat16.encoded, {"values": w}),
        "bfloat16.decoded": (fn.bfloat16.decoded, {"words": fn.bfloat16.encoded(w)}),
        "threads": (_threads, {"count": 1}),
        "optimizer.step": (_step, {"w": w, "g": g}),
        "check_gradients": (
            fn.check_gradients,
            {"model": dense_model(), "x": x[:, [0, 1, 0, 1, 0]], "y": y, "entries": 2},
        ),
        "initializers.Normal": (
            lambda **a: _net("Dense", (3,))(units=2, initializer=fn.initializers.Normal(**a)),
            {"std": 0.1},
        ),
        "initializers.Uniform": (
            lambda **a: _net("Dense", (3,))(units=2, initializer=fn.initializers.Uniform(**a)),
            {"limit": 0.1},
        ),
    }


def other(rng):
    OF_CALL.dtype = int(rng.integers(2))
    found = _others(rng)
    name = list(found)[rng.integers(len(found))]
    return Call(f"fn.{name}", *found[name])
