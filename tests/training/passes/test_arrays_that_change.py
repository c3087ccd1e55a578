"""Arrays of ids and labels that something else writes to while they are used: an error, never a segmentation fault."""

import numba
import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError
from fastnn.data.source import checked_batch, source_of_inputs
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_predict
from tests.tiny import bits, dense_model, python, tiny_model, trigrams

FAR = 2**40


class Writes(fn.Callback):
    """Writes to an array after a step."""

    every = 3

    def __init__(self, array, value):
        self.array, self.value = array, value

    def on_batch_end(self, run):
        self.array[...] = self.value


def fit(model, x, y, **options):
    model.fit(x, y, **{"optimizer": fn.SGD(0.1), "batch_size": 16, "verbose": False, "epochs": 2} | options)


@pytest.mark.parametrize("value", [FAR, -1, -FAR])
@pytest.mark.parametrize("which", ["x", "y"])
def test_an_array_that_a_callback_writes_to(which, value):
    model, data = tiny_model(), dict(zip("xy", trigrams(200), strict=True))
    with pytest.raises(DataError, match=f"^{which} changed while it was used: numbers in it that were checked"):
        fit(model, **data, callbacks=[Writes(data[which], value)])
    assert all(np.isfinite(array).all() for array in model.parameters.values())
    fit(model, *trigrams(200))  # the error is not remembered


@pytest.mark.parametrize("options", [{"batch_size": None, "steps_per_epoch": 3}, {"batch_size": 1}])
def test_in_every_kind_of_pass(options):
    x, y = trigrams(40)
    with pytest.raises(DataError, match="x changed"):
        fit(tiny_model(), x, y, **options, epochs=9, callbacks=[Writes(x, FAR)])


def test_labels_of_nets_of_numbers_and_metrics_that_look_them_up():
    for metrics in ((), ("top_2",)):
        model = fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(3)], input_shape=(5,), metrics=metrics)
        x, y = np.random.default_rng(0).normal(size=(64, 5)), np.arange(64) % 3
        with pytest.raises(DataError, match="y changed"):
            fit(model, x, y, callbacks=[Writes(y, FAR)])


def test_of_several_inputs_the_one_that_changed_is_named():
    word, number = fn.Input((2,), name="word"), fn.Input((3,), name="number")
    joined = fn.Concatenate()([fn.Flatten()(fn.Embedding(7, 2)(word)), number])
    model = fn.Model([word, number], fn.Dense(2)(joined))
    x = {"word": np.ones((40, 2), np.int64), "number": np.ones((40, 3))}
    with pytest.raises(DataError, match="x of word changed"):
        fit(model, x, np.zeros(40, int), callbacks=[Writes(x["word"], FAR)])


class Assigns(fn.Callback):
    """Assigns an attribute of an array after a step."""

    every = 3

    def __init__(self, array, name, value):
        self.array, self.name, self.value = array, name, value

    def on_batch_end(self, run):
        setattr(self.array, self.name, self.value)


