"""What can be asked of a model, and what it answers to data that does not fit."""

import copy
import gc
import pickle

import numpy as np
import pytest

import fastnn as fn
from fastnn.engine.program import Program
from tests.tiny import WORDS, bits, dense_model, fit, jit_only, python, tiny_model, trigrams

# In a process of its own: what this looks for is a crash.
AT_ONCE = """
import sys, threading
import numpy as np
from tests.tiny import tiny_model, trigrams

model = tiny_model(width=16, hidden=16)
inputs = [trigrams(20, seed=seed)[0] for seed in range(4)]
want = [model.predict(x) for x in inputs]
wrong = []
sys.setswitchinterval(1e-6)

def ask(i):
    wrong.extend(i for _ in range(50) if not np.array_equal(model.predict(inputs[i]), want[i]))

askers = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
for asker in askers: asker.start()
for asker in askers: asker.join()
print(wrong)
"""


class TestPredict:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("summed", [False, True])
    def test_probabilities_are_the_softmax_of_the_logits(self, dtype, summed, data):
        model = tiny_model(dtype=dtype, summed=summed)
        p, scores = model.predict(data[0]), model.predict(data[0], logits=True)
        assert p.shape == scores.shape == (40, WORDS)
        assert p.dtype == scores.dtype == dtype
        want = np.exp(scores.astype(np.float64))
        np.testing.assert_allclose(p, want / want.sum(axis=1, keepdims=True), rtol=1e-5)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)

    def test_logits_are_the_formula(self, data):
        model = tiny_model(dtype="float64")
        p = model.parameters
        hidden = 1 / (1 + np.exp(-(p["embedding.w"][data[0]].reshape(40, -1) @ p["dense.w"] + p["dense.b"])))
        np.testing.assert_allclose(
            model.predict(data[0], logits=True), hidden @ p["dense_1.w"] + p["dense_1.b"], rtol=1e-12
        )

    @pytest.mark.parametrize(("width", "hidden"), [(3, 5), (16, 17)])
    @pytest.mark.parametrize("logits", [False, True])
    def test_a_row_is_the_same_alone_and_in_a_batch(self, width, hidden, logits):
        model = tiny_model(width=width, hidden=hidden)
        x, _ = trigrams(509)  # more than one batch of evaluation, the last one no multiple of a tile
        together = model.predict(x, logits=logits)
        for i in (0, 1, 2, 3, 498, 499, 500, 505, 507, 508):
            assert np.array_equal(model.predict(x[i : i + 1], logits=logits)[0], together[i]), i
        assert np.array_equal(model.predict(x[1:8], logits=logits), together[1:8])

    def test_follows_the_parameters(self, data):
        model = tiny_model()
        before = model.predict(data[0])
        model.set_parameters({"dense_1.b": model.parameters["dense_1.b"] + np.arange(WORDS)})
        assert not np.array_equal(model.predict(data[0]), before)

    def test_the_answer_is_the_caller_s_own(self, data):
        model = tiny_model()
        first = model.predict(data[0])
        kept = first.copy()
        model.predict(data[0][::-1])
        assert np.array_equal(first, kept)

    def test_threads_may_ask_one_model_at_once(self):
        assert python(AT_ONCE).split() == ["[]"]


