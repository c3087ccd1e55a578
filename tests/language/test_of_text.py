"""fn.LanguageModel.from_text and fit: from a file to a trained model."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError, FileFormatError
from tests.language.nets import whole
from tests.tiny import jit_only

BOOK = "The old man saw the dog. " * 40 + "A fox, sly and naïve! The man was old. " * 29


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTNN_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    return tmp_path / "book.txt"


SMALL = {"width": 4, "hidden": 8}


@jit_only
def test_a_model_of_a_text_in_three_lines(book):
    model = fn.LanguageModel.from_text(book, order=3, **SMALL)
    history = model.fit(epochs=8, batch_size=20, verbose=False)
    assert model.context == 2
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert model.predict("the old", 1)[0][0] == "man"
    model.save(book.with_name("m.h5"))
    again = fn.LanguageModel.load(book.with_name("m.h5"))
    assert again.fit([book], epochs=1, batch_size=20, verbose=False)["loss"][0] < history["loss"][0]


@jit_only
@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_a_recurrent_model_of_a_text(book, tokens):
    model = fn.LanguageModel.from_text(book, tokens=tokens, **SMALL)
    assert model.is_recurrent
    assert model.context == 64
    history = model.fit(epochs=6, verbose=False)
    assert history["val_loss"][-1] < history["val_loss"][0]
    model.save(book.with_name("m.h5"))
    again = fn.LanguageModel.load(book.with_name("m.h5"))
    assert again.predict("the old") == model.predict("the old")
    assert again.fit(book, epochs=1, verbose=False)["loss"][0] < history["loss"][0]


@jit_only
def test_large_vocabularies_and_texts(book, monkeypatch):
    monkeypatch.setattr("fastnn.language.network.LARGE_VOCABULARY", 10)
    monkeypatch.setattr("fastnn.language.network.SAMPLES", 4)
    monkeypatch.setattr("fastnn.data.formats.text_to_ids.LARGE_BYTES", 100)
    model = fn.LanguageModel.from_text(book, val=book, test=[book], **SMALL)
    assert isinstance(model.model.network.layers[-1], fn.SampledSoftmax)
    model.fit(epochs=1, batch_size=20, verbose=False)
    assert model.data.train.is_streamed
    assert len(model.data.val) == 2 * len(model.data.train) - 1, "half of each row has been predicted before"
    assert model.score("The old man saw the dog.").perplexity < 40
    model.data.meta["grams"].train.y.close()


def test_vectors_to_start_from(book):
    first = fn.LanguageModel.from_text(book, **SMALL, seed=1)
    first.export(book.with_name("v.txt"))
    usual = [i for i, word in enumerate(first.vocabulary.words) if word[0] != "<"]
    second = fn.LanguageModel.from_text(book, **SMALL, vectors=book.with_name("v.txt"))
    np.testing.assert_array_equal(second.vectors[usual], first.vectors[usual])
    with pytest.raises(DataError, match=r"has 4 numbers, expected 5, .*width="):
        fn.LanguageModel.from_text(book, width=5, hidden=8, vectors=book.with_name("v.txt"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: fn.LanguageModel.fit("book.txt"),
            r"LanguageModel\.fit is called on a class, .*from_text\('book\.txt'\)",
        ),
        (lambda: fn.LanguageModel.generate("the"), r"LanguageModel\.generate is called on a class"),
        (lambda: fn.Sequential.predict(np.zeros((1, 4))), r"predict is called on a class, .*model\.predict\(x\)"),
        (lambda: fn.LanguageModel("book.txt"), r"got str; fn\.LanguageModel\.from_text\(path\) makes one"),
        (lambda: whole().fit("book.txt", 3), r"LanguageModel\.fit takes one argument by position, got 2"),
        (lambda: whole().fit(text="a"), r"has no argument 'text'; texts are given by their paths, .* or as texts="),
        (lambda: whole().fit(5), r"the path of a text is 5, expected a file, a folder"),
        (lambda: fn.LanguageModel.from_text(["book.txt", 5]), r"the path of a text is 5"),
        (lambda: setattr(whole().model, "epoch", "x"), r"epoch is 'x', expected a whole number"),
        (lambda: setattr(fn.SGD(0.1), "iteration", "x"), r"SGD: iteration is 'x', expected a whole number"),
    ],
)
def test_wrong_calls_say_what_to_do(call, said):
    with pytest.raises(TypeError, match=said):
        call()


@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize(
    "texts", [BOOK, [BOOK], [BOOK[:500], "", "\ufeffNo end", BOOK[500:]]], ids=["one", "list", "documents"]
)
def test_texts_in_memory_are_read_as_files_are(book, order, texts):
    """Of documents each is a file; the mark of a file's encoding is no character of it."""
    paths = [book.with_name(f"{i}.txt") for i in range(1 if isinstance(texts, str) else len(texts))]
    for path, text in zip(paths, [texts] if isinstance(texts, str) else texts, strict=True):
        path.write_text(text, encoding="utf-8", newline="")
    want = fn.LanguageModel.from_text(paths, order=order, **SMALL)
    found = fn.LanguageModel.from_text(texts=texts, order=order, **SMALL)
    assert found.vocabulary.words == want.vocabulary.words
    assert found.tokenizer.config() == want.tokenizer.config()
    for name, split in want.data.splits().items():
        np.testing.assert_array_equal(found.data.splits()[name].x, split.x)
        np.testing.assert_array_equal(found.data.splits()[name].y, split.y)
    np.testing.assert_array_equal(found.vectors, want.vectors)