@pytest.mark.filterwarnings("ignore:Setting the .* on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "value"), [("shape", (20, 50)), ("shape", (1000, 1)), ("shape", -1), ("dtype", "float32")]
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_array_whose_shape_or_dtype_is_assigned(name, value, shuffle):
    """The numbers stay, and so does what is trained. Once samples were counted anew, far beyond the targets."""
    x, y = np.random.default_rng(0).normal(size=(200, 5)), np.arange(200) % 3
    want, got = dense_model(), dense_model()
    fit(want, x, y, shuffle=shuffle)
    fit(got, x, y, shuffle=shuffle, callbacks=[Assigns(x, name, value)])
    assert (x.shape, x.dtype) != ((200, 5), float)
    assert bits(got.parameters) == bits(want.parameters)


@pytest.mark.filterwarnings("ignore:Setting the .* on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize(("name", "value"), [("shape", (2, 100)), ("dtype", "float64"), ("dtype", "int16")])
def test_targets_whose_shape_or_dtype_is_assigned(name, value):
    x, y = trigrams(200)
    want, got = tiny_model(), tiny_model()
    fit(want, x, y)
    fit(got, x, y, callbacks=[Assigns(y, name, value)])
    assert bits(got.parameters) == bits(want.parameters)


def test_an_array_in_a_file(tmp_path):
    x, y = trigrams(200)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    with pytest.raises(DataError, match="x changed"):
        fit(tiny_model(), mapped, y, callbacks=[Writes(np.load(tmp_path / "x.npy", mmap_mode="r+"), FAR)])


def test_between_the_check_and_a_prediction_or_a_loss():
    model, (x, y) = tiny_model(), trigrams(40)
    loss = model.batch_loss(x, y)
    loss()
    runner = Runner(compile_predict(model.network, model.state, 40, logits=True))
    runner.start(source_of_inputs(model.network, x).start())
    x[7, 1] = FAR
    with pytest.raises(DataError, match="x changed"):
        loss()
    with pytest.raises(DataError, match="x changed"):
        runner.advance()
    runner.start(checked_batch(model.network, *trigrams(40)))
    runner.advance()


def test_a_thread_that_writes_all_the_time():
    # Without compiled kernels no index can leave an array, and the writer holds up each line of the loops.
    calls, samples = (4, 100) if numba.config.DISABLE_JIT else (60, 3000)
    code = f"""
import threading
import numpy as np
import fastnn as fn
from tests.tiny import tiny_model, trigrams

model, (x, y) = tiny_model(), trigrams({samples})
weights = {{label: 1.0 + label for label in range(11)}}
done, good, told = threading.Event(), x.copy(), 0

def write():
    while not done.is_set():
        x[:] = 2**40
        y[:] = -2**40
        x[:], y[:] = good, 1

thread = threading.Thread(target=write, daemon=True)
thread.start()
for call in range({calls}):
    try:
        match call % 4:
            case 0: model.fit(x, y, batch_size=50, class_weight=weights, verbose=False)
            case 1: model.predict(x)
            case 2: model.evaluate(x, y)
            case 3: fn.ops.embedding_backward(np.ones((len(x), 6)), x, 11)
    except fn.DataError:
        told += 1
done.set()
thread.join()
print("alive", told)
"""
    assert python(code).startswith("alive")


class Rows:
    """A stream of a user's own that reads `short` rows fewer than it is asked for, or in another dtype, from row 16."""

    row_bytes, chunk_rows = 3 * 8, 1

    def __init__(self, array, short=0, dtype=None, first=0):
        self.array, self.short, self.later, self.first = array, short, dtype or array.dtype, first
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def read(self, first, last):
        short, dtype = (self.short, self.later) if first + self.first >= 16 else (0, self.dtype)
        return self.array[first : last - short].astype(dtype)

    def part(self, first, last):
        return Rows(self.array[first:last], self.short, self.later, self.first + first)


@pytest.fixture
def _small_blocks(monkeypatch):
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BLOCK_BYTES", 16 * 24)
    monkeypatch.setattr("fastnn.data.streamed.SHUFFLE_BUFFER_BYTES", 64 * 24)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("short", [1, 16, -1])
def test_a_stream_that_reads_another_number_of_rows(short):
    """The rows that it leaves out would be those that the memory held before."""
    (x, y), model = trigrams(100), tiny_model()
    with pytest.raises(DataError, match=r"x: rows \d+ to \d+ of a stream: read \d+ rows, expected \d+"):
        fit(model, Rows(x, short), y)
    with pytest.raises(DataError, match="of a stream: read"):
        model.predict(Rows(x[:96], short))


@pytest.mark.usefixtures("_small_blocks")
def test_a_stream_that_reads_rows_of_another_dtype():
    """Cast to the dtype of the first ones, numbers that were checked would become others."""
    x, y = trigrams(100)
    with pytest.raises(DataError, match=r"int64 rows, the first were uint8"):
        fit(tiny_model(), Rows(x.astype(np.uint8), dtype=np.int64), y, shuffle=False)
    model = tiny_model()
    fit(model, Rows(x), y)
    assert np.isfinite(model.evaluate(Rows(x), y)["loss"])


def test_ids_that_are_right_again_when_the_wrong_one_is_looked_for(monkeypatch):
    monkeypatch.setattr("fastnn.common.validation.first_index", lambda array, wrong: None)
    with pytest.raises(DataError, match="x changed while it was checked"):
        tiny_model().predict(np.full((4, 3), 11))
