"""Spans of a text: every word is predicted once, whatever the length of the rows."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError
from fastnn.data.dataset import CompleteDataset
from fastnn.data.spans import Layout, Spans, in_spans, spans
from tests.tiny import jit_only


def text(words, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return fn.Split(rng.integers(1, 50, (words, width)), rng.integers(0, 50, words))


LAYOUTS = [(4, 0), (4, 2), (5, 2), (1, 0), (8, 7)]


@pytest.mark.parametrize(("length", "lead"), LAYOUTS)
@pytest.mark.parametrize("words", [1, 2, 7, 8, 9, 31])
def test_every_word_is_predicted_once_from_those_before_it(words, length, lead):
    given = text(words)
    found = spans(given, length, lead, start=77)
    asked = found.y >= 0
    np.testing.assert_array_equal(found.y[asked], given.y)
    np.testing.assert_array_equal(found.x[asked], given.x[:, -1])
    step = length - lead
    for i, row in enumerate(found.x):
        here = np.arange(i * step - lead, i * step + step)
        inside = (here >= 0) & (here < words)
        np.testing.assert_array_equal(row[inside], given.x[here[inside], -1])
        assert (row[~inside] == 77).all()


@pytest.mark.parametrize(("length", "lead"), LAYOUTS)
def test_parts_of_a_stream_are_the_rows_of_the_whole(length, lead):
    values = text(23).y
    stream = Spans(values, Layout(23, length, lead), -1, asked=True)
    whole = stream.read(0, len(stream))
    assert stream.shape == whole.shape
    for first in range(len(stream) + 1):
        for last in range(first, len(stream) + 1):
            np.testing.assert_array_equal(stream.read(first, last), whole[first:last])
            part = stream.part(first, last)
            np.testing.assert_array_equal(part.read(0, len(part)), whole[first:last])
    with pytest.raises(DataError, match="rows 0 to 99 of spans were asked for, expected 0 to"):
        stream.read(0, 99)


def test_held_out_words_have_half_a_row_before_them():
    parts = [text(30, seed=i) for i in range(3)]
    data = CompleteDataset(*parts, meta={"words": ["a", "<s>"]})
    found = in_spans(data, 8)
    assert (found.train.x.shape, found.val.x.shape) == ((4, 8), (8, 8))
    assert found.meta["grams"] is data
    assert (found.val.x[0, :4] == 1).all(), "<s> stands before the text"
    for row in range(1, 7):
        np.testing.assert_array_equal(found.val.x[row, :4], parts[1].x[row * 4 - 4 : row * 4, -1])


@jit_only
def test_a_text_from_a_file_trains_as_one_in_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTNN_DATA_DIR", str(tmp_path / "data"))
    book = tmp_path / "book.txt"
    book.write_text("The old man saw the dog. A fox, sly! " * 90, encoding="utf-8")
    found = []
    for ids_file in (None, tmp_path / "ids.h5"):
        data = in_spans(fn.data.load_text(book, val=book, test=book, ids_file=ids_file), 16)
        words = len(data.meta["words"])
        layers = [fn.Embedding(words, 4), fn.GRU(6, return_sequences=True), fn.Dense(words)]
        model = fn.Sequential(layers, input_shape=16, seed=1)
        model.fit(data.train.x, data.train.y, epochs=2, batch_size=8, shuffle=False, verbose=False)
        found.append((list(model.history["loss"]), model.evaluate(data.val.x, data.val.y)))
    assert data.train.is_streamed
    assert found[0] == found[1]