class TestFit:
    def test_learns_the_rule(self):
        model = fit(tiny_model(width=8, hidden=16), epochs=12, count=60, batch_size=8)
        before, after = tiny_model(width=8, hidden=16).evaluate(*trigrams(60)), model.evaluate(*trigrams(60))
        assert after["accuracy"] > 0.7 > before["accuracy"]
        assert after["loss"] < 0.6 * before["loss"]

    def test_none_means_one_batch_of_everything(self, data):
        one, by_number = tiny_model(), tiny_model()
        fit(one, batch_size=None, epochs=3)
        fit(by_number, batch_size=40, epochs=3)
        assert len(one.history.steps["loss"]) == 3
        assert bits(one.parameters) == bits(by_number.parameters)

    def test_fewer_samples_than_a_batch(self):
        assert bits(fit(tiny_model(), batch_size=1000).parameters) == bits(fit(tiny_model(), batch_size=40).parameters)

    def test_the_last_short_batch_is_kept(self):
        model = fit(tiny_model(), batch_size=16)
        assert len(model.history.steps["loss"]) == 3
        x, y = trigrams()
        unshuffled, first_two = tiny_model(), tiny_model()
        unshuffled.fit(x, y, optimizer=fn.SGD(0.1), batch_size=16, shuffle=False, verbose=False)
        first_two.fit(x[:32], y[:32], optimizer=fn.SGD(0.1), batch_size=16, shuffle=False, verbose=False)
        last_eight, _ = first_two.loss_and_gradients(x[32:], y[32:])
        assert unshuffled.history.steps["loss"][2] == last_eight
        assert bits(unshuffled.parameters) != bits(first_two.parameters)

    def test_one_sample_at_a_time(self):
        model = fit(tiny_model(), count=5, batch_size=1)
        assert len(model.history.steps["loss"]) == 5

    def test_labels_may_stand_in_a_column(self, data):
        x, y = data
        flat, column = tiny_model(), tiny_model()
        flat.fit(x, y, optimizer=fn.SGD(0.1), verbose=False)
        column.fit(x, y[:, None], optimizer=fn.SGD(0.1), verbose=False)
        assert bits(flat.parameters) == bits(column.parameters)

    def test_validation_is_evaluation_of_the_other_data(self, data):
        other = trigrams(20, seed=1)
        model = fit(tiny_model(), validation_data=other)
        last = model.history.epochs[-1]
        assert {"loss": last["val_loss"], "accuracy": last["val_accuracy"]} == model.evaluate(*other)

    def test_loss_of_an_epoch_is_the_mean_over_its_samples(self, data):
        model = fit(tiny_model(), optimizer=fn.SGD(0.0))
        want = model.evaluate(*data)
        np.testing.assert_allclose(model.history.epochs[0]["loss"], want["loss"], rtol=1e-6)
        assert model.history.epochs[0]["accuracy"] == want["accuracy"]


KINDS = ["uint8", "uint16", "int32", "int64", "int8", ">i4", "float32"]


class TestInputKinds:
    @pytest.mark.parametrize("kind", KINDS)
    def test_ids_and_labels_of_any_whole_number_type(self, kind, data):
        model = tiny_model()
        want_loss, want = model.loss_and_gradients(*data)
        loss, got = model.loss_and_gradients(data[0].astype(kind), data[1].astype(kind))
        assert (loss, bits(got)) == (want_loss, bits(want))

    def test_lists_read_only_strided_and_unaligned_arrays(self, data):
        x, y = data
        model = tiny_model()
        want = model.predict(x)
        read_only = x.copy()
        read_only.flags.writeable = False
        unaligned = np.frombuffer(b"\0" + x.astype(np.int32).tobytes(), np.int32, offset=1).reshape(x.shape)
        for same in (x.tolist(), read_only, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], unaligned):
            assert np.array_equal(model.predict(same), want)
        assert model.evaluate(x.tolist(), y.tolist()) == model.evaluate(x, y)

    @pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "float64", "float16", "bool"])
    def test_numbers_of_any_type(self, kind):
        x = np.random.default_rng(0).integers(0, 2, (6, 5))
        model = dense_model(dtype="float64")
        assert np.array_equal(model.predict(x.astype(kind)), model.predict(x.astype(np.float64)))

    def test_the_data_is_not_changed(self, data):
        x, y = data[0].astype(np.uint8), data[1].astype(np.uint8)
        fit_on = x.copy(), y.copy()
        tiny_model().fit(*fit_on, optimizer=fn.SGD(0.1), verbose=False)
        assert np.array_equal(fit_on[0], x)
        assert np.array_equal(fit_on[1], y)


def test_loss_and_gradients_change_nothing(data):
    model = fit(tiny_model())
    before = bits(model.parameters), model.epoch, len(model.history), model.predict(data[0]).tobytes()
    first, again = model.loss_and_gradients(*data), model.loss_and_gradients(*data)
    assert before == (bits(model.parameters), model.epoch, len(model.history), model.predict(data[0]).tobytes())
    assert first[0] == again[0]
    assert bits(first[1]) == bits(again[1])
    assert {name: g.shape for name, g in first[1].items()} == {name: w.shape for name, w in model.parameters.items()}
    first[1]["dense.b"][...] = 7
    assert bits(model.parameters) == before[0]


def test_batch_loss_is_of_the_parameters_of_the_moment(data):
    model = tiny_model()
    loss = model.batch_loss(*data)
    assert loss() == model.loss_and_gradients(*data)[0]
    model.parameters["dense.w"][...] *= 2
    assert loss() == model.loss_and_gradients(*data)[0]


