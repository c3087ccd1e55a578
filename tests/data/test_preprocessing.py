"""What lies between a user's data and a network: pixels and words, alone and as data in a file."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.preprocessing import from_config
from fastnn.text.tokens import Tokenizer

GREY = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) * 10
DTYPES = [np.dtype(np.float32), np.dtype(np.float64)]


def converted(pixels, x, dtype=DTYPES[0]):
    return pixels.converted(x, "x", pixels.made_shape, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("form", [(2, 3, 4), (2, 3, 4, 1), (2, 12)])
def test_pixels(dtype, flat, form):
    mean = np.linspace(0, 9, 12).reshape(3, 4)
    got = converted(fn.Pixels((3, 4), divide=255, subtract=mean, flat=flat), GREY.reshape(form), dtype)
    want = (GREY.astype(dtype) - mean.astype(dtype)) / dtype.type(255)
    assert (got.dtype, got.shape) == (dtype, (2, 12) if flat else (2, 3, 4, 1))
    np.testing.assert_array_equal(got.ravel(), want.ravel())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("shape", "k"), [((4, 6), 2), ((4, 6, 3), 2), ((6, 3), 3), ((5, 5), 5)])
def test_smaller_pictures_are_means_of_blocks(shape, k, dtype):
    rng = np.random.default_rng(k)
    x, mean = rng.integers(0, 256, (7, *shape), np.uint8), rng.uniform(0, 255, shape)
    height, width, *_ = shape
    blocks = (x - mean).reshape(7, height // k, k, width // k, k, -1)
    want = blocks.mean(axis=(2, 4)) / 9
    pixels = fn.Pixels(shape, divide=9, subtract=mean, shrink=k)
    got = converted(pixels, x, dtype)
    assert (got.dtype, got.shape[1:]) == (dtype, pixels.made_shape)
    np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-5)
    rows = converted(fn.Pixels(shape, divide=9, subtract=mean, shrink=k, flat=True), x.reshape(7, -1), dtype)
    np.testing.assert_array_equal(rows, got.reshape(7, -1))


def test_pixels_that_nothing_is_done_with_keep_their_dtype():
    assert converted(fn.Pixels((3, 4)), GREY).dtype == np.uint8
    colours = np.zeros((2, 3, 4, 3), np.uint8)
    assert converted(fn.Pixels((3, 4, 3), flat=True), colours).shape == (2, 36)


def test_order_of_axes_and_kind_of_memory_do_not_matter():
    pixels = fn.Pixels((3, 4), divide=255)
    want = converted(pixels, GREY)
    for x in (
        np.asfortranarray(GREY),
        GREY.tolist(),
        GREY.astype(">i4"),
        GREY.astype(np.float64),
        GREY.astype(np.uint64),
    ):
        np.testing.assert_array_equal(converted(pixels, x), want)


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        (GREY[:, :2], fn.ShapeError, r"x has shape \(2, 2, 4\), expected \(N, 3, 4\)"),
        (GREY[0], fn.ShapeError, r"expected \(N, 3, 4\)"),
        (np.float64(1), fn.ShapeError, r"expected \(N, 3, 4\)"),
        (GREY[:0], fn.DataError, "x is empty"),
        (np.zeros((0, 12)), fn.DataError, "x is empty|expected"),
        (np.full((1, 3, 4), np.nan), fn.DataError, r"x\[0, 0, 0\] is nan"),
        (np.full((1, 3, 4), 1e300), fn.DataError, r"x\[0, 0, 0\] is 1e\+300"),
        (np.full((1, 3, 4), "a"), TypeError, "expected numbers"),
    ],
)
def test_what_are_no_pictures(x, error, said):
    with pytest.raises((error, fn.ShapeError), match=said):
        converted(fn.Pixels((3, 4), divide=255), x)


def test_pixels_that_were_divided_already():
    with pytest.warns(UserWarning, match="divides pixels by 255 itself"):
        converted(fn.Pixels((3, 4), divide=255), GREY / 255)
    # No warning, which would be an error here: black pictures, and pixels that nothing divides.
    assert not converted(fn.Pixels((3, 4), divide=255), GREY * 0.0).any()
    dark = converted(fn.Pixels((3, 4), divide=255), np.ones((2, 3, 4), np.uint8))
    assert (dark == np.float32(1 / 255)).all(), "whole numbers up to 1 are a dark picture, of which nothing is said"
    got = converted(fn.Pixels((3, 4)), GREY / 255)
    np.testing.assert_array_equal(got, (GREY / 255)[..., None])


def test_targets():
    pixels = fn.Pixels((3, 4), targets=(-1, 1))
    for labels in (np.array([0, 1, 1]), [0, 1, 1], np.array([0, 1, 1], np.uint8), [False, True, True]):
        np.testing.assert_array_equal(pixels.targets_of(labels, "y"), [-1.0, 1.0, 1.0])
    floats = np.array([0.5, -1.0])
    assert pixels.targets_of(floats, "y") is floats
    with pytest.raises(fn.DataError, match=r"y\[1\] is 2, expected 0 to 1 \(labels of 2 classes; the numbers -1 and 1"):
        pixels.targets_of([0, 2], "y")


@pytest.mark.parametrize(
    "fields",
    [
        {"shape": 3},
        {"shape": (3,)},
        {"shape": (3, 0)},
        {"shape": (3, 1.5)},
        {"shape": (3, 4, 1, 1)},
        {"divide": 0},
        {"divide": np.nan},
        {"divide": "255"},
        {"flat": 1},
        {"subtract": np.zeros((4, 3))},
        {"subtract": np.full((3, 4), np.inf)},
        {"targets": 1},
        {"targets": (1,)},
        {"targets": (0, np.nan)},
        {"targets": "ab"},
        {"shrink": 0},
        {"shrink": 1.5},
        {"shrink": 2},
    ],
    ids=str,
)
def test_what_is_no_description_of_pixels(fields):
    with pytest.raises((ValueError, TypeError), match=r"Pixels: |expected"):
        fn.Pixels(**({"shape": (3, 4)} | fields))


WORDS = fn.Words(["how", "are", "you", "."])


@pytest.mark.parametrize(
    "x",
    [
        ["how are you", "You are ."],
        [["how", "are", "you"], ("you", "are", ".")],
        np.array(["how are you", "you are ."]),
        np.array([["how", "are", "you"], ["you", "are", "."]]),
        np.array([["how", "are", "you"], ["you", "are", "."]], object),
    ],
)
def test_words(x):
    np.testing.assert_array_equal(WORDS.converted(x, "x", (3,), DTYPES[0]), [[0, 1, 2], [2, 1, 3]])


def test_ids_stay_and_one_text_is_a_sample():
    ids = np.array([[0, 1, 2]], np.uint8)
    assert WORDS.converted(ids, "x", (3,), DTYPES[0]) is ids
    assert WORDS.converted("how are you", "x", (3,), DTYPES[0]).tolist() == [[0, 1, 2]]


def test_the_tokenizer_of_texts():
    words = fn.Words(["how", "you", ".", "you?"], tokenizer="text")
    assert words.converted(["How you."], "x", (3,), DTYPES[0]).tolist() == [[0, 1, 2]]
    with pytest.raises(fn.DataError, match="has 2 words, expected 3"):
        fn.Words(["how", "you", "."]).converted(["how you."], "x", (3,), DTYPES[0])


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (["how are you", "how are"], r"x\[1\] \('how are'\) has 2 words, expected 3 separated by spaces"),
        (["how are yuo"], r"x\[0\] .*: the word 'yuo' is not among the 4 of the vocabulary; did you mean you\?"),
        ([["how", "are", 3]], r"x\[0\] .* is no text and no list of words"),
        ([""], r"x\[0\] \(''\) has 0 words"),
    ],
)
def test_texts_that_are_no_context(x, said):
    with pytest.raises(fn.DataError, match=said):
        WORDS.converted(x, "x", (3,), DTYPES[0])


OPEN = fn.Words(["you", "how", "are", ".", "</s>", "<unk>", "<s>"], Tokenizer().config())


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("How are you", [1, 2, 0]),
        ("are you", [6, 2, 0]),
        ("", [6, 6, 6]),
        (" \n", [6, 6, 6]),
        ("say, how are you", [1, 2, 0]),
        ("How are they?", [2, 5, 5]),
        ("Πώς είσαι 日本", [5, 5, 5]),
        ("You are. How", [6, 6, 1]),  # what was before a sentence does not count, as in training
        ("you are.", [0, 2, 3]),
        (["are", "you"], [6, 2, 0]),
        (["how", "how", "are", "shy", "you"], [2, 5, 0]),
        ([], [6, 6, 6]),
    ],
    ids=str,
)
def test_any_number_of_any_words(text, want):
    assert OPEN.ids_of(text, "x", 3) == want
    assert OPEN.converted([text or ""], "x", (3,), DTYPES[0]).tolist() == [want]


def test_without_a_start_there_must_be_as_many_words():
    words = fn.Words(["how", "are", "<unk>"], Tokenizer().config())
    assert words.ids_of("How is it", "x", 3) == [0, 2, 2]
    with pytest.raises(fn.DataError, match="x has 2 words, expected 3"):
        words.ids_of("how are", "x", 3)


@pytest.mark.parametrize(
    "tokenizer",
    ["bytes", None, 1, ["text"], {}.keys(), {"kind": "sound"}, {"lower": "yes"}, {"kind": ["words"]}, {"more": 1}],
    ids=str,
)
def test_what_is_no_tokenizer(tokenizer):
    with pytest.raises((TypeError, ValueError), match=r"Words: |Tokenizer: "):
        fn.Words(["how"], tokenizer)


@pytest.mark.parametrize("vocabulary", ["how", [], [1], None, [b"how"]], ids=str)
def test_what_is_no_vocabulary(vocabulary):
    with pytest.raises(TypeError, match="expected a list of words, by id"):
        fn.Words(vocabulary)


@pytest.mark.parametrize("tokenizer", ["spaces", "text"])
@pytest.mark.parametrize(
    ("vocabulary", "told"),
    [
        (["a", "a"], "'a' twice, at 0 and 1"),
        (("b", "<unk>", "a", "<unk>", "a"), "'<unk>' twice, at 1 and 3"),
        (["", "b", "a", ""], "'' twice, at 0 and 3"),
    ],
)
def test_a_word_twice(vocabulary, told, tokenizer):
    with pytest.raises(ValueError, match=f"^Words: vocabulary holds {told}, expected each word once$"):
        fn.Words(vocabulary, tokenizer)


def test_words_that_differ_in_capitals_or_in_how_an_accent_is_written_are_different():
    words = ["the", "The", "caf\u00e9", "cafe\u0301", "the "]
    assert fn.Words(words).known.ids(words) == [0, 1, 2, 3, 4]


def test_a_file_whose_vocabulary_holds_a_word_twice_is_refused(tmp_path):
    layers = [fn.Embedding(4, 2), fn.Flatten(), fn.Dense(4)]
    model = fn.Sequential(layers, input_shape=3, preprocessing=fn.Words(["how", "are", "you", "."]))
    object.__setattr__(model.preprocessing, "vocabulary", ("how", "are", "you", "how"))
    model.save(tmp_path / "model.h5")
    with pytest.raises(fn.FileFormatError, match="vocabulary holds 'how' twice, at 0 and 3"):
        fn.load(tmp_path / "model.h5")


@pytest.mark.parametrize(
    "made",
    [
        fn.Pixels((3, 4)),
        fn.Pixels((4, 6), shrink=2),
        fn.Pixels((3, 4, 3), 255, np.random.default_rng(0).normal(size=(3, 4, 3)), True, (-1, 1)),
        WORDS,
        fn.Words(["é", "$"], "text"),
        OPEN,
    ],
)
def test_config(made):
    again = from_config(made.config(), made.arrays())
    assert (type(again), again.config(), list(again.arrays())) == (type(made), made.config(), list(made.arrays()))
    for name, array in made.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


@pytest.mark.parametrize(
    ("config", "arrays"),
    [
        ({"kind": "sound"}, {}),
        ({}, {}),
        ({"kind": "pixels", "shape": [3, 4], "divide": 1.0}, {}),
        (fn.Pixels((3, 4)).config() | {"subtract": 1}, {}),
        (fn.Pixels((3, 4)).config(), {"divide": np.ones(())}),
        (fn.Pixels((3, 4)).config(), {"subtract": np.zeros((3, 5))}),
        (WORDS.config(), {"vocabulary": np.zeros(3)}),
        (WORDS.config() | {"_ids": {}}, {}),
    ],
)
def test_what_no_fastnn_wrote(config, arrays):
    with pytest.raises((ValueError, TypeError, LookupError)):
        from_config(config, arrays)
