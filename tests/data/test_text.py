"""Plain text to n-grams: vocabulary, n-grams inside sentences, the split, and unusable files."""

import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import load_text, load_trigram


def write(tmp_path, text, name="a.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def grams(dataset):
    """All n-grams of a split as tuples of words, by split."""
    words = dataset.meta["words"]
    return {
        name: [(*(words[i] for i in x), words[y]) for x, y in zip(split.x, split.y, strict=True)]
        for name, split in dataset.splits().items()
    }


def numbered(count):
    """Sentences of five tokens whose first three tell which one it is."""
    letters = "abcdefgh"
    first = [letters[i % 8] + " " + letters[i // 8 % 8] + " " + letters[i // 64 % 8] for i in range(count)]
    return "\n".join(f"{words} {letters[i * 5 % 8]}." for i, words in enumerate(first))


def test_the_most_frequent_tokens_first_and_ties_by_alphabet(tmp_path):
    path = write(tmp_path, "b b b b a c. d c b a. " * 30 + "rare")
    assert load_text(path, vocabulary_size=5, order=2).meta["words"] == ["b", ".", "a", "c", "d"]
    assert load_text(path, vocabulary_size=3, order=2).meta["words"] == ["b", ".", "a"]


def test_grams_stay_inside_sentences_and_vocabulary(tmp_path):
    path = write(tmp_path, "a b c d e. \n\nf a ODD b c d. b c.\n" * 20)
    dataset = load_text(path, vocabulary_size=7, order=4)
    assert dataset.meta["words"] == [".", "b", "c", "a", "d", "e", "f"]
    found = {gram for part in grams(dataset).values() for gram in part}
    assert found == {tuple(text.split()) for text in ("a b c d", "b c d e", "c d e .", "b c d .")}
    assert dataset.meta["tokens"] == 16 * 20
    assert dataset.meta["sentences"] == 3 * 20
    assert dataset.meta["coverage"] == pytest.approx(15 / 16)
    assert dataset.meta["kept"] == pytest.approx(4 / 7)
    assert dataset.meta["true_entropy"] is None


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_any_order_and_every_gram_once(tmp_path, order):
    dataset = load_text(write(tmp_path, numbered(500)), vocabulary_size=9, order=order)
    assert dataset.train.x.shape[1] == order - 1
    assert sum(len(split) for split in dataset.splits().values()) == 500 * (5 - order + 1)
    for split in dataset.splits().values():
        assert split.x.dtype == split.y.dtype == np.uint8
        assert split.x.flags.c_contiguous


def test_the_split_is_by_sentence_80_10_10(tmp_path):
    dataset = load_text(write(tmp_path, numbered(500)), vocabulary_size=9, order=4)
    parts = {name: {gram[:3] for gram in part[::2]} for name, part in grams(dataset).items()}
    assert {name: len(part) for name, part in parts.items()} == {"train": 400, "val": 50, "test": 50}
    for name, part in grams(dataset).items():
        for first, second in zip(part[::2], part[1::2], strict=True):
            assert first[1:] == second[:3], f"the two four-grams of a sentence are both in {name}"


def test_the_seed_deals_the_sentences(tmp_path):
    path = write(tmp_path, numbered(500))
    first, again, other = (load_text(path, 9, 4, seed=seed).test.x.tobytes() for seed in (0, 0, 1))
    assert first == again
    assert first != other
    # Validation and test sentences come from all over the text, not from its end.
    every = [gram for part in grams(load_text(path, 9, 5)).values() for gram in part]
    assert len(set(every)) == 500


def test_large_vocabulary(tmp_path):
    text = " ".join(f"w{'abcdefghij'[i % 10]}{chr(97 + i // 10 % 26)}{chr(97 + i // 260)} x y z." for i in range(400))
    dataset = load_text(write(tmp_path, text), vocabulary_size=300)
    assert dataset.train.x.dtype == np.uint16
    assert len(dataset.meta["words"]) == 300
    assert dataset.train.x.max() == 299


def test_byte_order_mark_and_windows_lines(tmp_path):
    plain, marked = numbered(100), "\ufeff" + numbered(100).replace("\n", "\r\n")
    first, second = (load_text(write(tmp_path, text), 9) for text in (plain, marked))
    assert first.meta["words"] == second.meta["words"]
    assert first.meta["tokens"] == second.meta["tokens"]
    assert np.array_equal(first.train.x, second.train.x)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", DataError, "found 0 tokens, 0 different ones, expected at least 250 different ones"),
        (b"Too few words, too few.", DataError, "found 7 tokens, 5 different ones"),
        (b"good line\nbad \xff byte", FileFormatError, "no UTF-8 text: byte 0xff at position 14, line 2"),
        (b"caf\xe9", FileFormatError, "no UTF-8 text: byte 0xe9 at position 3, line 1"),
        (b"PK\x03\x04\x00\x00", FileFormatError, "no plain text: byte 4 is zero"),
    ],
)
def test_unusable_text(tmp_path, content, error, says):
    path = write(tmp_path, content)
    with pytest.raises(error) as caught:
        load_trigram(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_enough_words_but_too_few_grams(tmp_path):
    path = write(tmp_path, "a b. c d. e f.")
    with pytest.raises(DataError, match="found 0 4-grams of known words in 0 sentence"):
        load_text(path, vocabulary_size=4)
    with pytest.raises(DataError, match="found 1 4-grams of known words in 1 sentence"):
        load_text(write(tmp_path, "a b c d e. c f a b"), vocabulary_size=5)


@pytest.mark.parametrize("wrong", [{"vocabulary_size": 1}, {"order": 1}])
def test_arguments_out_of_range(tmp_path, wrong):
    with pytest.raises(DataError, match="expected at least 2 each"):
        load_text(write(tmp_path, numbered(100)), **wrong)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileFormatError, match=r"absent\.txt' does not exist"):
        load_trigram(tmp_path / "absent.txt")
    with pytest.raises(FileFormatError, match="is a folder"):
        load_text(tmp_path)


@pytest.mark.parametrize(("name", "least"), [("tinyshakespeare", 40_000), ("war_and_peace", 90_000)])
def test_real_books(real_data, name, least):
    path = real_data / "text" / f"{name}.txt"
    dataset = load_trigram(str(path))
    sizes = [len(split) for split in dataset.splits().values()]
    assert sum(sizes) > least
    assert sizes[0] / sum(sizes) == pytest.approx(0.8, abs=0.01)
    assert set(dataset.meta["words"][:4]) >= {",", ".", "the"}
    assert 0.6 < dataset.meta["coverage"] < 0.8
    assert dataset.meta["source"] == str(path)