class TestParameters:
    def test_names_order_and_dtype(self):
        model = tiny_model(dtype="float64")
        assert list(model.parameters) == ["embedding.w", "dense.w", "dense.b", "dense_1.w", "dense_1.b"]
        assert all(array.dtype == np.float64 for array in model.parameters.values())
        assert model.buffers == {}

    def test_set_some_of_them(self):
        model = tiny_model()
        kept = model.parameters["dense.w"].copy()
        model.set_parameters({"dense.b": [1, 2, 3, 4, 5]})
        assert model.parameters["dense.b"].tolist() == [1, 2, 3, 4, 5]
        assert np.array_equal(model.parameters["dense.w"], kept)

    @pytest.mark.parametrize(
        ("values", "error", "message"),
        [
            ({"dense.ww": 1}, ValueError, "unknown parameter 'dense.ww'; did you mean dense.w"),
            ({"dense.b": np.ones(4)}, fn.ShapeError, r"dense.b has shape \(4,\), expected \(5,\)"),
            ({"dense.b": [1, 2, np.nan, 4, 5]}, fn.DataError, r"dense.b\[2\] is nan"),
            ({"dense.b": list("abcde")}, TypeError, "dense.b has dtype"),
            ({"dense.b": [[1], [2, 3]]}, fn.ShapeError, "dense.b is no array"),
        ],
    )
    def test_a_wrong_one_changes_none(self, values, error, message):
        model = tiny_model()
        before = bits(model.parameters)
        with pytest.raises(error, match=message):
            model.set_parameters({"dense_1.b": np.zeros(WORDS), **values})
        assert bits(model.parameters) == before


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_model_trains_on_its_own(again, data):
    model = fit(tiny_model())
    before = model.predict(data[0])
    copied = again(model)
    assert np.array_equal(copied.predict(data[0]), before)
    fit(copied)
    assert np.array_equal(model.predict(data[0]), before)
    assert not np.array_equal(copied.predict(data[0]), before)
    assert bits(fit(model).parameters) == bits(copied.parameters)


def test_memory_is_free_when_nobody_holds_it():
    """At once, not when Python looks for rings: arenas are large, and rings of few objects are looked for rarely."""

    def programs():
        return {id(one) for one in gc.get_objects() if type(one) is Program}  # isinstance would ask dead proxies

    x, y = np.ones((20, 3)), np.zeros(20, int)
    before = programs()
    gc.disable()
    try:
        model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(2)], input_shape=(3,))
        model.fit(x, y, optimizer=fn.Adam(0.01), batch_size=5, verbose=False, callbacks=[fn.Monitor()])
        model.evaluate(x, y)
        assert programs() - before
        del model
        assert not programs() - before
    finally:
        gc.enable()


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "mse"])
def test_no_targets_at_all_are_refused(loss):
    """And do not send kernels into an empty array."""
    x = np.ones((3000, 6), np.float32)
    model = fn.Sequential([fn.Dense(2)], input_shape=(6,), loss=loss)
    for call in (
        lambda: model.evaluate(x, None),
        lambda: model.fit(x, None, optimizer=fn.SGD(0.1), verbose=False),
        lambda: model.fit(x, np.zeros((3000, 2)), optimizer=fn.SGD(0.1), validation_data=(x, None), verbose=False),
    ):
        with pytest.raises((fn.ShapeError, fn.DataError, TypeError), match=r"\by\b"):
            call()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_and_statistics_change_by_name(dtype):
    model = fn.Sequential([fn.Dense(5), fn.BatchNorm(), fn.Dense(3)], input_shape=(4,), dtype=dtype)
    x = np.random.default_rng(0).normal(size=(6, 4))
    before = model.predict(x, logits=True)
    model.parameters["dense_1.w"] *= 2
    model.parameters["dense_1.b"] = np.array([1, 0, 0])
    np.testing.assert_allclose(model.predict(x, logits=True), 2 * before + [1, 0, 0], rtol=1e-5)
    model.buffers["batch_norm.var"] *= 4
    assert (model.buffers["batch_norm.var"] == 4).all()
    with pytest.raises(KeyError, match=r"did you mean dense.w or"):
        model.parameters["dens.w"] *= 2


@jit_only
@pytest.mark.parametrize("ask", ["model.predict(x)", "list(model.evaluate(x, [0, 1, 2, 0, 1, 2]).values())"])
def test_one_model_takes_one_dtype_after_another(ask):
    """In a process of its own, where no other model has made the second version of the kernel that gathers."""
    code = f"""
import numpy as np, fastnn as fn
from tests.tiny import dense_model
model, x = dense_model(dtype="float64"), np.random.default_rng(0).integers(0, 2, (6, 5))
got = []
for kind in ("uint8", "float64", "int32"):
    x = x.astype(kind)
    got.append(np.asarray({ask}).tobytes())
print(len(set(got)))
"""
    assert python(code).strip() == "1"


def test_meta_that_no_file_could_be_read_with():
    model = tiny_model()
    with pytest.raises(TypeError, match=r"model\.meta is 3, expected a dict"):
        model.meta = 3
    assert model.meta == {}
