"""Settings that are no numbers, names or truth values: fastnn's own error, which names them, not one of Python's."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import dense_model

X, Y = np.ones((4, 5)), np.ones(4, int)
SPLIT = fn.Split(X, Y)
NO_NUMBER = "expected a number"


def fit(**settings):
    return dense_model().fit(X, Y, **{"verbose": False} | settings)


WRONG = {
    "BatchNorm": (lambda: fn.BatchNorm(eps=...), TypeError, f"BatchNorm: eps is Ellipsis, {NO_NUMBER}"),
    "LayerNorm": (lambda: fn.LayerNorm("1"), TypeError, f"LayerNorm: eps is '1', {NO_NUMBER}"),
    "Dropout": (lambda: fn.Dropout(np.zeros((2, 0))), TypeError, f"Dropout: rate is array.*, {NO_NUMBER}"),
    "freeze": (lambda: fn.Dense(3, freeze=np.ones(2)), TypeError, "Dense: freeze is array.*, expected True or False"),
    "too large": (lambda: fn.LayerNorm(10**400), ValueError, "LayerNorm: eps has 1329 bits, expected a number"),
    "Huber": (lambda: fn.Huber(delta=b""), TypeError, f"Huber: delta is b'', {NO_NUMBER}"),
    "l2": (lambda: fn.Embedding(5, 2, l2=[]), TypeError, f"Embedding: l2 is .., {NO_NUMBER}"),
    "padding": (lambda: fn.MaxPool2D(padding=np.ones(2)), ValueError, "padding is array"),
    "stride": (lambda: fn.MaxPool2D(stride=10**30), ValueError, "MaxPool2D: stride is 1000.*, expected at most"),
    "Normal": (lambda: fn.initializers.Normal(-1.0), ValueError, "Normal: std is -1.0, expected a finite number ≥ 0"),
    "Uniform": (lambda: fn.initializers.Uniform(np.inf), ValueError, "Uniform: limit is inf"),
    "wide range": (lambda: fn.initializers.Uniform(1e308), ValueError, "Uniform: limit is 1e.308, expected a finite"),
    "Reshape": (lambda: fn.Reshape(np.ones((2, 2))), TypeError, "Reshape: shape is .1.0, 1.0., expected a whole"),
    "per": (lambda: fn.StepDecay(0.1, per=np.ones(2)), ValueError, "StepDecay: per is array"),
    "bins": (lambda: fn.Monitor(bins=2**63), ValueError, "Monitor: bins is 9.*, expected at most 1,000,000"),
    "shuffle": (lambda: fit(shuffle=np.arange(3)), TypeError, "shuffle is array.*, expected True or False"),
    "metrics": (lambda: dense_model(metrics=np.array("x")), TypeError, "metrics is array"),
    "g": (lambda: fn.Adam(0.1).step({"w": np.ones(2)}, {"w": [[1], [1, 2]]}), fn.ShapeError, "is no array"),
    "input_shape": (
        lambda: fn.Sequential([fn.Dense(2)], input_shape=10**400),
        fn.OutOfMemoryError,
        "takes 1,000,000,000,000,000,000,000.0 GB of memory",
    ),
    "Columns": (lambda: fn.Columns(np.array(None)), TypeError, "Columns: numbers is"),
    "SGD": (lambda: fn.SGD(0.1, momentum="x"), TypeError, f"SGD: momentum is 'x', {NO_NUMBER}"),
    "nesterov": (lambda: fn.SGD(0.1, nesterov="yes"), TypeError, "SGD: nesterov is 'yes', expected True or False"),
    "lr": (lambda: fn.SGD(10**400), ValueError, "SGD: lr is too large"),
    "Adam": (lambda: fn.Adam(beta1=None), TypeError, f"Adam: beta1 is None, {NO_NUMBER}"),
    "clip_norm": (lambda: fn.Adam(clip_norm={}), TypeError, f"Adam: clip_norm is {{}}, {NO_NUMBER}"),
    "state_dtype": (lambda: fn.Adam(state_dtype=np.ones(2)), ValueError, "Adam: state_dtype is array"),
    "StepDecay": (lambda: fn.StepDecay(0.1, factor="x"), TypeError, f"StepDecay: factor is 'x', {NO_NUMBER}"),
    "EarlyStopping": (
        lambda: fn.EarlyStopping(min_delta=()),
        TypeError,
        f"EarlyStopping: min_delta is .., {NO_NUMBER}",
    ),
    "monitor": (lambda: fn.EarlyStopping(b""), TypeError, "the figure is b'', expected its name"),
    "TimeLimit": (lambda: fn.TimeLimit("1"), TypeError, f"TimeLimit: seconds is '1', {NO_NUMBER}"),
    "class_weight": (
        lambda: fit(class_weight={0: np.ones((9, 9))}),
        TypeError,
        r"^class_weight\[0\] is array.*, expected a number$",
    ),
    "seed": (lambda: fn.random.key("x"), TypeError, "seed is 'x', expected a whole number"),
    "words": (lambda: fn.random.key(1, words=10**9), ValueError, "words is 1000000000, expected a whole number from 0"),
    "draw": (lambda: dense_model().loss_and_gradients(X, Y, draw=len), TypeError, "seed is <built-in"),
    "logits": (lambda: dense_model().predict(X, logits=np.ones(2)), TypeError, "logits is array.*, expected True or"),
    "layer": (lambda: dense_model().outputs_of(np.arange(3), X), ValueError, "unknown layer array"),
    "values": (lambda: dense_model().set_parameters([1]), TypeError, "values is list, expected a mapping"),
    "snapshot": (lambda: dense_model().restore({"parameters": {}}), ValueError, "snapshot has no 'buffers'"),
    "arrays": (
        lambda: dense_model().restore({"parameters": {"x": X}, "buffers": {}}),
        ValueError,
        "unknown array 'x'; known: dense.b",
    ),
    "callbacks": (lambda: fit(callbacks=np.array(None)), TypeError, "callbacks is array"),
    "verbose": (lambda: fit(verbose=np.ones(2)), ValueError, "verbose is array"),
    "fraction": (lambda: fit(validation_split="x"), TypeError, f"validation_split is 'x', {NO_NUMBER}"),
    "part": (lambda: SPLIT.part(0, "x"), TypeError, "last is 'x', expected a whole number"),
    "drawn": (lambda: SPLIT.drawn(None), TypeError, "count is None, expected a whole number"),
    "cut": (lambda: fn.Dataset(SPLIT).cut(2, [1]), TypeError, "val is .1., expected a whole number"),
    "encoded": (lambda: fn.bfloat16.encoded([[1], [1, 2]]), fn.ShapeError, "values is no array"),
    "check_gradients": (lambda: fn.check_gradients(3, X, Y), TypeError, "model is int, expected a model"),
    "entries": (lambda: fn.check_gradients(dense_model(), X, Y, entries=0.5), TypeError, "entries is 0.5"),
}


ASSIGNED = {
    "history": (TypeError, "model.history is 'x', expected fn.History"),
    "state": (TypeError, "model.state is 'x', expected the arrays"),
    "network": (TypeError, "model.network is 'x', expected a network"),
    "seed": (TypeError, "seed is 'x', expected a whole number"),
    "dtype": (AttributeError, "a model keeps its dtype, float32"),
    "layers": (AttributeError, "layers of Sequential cannot be assigned; a model keeps its layers"),
    "parameters": (AttributeError, "parameters of Sequential cannot be assigned; use model.set_parameters"),
    "buffers": (AttributeError, "buffers of Sequential cannot be assigned; write into an array"),
    "predict": (AttributeError, "predict is a method of Sequential, and 'x' would take its place"),
    "loss": (AttributeError, "use model.network.loss"),
    "lr": (AttributeError, "the rate is the optimizer's"),
    "batch_size": (AttributeError, "fit takes batch_size="),
    "callbacks": (AttributeError, "fit takes callbacks="),
}


@pytest.mark.parametrize("name", ASSIGNED)
def test_what_is_assigned_to_a_model_is_refused_by_name(name):
    error, message = ASSIGNED[name]
    model = dense_model()
    with pytest.raises(error, match=message):
        setattr(model, name, "x")
    assert set(model.evaluate(X, Y)) == {"loss", "accuracy"}  # nothing has changed


def test_a_model_takes_what_it_may_be_assigned():
    model = dense_model()
    model.history, model.seed, model.predict = fn.History(), np.int64(3), lambda x: x
    assert (type(model.seed), len(model.history)) == (int, 0)

    class Mine(fn.Sequential):
        def __init__(self):
            super().__init__([fn.Dense(2)], input_shape=5)
            self.batch_size = 4

    assert Mine().batch_size == 4


@pytest.mark.parametrize(("thing", "name", "message"), [
    (fn.Adam(), "momentum", "Adam has no attribute 'momentum'; fn.SGD"),
    (fn.Adam(), "weight_decay", "Adam has no attribute 'weight_decay'; fn.AdamW"),
    (fn.SGD(0.1), "betas", "use beta1 and beta2"),
    (fn.Dense(3), "units", "Dense stays as it was made, 'units' cannot be assigned; make another one"),
    (fn.Dense(3), "trainable", "use freeze=True, or of a model model.freeze"),
    (fn.Huber(), "delta", "Huber stays as it was made"),
])  # fmt: skip
def test_what_nobody_would_read_cannot_be_assigned(thing, name, message):
    with pytest.raises(AttributeError, match=message):
        setattr(thing, name, False)
    optimizers = fn.SGD(0.1, momentum=0.5), fn.AdamW(1e-3)
    optimizers[0].momentum, optimizers[1].weight_decay = 0.9, 0.1  # their own settings may


def test_masked_parameters_are_refused_by_a_step():
    w = np.ma.masked_array([1.0, 2.0], [False, True])
    with pytest.raises(fn.DataError, match=r"w\[1\] is masked"):
        fn.SGD(0.1).step({"w": w}, {"w": np.ones(2)})
    assert w.data.tolist() == [1, 2]
    whole = np.ma.masked_array([1.0, 2.0])
    fn.SGD(0.5).step({"w": whole}, {"w": np.ones(2)})
    assert whole.tolist() == [0.5, 1.5]


@pytest.mark.parametrize("name", WRONG)
def test_is_refused_by_name(name):
    function, error, message = WRONG[name]
    with pytest.raises(error, match=message) as caught:
        function()
    assert "\n" not in str(caught.value)


HUGE = np.broadcast_to(np.float32(0), (2**36, 3))


@pytest.mark.parametrize(
    "function",
    [
        lambda: fn.ops.relu_forward(HUGE),
        lambda: fn.ops.bias_backward(HUGE),
        lambda: fn.ops.gather_rows(HUGE, [0]),
        lambda: fn.ops.embedding_forward([[1.0]], np.broadcast_to(0, (2**36, 3))),
        lambda: fn.ops.permuted_indices(2**32, fn.random.key(0, "order", words=10)),
        lambda: fn.ops.sum_backward(np.ones((2, 3)), 2**62),
        lambda: fn.ops.embedding_backward(np.ones((2, 2)), np.ones((2, 1), int), 2**60),
    ],
)
def test_functions_refuse_what_no_memory_holds(function, monkeypatch):
    monkeypatch.setattr("fastnn.engine.available_memory.available_bytes", lambda: 10**9)
    with pytest.raises(fn.OutOfMemoryError, match="of memory, and this process may take"):
        function()


NUMBERS_OF = {
    "BatchNorm: momentum": lambda one: fn.BatchNorm(momentum=one),
    "BatchNorm: eps": lambda one: fn.BatchNorm(eps=one),
    "Dropout: rate": fn.Dropout,
    "Dropout: keep": lambda one: fn.Dropout(keep=one),
    "Dense: units": fn.Dense,
    "Dense: l2": lambda one: fn.Dense(3, l2=one),
    "SoftmaxCrossEntropy: label_smoothing": lambda one: fn.SoftmaxCrossEntropy(label_smoothing=one),
    "MSE: scale": lambda one: fn.MSE(scale=one),
    "Huber: delta": lambda one: fn.Huber(delta=one),
    "Normal: std": fn.initializers.Normal,
    "Uniform: limit": fn.initializers.Uniform,
    "Orthogonal: gain": fn.initializers.Orthogonal,
    "StepDecay: factor": lambda one: fn.StepDecay(0.1, factor=one),
    "Adam: beta1": lambda one: fn.Adam(beta1=one),
    "EarlyStopping: patience": lambda one: fn.EarlyStopping(patience=one),
    "Pixels: divide": lambda one: fn.Pixels((2, 2), divide=one),
    "Pixels: a number of targets": lambda one: fn.Pixels((2, 2), targets=(-1, one)),
    "epochs": lambda one: fit(epochs=one),
    "validation_split": lambda one: fit(validation_split=one),
    "seed": lambda one: dense_model(seed=one),
    "input_shape": lambda one: fn.Sequential([fn.Dense(2)], input_shape=(one, 3)),
    "words": lambda one: fn.random.key(1, words=one),
    "vocabulary_size": lambda one: fn.data.load_text(texts=["a b"], vocabulary_size=one),
    "min_count": lambda one: fn.LanguageModel.from_text(texts=["a b"], min_count=one),
    "count": fn.data.generate_moons,
    "noise": lambda one: fn.data.generate_moons(9, noise=one),
    "clusters": lambda one: fn.data.generate_blobs(9, clusters=one),
    "hard": lambda one: fn.data.generate_blobs(9, hard=one),
    "train": lambda one: fn.data.generate_digits(one, 1),
    "test": lambda one: fn.data.generate_cats_vs_cars(2, one),
    "val": lambda one: fn.data.Use(val=one),
}


@pytest.mark.parametrize("given", [True, False, np.True_], ids=["True", "False", "of NumPy's"])
@pytest.mark.parametrize("name", NUMBERS_OF)
def test_true_and_false_are_no_numbers(name, given):
    """Else `dropout=True`, say, would be a rate of 1 that nobody meant."""
    with pytest.raises((TypeError, ValueError), match=f"{name} is .*(True|False).*, expected"):
        NUMBERS_OF[name](given)


def test_whole_floats_are_seeds_and_numbers_of_numpy_settings():
    assert (fn.random.key(1.0) == fn.random.key(np.int8(1))).all()
    assert fn.SoftmaxCrossEntropy(label_smoothing=np.float32(0.5)) == fn.SoftmaxCrossEntropy(label_smoothing=0.5)
    assert fn.Dense(3, freeze=1).freeze


class SaysStop(fn.Callback):
    def on_epoch_end(self, run):
        run.stop = True


class Bare:
    layer = type("Mine", (fn.layers.Layer,), {"kind": "mine", "output_shape": lambda self, shape: shape})
    optimizer = type("Mine", (fn.optimizers.Optimizer,), {"name": "mine"})
    flat = type("Flat", (fn.optimizers.SGD,), {"scalars": fn.optimizers.Optimizer.learning_rates})


def fit_with(backward):
    forward = {"forward": lambda self, build, x, p: (x, backward)}
    layers = [fn.Dense(3), type("Mine", (Bare.layer,), forward)()]
    return fn.Sequential(layers, input_shape=5).fit(X, Y, optimizer=fn.SGD(0.1), verbose=False)


OF_ONES_OWN = {
    "run.stop = True": (lambda: fit(callbacks=[SaysStop()]), AttributeError, "stop is a method of Run.*run.stop..why"),
    "a list of names": (lambda: dense_model().freeze(["dense"]), TypeError, "got .'dense'., expected names of layers"),
    "no gradient": (lambda: fn.SGD(0.1).step({"w": np.ones(2)}, {}), KeyError, "the gradients have none of 'w'"),
    "no gradient of a model's": (
        lambda: fn.SGD(0.1).step(dense_model().parameters, {}),
        KeyError,
        "the gradients have none of 'dense.w'",
    ),
    "no forward": (
        lambda: fn.Sequential([Bare.layer(), fn.Dense(3)], input_shape=5).predict(X),
        NotImplementedError,
        "Mine has no forward of its own, which it needs",
    ),
    "scalars of one axis": (
        lambda: fit(optimizer=Bare.flat(0.1)),
        fn.ShapeError,
        r"Flat.scalars made an array \(1,\) of 1 steps, expected a row for each step, \(n, s\)",
    ),
    "scalars of one axis, by hand": (
        lambda: Bare.flat(0.1).step({"w": np.ones(2)}, {"w": np.ones(2)}),
        fn.ShapeError,
        "Flat.scalars made an array",
    ),
    "scalars of one axis, by batch": (
        lambda: dense_model().train_on_batch(X, Y, optimizer=Bare.flat(0.1)),
        fn.ShapeError,
        "Flat.scalars made an array",
    ),
    "no kind": (
        lambda: fn.Sequential([type("Mine", (fn.layers.Layer,), {})(), fn.Dense(3)], input_shape=5),
        TypeError,
        'Mine has no kind, after which its parameters are named: write in the class, say, kind = "mine"',
    ),
    "a backward of one argument": (
        lambda: fit_with(lambda dout: dout),
        TypeError,
        r"Mine.forward returned a function backward\(dout\), expected backward\(dout, grads, wanted\)",
    ),
    "no backward": (lambda: fit_with(None), TypeError, "Mine.forward returned tuple, expected the output and a func"),
    "a function as a rate": (
        lambda: fn.Adam(lambda step: 0.1),
        TypeError,
        "Adam: lr is .*, expected a number or a schedule; one of your own is a subclass of fn.schedules.Schedule",
    ),
    "no scalars": (lambda: fit(optimizer=Bare.optimizer(0.1)), NotImplementedError, "Mine has no scalars of its own"),
}


@pytest.mark.parametrize("case", OF_ONES_OWN)
def test_what_is_wrong_with_code_of_ones_own(case):
    call, error, message = OF_ONES_OWN[case]
    with pytest.raises(error, match=message):
        call()
