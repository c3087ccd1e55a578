"""Networks that branch, as descriptions: names, shapes, what is shared and frozen, and errors that say what to do."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.config import config_of, network_of
from fastnn.nn.graph import graph_of

RNG = np.random.default_rng(0)


def two_inputs(**settings):
    """A net of two inputs and two outputs."""
    words, numbers = fn.Input((3,), name="words"), fn.Input(4, name="numbers")
    table = fn.Embedding(7, 4, name="vectors")
    joined = fn.Concatenate()(fn.Sum()(table(words)), fn.Dense(4, "tanh")(numbers))
    outputs = {"word": fn.Dense(7, tied_to="vectors")(fn.Dense(4)(joined)), "price": fn.Dense(1)(joined)}
    losses = {"word": "softmax_cross_entropy", "price": "mse"}
    return fn.Model([words, numbers], outputs, loss=losses, dtype="float64", **settings)


DATA = {"words": RNG.integers(0, 7, (20, 3)), "numbers": RNG.normal(size=(20, 4))}
TARGETS = {"word": RNG.integers(0, 7, 20), "price": RNG.normal(size=20)}


def test_names_follow_the_order_in_which_layers_were_called():
    net = two_inputs().network
    assert net.names == ["vectors", "sum", "dense", "concatenate", "dense_1", "dense_2", "dense_3"]
    assert list(net.graph.inputs) == ["words", "numbers"]
    assert [(output.name, output.value, output.width) for output in net.outputs] == [
        ("word", "dense_2", 7), ("price", "dense_3", 1),
    ]  # fmt: skip
    assert list(two_inputs().parameters) == [
        "vectors.w", "dense.w", "dense.b", "dense_1.w", "dense_1.b", "dense_2.b", "dense_3.w", "dense_3.b",
    ]  # fmt: skip


def test_given_names_are_kept_and_counted_ones_stay_clear_of_them():
    stack = [fn.Dense(3, name="dense_1"), fn.Dense(3), fn.Dense(3), fn.Dense(3, name="head")]
    assert fn.Sequential(stack, input_shape=2).network.names == ["dense_1", "dense", "dense_2", "head"]


def test_a_chain_of_calls_is_a_sequential_net():
    x = fn.Input(3)
    called = fn.Model(x, fn.Dense(2)(fn.Dense(4, "tanh")(x)), seed=5)
    listed = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(2)], input_shape=3, seed=5)
    assert config_of(called.network) == config_of(listed.network)
    assert called.parameters.flat.tobytes() == listed.parameters.flat.tobytes()
    assert called.network.shapes == [(3,), (4,), (2,)]


def test_a_layer_that_is_called_twice_has_one_set_of_parameters():
    x, shared = fn.Input(3), fn.Dense(3, "tanh")
    model = fn.Model(x, fn.Dense(2)(shared(shared(x))))
    assert model.network.names == ["dense", "dense@2", "dense_1"]
    assert list(model.parameters) == ["dense.w", "dense.b", "dense_1.w", "dense_1.b"]
    assert "those of dense" in model.summary()


def test_figures_of_several_outputs_and_their_sum():
    model = two_inputs(loss_weights={"price": 0.25})
    model.fit(DATA, TARGETS, optimizer=fn.SGD(0.1), batch_size=6, epochs=2, validation_data=(DATA, TARGETS))
    got = model.evaluate(DATA, TARGETS)
    assert list(got) == ["loss", "word_loss", "word_accuracy", "price_loss"]
    scores = model.predict(DATA, logits=True)
    price = ((scores["price"][:, 0] - TARGETS["price"]) ** 2).mean()
    shifted = scores["word"] - scores["word"].max(axis=1, keepdims=True)
    word = -(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))[np.arange(20), TARGETS["word"]].mean()
    np.testing.assert_allclose([got["price_loss"], got["word_loss"]], [price, word], rtol=1e-12)
    np.testing.assert_allclose(got["loss"], word + 0.25 * price, rtol=1e-12)
    assert got["word_accuracy"] == (scores["word"].argmax(axis=1) == TARGETS["word"]).mean()
    assert model.history.epochs[-1]["val_price_loss"] == got["price_loss"]
    assert set(got) < set(model.history.epochs[0])


def test_weights_of_samples_count_in_every_output():
    weights = RNG.integers(1, 4, 20)
    again = {name: np.repeat(array, weights, axis=0) for name, array in (DATA | TARGETS).items()}
    settings = {"optimizer": fn.SGD(0.1), "batch_size": None, "epochs": 3, "shuffle": False}
    one, other = two_inputs(), two_inputs()
    one.fit(DATA, TARGETS, sample_weight=weights, **settings)
    other.fit({n: again[n] for n in DATA}, {n: again[n] for n in TARGETS}, **settings | {"optimizer": fn.SGD(0.1)})
    np.testing.assert_allclose(one.parameters.flat, other.parameters.flat, rtol=1e-9, atol=1e-12)


def test_data_by_name_in_order_and_as_streams(tmp_path):
    import h5py

    want = two_inputs().predict(DATA)
    for name, array in two_inputs().predict((DATA["words"], DATA["numbers"])).items():
        np.testing.assert_array_equal(array, want[name])
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["words"] = DATA["words"]
    with fn.H5Stream(tmp_path / "d.h5", "words") as words:
        mixed = {"words": words, "numbers": DATA["numbers"]}
        np.testing.assert_array_equal(two_inputs().predict(mixed)["price"], want["price"])
        one, other = two_inputs(), two_inputs()
        one.fit(mixed, TARGETS, optimizer=fn.SGD(0.1), batch_size=7, shuffle=False)
        other.fit(DATA, TARGETS, optimizer=fn.SGD(0.1), batch_size=7, shuffle=False)
        assert one.parameters.flat.tobytes() == other.parameters.flat.tobytes()


@pytest.mark.parametrize("fused", [True, False])
def test_frozen_layers_stay_as_they_are(fused):
    stack = [fn.Dense(4, "tanh", freeze=True), fn.BatchNorm(freeze=True), fn.Dense(4, "tanh"), fn.Dense(2, l2=0.1)]
    model = fn.Sequential(stack, input_shape=3, dtype="float64")
    before, statistics = model.parameters.copy(), model.buffers.copy()
    x, y = RNG.normal(size=(30, 3)), RNG.integers(0, 2, 30)
    optimizer = fn.AdamW(0.1, weight_decay=0.1, clip_norm=1.0)
    callbacks = [] if fused else [fn.GradientNorms(1)]
    model.fit(x, y, optimizer=optimizer, batch_size=7, epochs=2, callbacks=callbacks)
    moved = {name for name, array in model.parameters.items() if (array != before[name]).any()}
    assert moved == {"dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b"}
    assert all((model.buffers[name] == array).all() for name, array in statistics.items())
    _, gradients = model.loss_and_gradients(x, y)
    assert set(gradients) == moved
    assert max(fn.check_gradients(model, x, y).values()) < 1e-7
    assert "frozen" in model.summary()


def test_layers_of_a_model_are_frozen_and_trained_again(tmp_path):
    def moved(model):
        before = model.parameters.copy()
        model.train_on_batch(RNG.normal(size=(9, 3)), np.arange(9) % 2, optimizer="sgd")
        model.fit(RNG.normal(size=(9, 3)), np.arange(9) % 2, optimizer="sgd", batch_size=4)
        return {name.partition(".")[0] for name, array in model.parameters.items() if (array != before[name]).any()}

    model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(4, "tanh", name="middle"), fn.Dense(2)], input_shape=3)
    assert moved(model) == {"dense", "middle", "dense_1"}
    model.freeze("dense", "middle")
    assert moved(model) == {"dense_1"}
    before = model.parameters.copy()
    fn.SGD(0.1).step(model.parameters, model.loss_and_gradients(np.ones((4, 3)), np.zeros(4, int))[1])
    assert {name for name, array in model.parameters.items() if (array != before[name]).any()} == {
        "dense_1.w", "dense_1.b",
    }  # fmt: skip
    model.save(tmp_path / "m.h5")
    assert moved(fn.load(tmp_path / "m.h5")) == {"dense_1"}
    model.unfreeze("middle")
    assert moved(model) == {"middle", "dense_1"}
    model.unfreeze()
    assert moved(model) == {"dense", "middle", "dense_1"}
    with pytest.raises(ValueError, match="unknown layer 'middel'; did you mean middle"):
        model.freeze("middel")


def test_a_frozen_layer_takes_no_part_in_the_norm_that_clips():
    def trained(freeze):
        stack = [fn.Dense(4, "tanh", freeze=freeze), fn.Dense(2)]
        model = fn.Sequential(stack, input_shape=3, dtype="float64", seed=2)
        x, y = np.random.default_rng(1).normal(size=(9, 3)), np.arange(9) % 2
        _, gradients = model.loss_and_gradients(x, y)
        norm = np.sqrt(sum((gradients[name] ** 2).sum() for name in ("dense_1.w", "dense_1.b")))
        before = model.parameters["dense_1.w"].copy()
        model.fit(x, y, optimizer=fn.SGD(1.0, clip_norm=norm / 2), batch_size=None)
        return before - model.parameters["dense_1.w"], gradients["dense_1.w"] / 2

    np.testing.assert_allclose(*trained(True), rtol=1e-12)
    step, half = trained(False)
    assert np.abs(step).max() < 0.95 * np.abs(half).max(), "clips by the norm of all gradients"


def test_outputs_of_a_layer():
    model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dropout(keep=0.5), fn.Dense(2)], input_shape=3)
    x = RNG.normal(size=(1200, 3))
    w, b = model.parameters["dense.w"], model.parameters["dense.b"]
    np.testing.assert_allclose(model.outputs_of("dense", x), np.tanh(x @ w + b), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.outputs_of("dropout", x), model.outputs_of("dense", x))
    with pytest.raises(ValueError, match="unknown layer 'dens'; did you mean dense"):
        model.outputs_of("dens", x)


def test_a_config_makes_the_same_network():
    model = two_inputs(metrics={"price": ["mae"]}, loss_weights={"word": 0.5}, l2=0.01)
    again = network_of(config_of(model.network))
    assert config_of(again) == config_of(model.network)
    assert again.names == model.network.names
    assert [metric.name for metric in again.metrics] == ["word_loss", "word_accuracy", "price_loss", "price_mae"]


def test_statistics_of_a_table_are_those_of_the_training_data():
    x = np.column_stack([RNG.normal(50, 3, 40), RNG.integers(0, 4, 40), RNG.normal(-2, 0.1, 40)])
    model = fn.Sequential([fn.Columns([0, 2], {1: 4}), fn.Dense(1)], input_shape=3, loss="mse")
    model.fit(x, x[:, 0], optimizer=fn.Adam(0.01), validation_split=0.25)
    np.testing.assert_allclose(model.buffers["columns.mean"], x[:30, [0, 2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(model.buffers["columns.std"], x[:30, [0, 2]].std(axis=0), rtol=1e-6)
    kept = model.buffers.copy()
    model.fit(x + np.array([1, 0, 1]), x[:, 0], optimizer=fn.Adam(0.01))
    assert all((model.buffers[name] == array).all() for name, array in kept.items()), "a training that goes on"


X = fn.Input(3)
OTHER = fn.Input(3)
Y = fn.Dense(2)(X)
SHARED, NORM = fn.Dense(4), fn.BatchNorm()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fn.Dense(2)(np.zeros((4, 3))), TypeError, "Dense was called with ndarray.*put the layer into a model"),
        (lambda: fn.Dense(2)(X, OTHER), TypeError, "Dense takes one input, got 2; Add and Concatenate"),
        (lambda: fn.Add()(X), fn.ShapeError, "Add got 1 input"),
        (lambda: fn.Add()(X, Y), fn.ShapeError, r"shapes \(3,\), \(2,\), expected equal"),
        (lambda: fn.Model(X, X), ValueError, "expected at least one layer"),
        (lambda: fn.Model(OTHER, Y), ValueError, r"need an input of shape \(3,\) that is not among `inputs`"),
        (lambda: fn.Model([X, OTHER], Y), ValueError, "no output needs the input 'input_1'"),
        (lambda: fn.Model(X, [Y, Y]), ValueError, "a value stands twice"),
        (lambda: fn.Model(Y, Y), ValueError, "holds what a layer makes"),
        (lambda: fn.Model(X, fn.Dense(2)), TypeError, "outputs is Dense"),
        (lambda: fn.Model(X, {"a": Y, "b": fn.Dense(3)(Y)}, loss={"a": "mse"}), ValueError, "'b' has no loss"),
        (lambda: fn.Model(X, Y, loss={"score": "mse"}), ValueError, "loss names the output 'score'"),
        (lambda: fn.Model(X, Y, loss_weights={"dense": -1}), ValueError, "is -1, expected a finite number ≥ 0"),
        (lambda: fn.Model(X, fn.Dense(3, tied_to="embeding")(Y)), ValueError, "tied to 'embeding'"),
        (lambda: fn.Model(X, fn.Dense(9, tied_to="dense")(Y)), fn.ShapeError, "expected"),
        (lambda: fn.Model(X, fn.Dense(2, name="a.b")(X)), ValueError, "text without"),
        (lambda: fn.Model({"a": X, "b": X}, Y), ValueError, "an input stands twice"),
        (lambda: fn.Model({1: X}, Y), TypeError, "inputs has the name 1, expected text"),
        (lambda: fn.Model(X, {1: Y, 2: fn.Dense(3)(Y)}), TypeError, "outputs has the name 1, expected text"),
        (lambda: fn.Model(X, {"val": Y, "o": fn.Dense(3)(Y)}), ValueError, "'val': figures that begin so"),
        (lambda: fn.Model(X, {"val_a": Y, "a": fn.Dense(3)(Y)}), ValueError, "'val_a': figures that begin so"),
        (lambda: fn.Model(X, SHARED(SHARED(X))), fn.ShapeError, r"shapes \(3,\) and \(4,\), but both uses share"),
        (lambda: fn.Model(X, NORM(fn.Dense(4)(NORM(X)))), fn.ShapeError, "batch_norm is called with samples of shapes"),
        (lambda: fn.Dense(3, tied_to=SHARED), TypeError, "tied_to is Dense, expected the name of a layer"),
        (lambda: fn.Model(X, fn.Dense(2, name="a\0b")(X)), ValueError, "expected printable text"),
        (lambda: fn.Model(X, fn.Dense(2, freeze="no")(X)), TypeError, "Dense: freeze is 'no', expected True or False"),
        (lambda: fn.Model(X, [Y, fn.Dense(3)(Y)], loss_weights=[1, 2]), TypeError, "expected a dict by output, such"),
        (lambda: fn.Model(X, Y, loss_weights=0.5), TypeError, "loss_weights is 0.5"),
        (lambda: fn.Model(X, [Y, fn.Dense(3)(Y)], loss=["mse", "mse"]), TypeError, "several outputs a dict of them"),
        (lambda: fn.Dense(3, tied_to="dense", l2=0.1), ValueError, "l1, l2 or max_norm beside tied_to='dense'"),
        (lambda: fn.Dense(3, tied_to="dense", max_norm=1), ValueError, "give it to the layer of that name"),
        (lambda: fn.Dense(3, tied_to="e")(fn.Input((4, 4))), fn.ShapeError, r"shape \(4, 4\), expected \(inputs,\)"),
        (lambda: fn.Sequential([fn.Dense(2, name="a"), fn.Dense(2, name="a")], input_shape=2), ValueError, "twice"),
        (lambda: fn.Model(X, fn.Flatten()(fn.Embedding(5, 2)(Y))), ValueError, "takes word ids and so must be the fir"),
        (lambda: two_inputs().predict(DATA["words"]), fn.DataError, "expected a dict with an array for each of"),
        (lambda: two_inputs().predict((DATA["words"],)), fn.DataError, "x is a tuple of 1, expected a dict.* in order"),
        (lambda: two_inputs().predict({"words": DATA["words"]}), fn.DataError, r"expected the inputs \['numbers', 'wo"),
        (lambda: two_inputs().evaluate(DATA, TARGETS | {"word": TARGETS["price"]}), fn.DataError, r"y\['word'\]\[0\]"),
    ],
)
def test_what_makes_no_network_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_numbers_and_word_ids_do_not_go_by_one_input():
    ids = fn.Input(3)
    with pytest.raises(ValueError, match="embedding takes input as word ids, dense as numbers"):
        fn.Model(ids, fn.Add()(fn.Sum()(fn.Embedding(5, 2)(ids)), fn.Dense(2)(ids)))


def test_a_layer_whose_parameters_fit_may_be_shared_by_samples_of_other_shapes():
    x, dense, norm = fn.Input((5, 3)), fn.Dense(3, "tanh"), fn.BatchNorm()
    many = norm(dense(x))
    one = norm(dense(fn.GlobalAveragePool()(many)))
    model = fn.Model(x, fn.Dense(2)(fn.Concatenate()(one, fn.Flatten()(many))), dtype="float64")
    assert max(fn.check_gradients(model, RNG.normal(size=(6, 5, 3)), RNG.integers(0, 2, 6)).values()) < 1e-7


def test_the_weight_of_an_only_output_survives_a_file(tmp_path):
    x = fn.Input(3)
    model = fn.Model(x, fn.Dense(2)(x), loss_weights={"dense": 0.5}, dtype="float64")
    model.save(tmp_path / "model.h5")
    data, labels = RNG.normal(size=(7, 3)), RNG.integers(0, 2, 7)
    assert fn.load(tmp_path / "model.h5").evaluate(data, labels) == model.evaluate(data, labels)


def test_a_file_s_other_losses_stay_where_some_are_given(tmp_path):
    model = two_inputs()
    model.save(tmp_path / "model.h5")
    loaded = fn.load(tmp_path / "model.h5", loss={"price": "mae"})
    assert [output.loss.name for output in loaded.network.outputs] == ["softmax_cross_entropy", "mae"]
    assert loaded.evaluate(DATA, TARGETS)["word_loss"] == model.evaluate(DATA, TARGETS)["word_loss"]


def test_statistics_of_a_layer_on_two_inputs_are_those_of_both():
    one, other, shared = fn.Input(2), fn.Input(2), fn.Columns([0, 1])
    model = fn.Model([one, other], fn.Dense(1)(fn.Add()(shared(one), shared(other))), loss="mse", dtype="float64")
    x = RNG.normal(size=(20, 2)), RNG.normal(9, 3, (20, 2))
    model.fit(x, x[0][:, 0], optimizer=fn.SGD(0.01))
    np.testing.assert_allclose(model.buffers["columns.mean"], np.concatenate(x).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(model.buffers["columns.std"], np.concatenate(x).std(axis=0), rtol=1e-12)


def test_batches_and_validation_data_with_a_tuple_of_inputs():
    one, other = fn.Input(3), fn.Input(3)
    x, y = (RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3))), RNG.normal(size=(8, 3))

    def fitted(*data, **settings):
        outputs = [fn.Dense(3)(one), fn.Dense(3)(fn.Add()(one, other))]
        model = fn.Model([one, other], outputs, loss="mse", dtype="float64")
        return model.fit(*data, optimizer=fn.SGD(0.1), batch_size=None, shuffle=False, **settings)

    want = fitted(x, (y, y), validation_data=({"input": x[0], "input_1": x[1]}, (y, y)))
    for together in (x, list(x)):
        for pair in ((together, (y, y)), [together, [y, y]]):
            got = fitted([pair], validation_data=pair)
            assert got["loss"] == want["loss"]
            assert got["val_loss"] == want["val_loss"]
            assert fitted([pair], validation_data=[pair, pair])["val_loss"] == pytest.approx(want["val_loss"])


def test_two_rows_in_a_list_are_validation_data():
    model = fn.Sequential([fn.Dense(2)], input_shape=3)
    rows, labels = [np.ones(3), np.zeros(3)], [0, 1]
    history = model.fit(rows, labels, validation_data=(rows, labels), optimizer=fn.SGD(0.0))
    assert history["val_loss"] == [model.evaluate(rows, labels)["loss"]]


def test_a_deep_net_is_no_matter_of_recursion():
    value = first = fn.Input(2)
    for _ in range(3000):
        value = fn.Activation("tanh")(value)
    assert len(graph_of(first, value).calls) == 3000