@pytest.mark.parametrize("order", [None, 3])
def test_texts_in_memory_validate_and_test_as_files_do(book, order):
    paths = {"val": BOOK[:600], "test": ["A fox saw a dog. " * 30, "No end"]}
    for name, texts in paths.items():
        folder = book.with_name(name)
        folder.mkdir()
        for number, text in enumerate([texts] if isinstance(texts, str) else texts):
            (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    given = {"val_texts": paths["val"], "test_texts": iter(paths["test"])}
    want = fn.LanguageModel.from_text(
        book, val=book.with_name("val"), test=book.with_name("test"), order=order, **SMALL
    )
    found = fn.LanguageModel.from_text(book, order=order, **given, **SMALL)
    for name, split in want.data.splits().items():
        np.testing.assert_array_equal(found.data.splits()[name].x, split.x)
        np.testing.assert_array_equal(found.data.splits()[name].y, split.y)
    assert found.data.meta["parts"] == want.data.meta["parts"]


def test_texts_in_memory_that_are_in_two_splits_are_told(book):
    texts = [BOOK, "A fox. ", "A fox. ", "The dog saw a fox. "]
    model = fn.LanguageModel.from_text(
        texts=texts, val_texts=[*texts[1:], "The fox. "], test_texts="The fox. ", **SMALL
    )
    assert model.data.meta["twice"] == [
        "2 texts, as texts[1], are both training and validation text: figures on them say nothing of new text",
        "val_texts[3] is both validation and test text: figures on it say nothing of new text",
    ]


@jit_only
def test_another_text_is_trained_on_with_one_to_validate_on(book):
    model = fn.LanguageModel.from_text(book, order=3, **SMALL)
    given = {"epochs": 1, "batch_size": 20, "verbose": False}
    model.fit(texts=BOOK, val_texts=["The old man saw a dog. "] * 3, **given)
    other = fn.LanguageModel.from_text(book, order=3, **SMALL)
    book.with_name("val.txt").write_text("The old man saw a dog. " * 3, encoding="utf-8")
    other.fit(book, val=book.with_name("val.txt"), **given)
    assert model.model.history["val_loss"] == other.model.history["val_loss"]
    with pytest.raises(DataError, match="val and val_texts go with a text to train on: give them to from_text"):
        model.fit(val_texts="The old man.")


@jit_only
def test_texts_in_memory_train_and_go_on(book):
    """An iterator of texts is gone through once."""
    want = fn.LanguageModel.from_text(book, val=book, order=3, **SMALL)
    found = fn.LanguageModel.from_text(texts=iter([BOOK]), val=book, order=3, **SMALL)
    for model, given in ((want, {"path": book}), (found, {"texts": [BOOK]})):
        model.fit(epochs=1, batch_size=20, verbose=False)
        model.fit(**given, epochs=1, batch_size=20, verbose=False)
    assert found.model.history["loss"] == want.model.history["loss"]


def test_short_documents_end_sentences_as_lines_do(book):
    """They have no punctuation, and the first one alone is too short to show where sentences end."""
    texts = ["the old man saw the dog", "a sly fox", "the dog saw a fox"] * 20
    model = fn.LanguageModel.from_text(texts=texts, order=3, min_count=1, **SMALL)
    assert model.data.meta["sentences"] == 60
    assert model.tokenizer.sentences_end == "lines"
    assert model.data.meta["source"] == "texts"


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"path": BOOK}, FileFormatError, r"^'The old man .* does not exist, .*; a text itself is given as texts=$"),
        ({"path": [BOOK, BOOK]}, FileFormatError, "a text itself is given as texts="),
        ({"path": "a\0b"}, FileFormatError, "does not exist"),
        ({"path": BOOK, "texts": BOOK}, TypeError, "both path and texts are given"),
        ({"path": [], "val": BOOK, "val_texts": BOOK}, TypeError, "both val and val_texts are given"),
        ({"texts": BOOK, "test": BOOK}, FileFormatError, "a text itself is given as test_texts="),
        ({"texts": BOOK, "val_texts": [BOOK, 1]}, TypeError, r"val_texts\[1\] is 1, expected a text"),
        ({"texts": BOOK, "test_texts": []}, DataError, "test_texts is empty"),
        ({"texts": BOOK, "validation_data": BOOK}, TypeError, "val=, or as val_texts="),
        ({}, DataError, "there is no path of a text to train on, expected at least one; or give texts="),
        ({"texts": []}, DataError, "texts is empty"),
        ({"texts": ["a b", None]}, TypeError, r"texts\[1\] is None, expected a text"),
        ({"texts": b"a b"}, TypeError, "texts is b'a b', expected a text, or a list of texts; files are given by"),
        ({"texts": {"a": "b"}}, TypeError, "expected a text, or a list of texts"),
        ({"texts": 3}, TypeError, "texts is 3, expected a text"),
        ({"texts": "a\0b"}, DataError, r"texts\[0\] is no plain text: character 1 is zero"),
        ({"texts": ["a", "b \ud800"]}, DataError, r"texts\[1\] is no text: character 2 is half of a surrogate pair"),
        ({"texts": "word"}, DataError, "'texts' is too small"),
        ({"text": "a b"}, TypeError, "use texts="),
    ],
)
def test_texts_that_are_none_say_what_to_do(given, error, said):
    with pytest.raises(error, match=said) as found:
        fn.LanguageModel.from_text(**given)
    assert len(str(found.value)) < 500


def test_no_text_to_train_on(book):
    with pytest.raises(DataError, match="there is no text to train on: give its path"):
        whole().fit()
    book.write_text("word", encoding="utf-8")
    with pytest.raises(DataError, match="is too small"):
        fn.LanguageModel.from_text(book)
    with pytest.raises(DataError, match="there is no path of a text"):
        fn.LanguageModel.from_text([])
    with pytest.raises(FileFormatError, match="does not exist"):
        whole().fit("absent.txt")
