"""Plain text to n-grams: vocabulary, n-grams inside sentences, the split, and unusable files."""

import gzip

import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import load_text, load_trigram
from tests.tiny import shown


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


PUNCTUATED = {"sentences_end": "punctuation", "min_count": 1}


def test_the_most_frequent_tokens_of_the_training_sentences(tmp_path):
    path = write(tmp_path, "b b b b a c. d c b a. " * 30 + "rare")
    found = load_text(path, 20, order=2, **PUNCTUATED).meta
    assert found["words"][0] == "b"
    assert set(found["words"]) - {"rare"} == {"b", "a", "c", "d", ".", "<unk>", "</s>", "<s>"}
    assert load_text(path, 5, order=2, **PUNCTUATED).meta["words"][-3:] == [".", "</s>", "<s>"]
    once = load_text(path, 20, order=2, min_count=2, sentences_end="punctuation").meta
    assert "rare" not in once["words"]
    assert once["asked"] == (20, 2)


def test_nothing_is_dropped(tmp_path):
    """Every token and every end of a sentence is predicted once, from what stands before it in its sentence."""
    path = write(tmp_path, "a b c d e. \n\nf a ODD b.\n" * 20)
    dataset = load_text(path, 50, order=4, min_count=2, lower=False, sentences_end="punctuation")
    found = [gram for part in grams(dataset).values() for gram in part]
    assert len(found) == 20 * (6 + 1 + 5 + 1) == dataset.meta["tokens"] + dataset.meta["sentences"]
    first = ["<s> <s> <s> a", "<s> <s> a b", "<s> a b c", "a b c d", "b c d e", "c d e .", "d e . </s>"]
    second = ["<s> <s> <s> f", "<s> <s> f a", "<s> f a ODD", "f a ODD b", "a ODD b .", "ODD b . </s>"]
    assert sorted(found) == sorted(20 * [tuple(text.split()) for text in first + second])
    assert (dataset.meta["coverage"], dataset.meta["kept"], dataset.meta["true_entropy"]) == (1, 1, None)


def test_tokens_without_an_id_are_unknown(tmp_path):
    path = write(tmp_path, "".join(f"a b {chr(945 + i)} . " for i in range(25)))
    dataset = load_text(path, 50, order=3)
    assert set(dataset.meta["words"]) == {"a", "b", ".", "<unk>", "</s>", "<s>"}
    assert set(grams(dataset)["train"]) >= {("a", "b", "<unk>"), ("b", "<unk>", "."), ("<unk>", ".", "</s>")}
    assert dataset.meta["coverage"] == pytest.approx(3 / 4)
    for part in dataset.meta["parts"].values():
        assert part["unknown"] == pytest.approx(1 / 4)
        assert part["tokens"] == 4 * part["sentences"]


def test_a_vocabulary_without_marks_keeps_ngrams_of_its_words(tmp_path):
    """As models had it that were saved before there were any."""
    path = write(tmp_path, "a b c d e. \n\nf a ODD b c d. b c.\n" * 20)
    dataset = load_text(path, words=[".", "b", "c", "a", "d", "e", "f"])
    found = {gram for part in grams(dataset).values() for gram in part}
    assert found == {tuple(text.split()) for text in ("a b c d", "b c d e", "c d e .", "b c d .")}
    assert dataset.meta["tokens"] == 16 * 20
    assert dataset.meta["sentences"] == 3 * 20
    assert dataset.meta["coverage"] == pytest.approx(15 / 16)
    assert dataset.meta["kept"] == pytest.approx(4 / 7)


def test_the_words_of_a_model(tmp_path):
    first = load_text(write(tmp_path, numbered(500)), order=3)
    other = load_text(write(tmp_path, "a b zzz c. " * 40, "b.txt"), order=3, words=first.meta["words"])
    assert other.meta["words"] == first.meta["words"]
    assert other.meta["asked"] is None
    assert {("a", "b", "<unk>"), ("b", "<unk>", "c")} <= set(grams(other)["train"])


@pytest.mark.parametrize("order", [2, 3, 4, 5, 8])
def test_any_order(tmp_path, order):
    dataset = load_text(write(tmp_path, numbered(500)), order=order)
    assert dataset.train.x.shape[1] == order - 1
    assert sum(len(split) for split in dataset.splits().values()) == 500 * (5 + 1)
    for split in dataset.splits().values():
        assert split.x.dtype == split.y.dtype == np.uint8
        assert split.x.flags.c_contiguous


def test_the_split_is_by_sentence_80_10_10(tmp_path):
    dataset = load_text(write(tmp_path, numbered(500)), order=8)
    ends = {name: [gram for gram in part if gram[-1] == "</s>"] for name, part in grams(dataset).items()}
    assert {name: len(part) for name, part in ends.items()} == {"train": 400, "val": 50, "test": 50}
    assert len({gram for part in ends.values() for gram in part}) == 500
    assert {name: part["sentences"] for name, part in dataset.meta["parts"].items()} == {
        name: len(part) for name, part in ends.items()
    }


def test_the_seed_deals_the_sentences(tmp_path):
    path = write(tmp_path, numbered(500))
    first, again, other = (load_text(path, order=4, seed=seed).test.x.tobytes() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_text_without_sentences_is_cut_into_three_parts(tmp_path):
    path = write(tmp_path, " ".join("abcdefghij"[i * i % 10] for i in range(1000)))
    dataset = load_text(path, order=3)
    assert dataset.meta["tokenizer"]["sentences_end"] == "none"
    assert "</s>" not in dataset.meta["words"]
    assert [part["tokens"] for part in dataset.meta["parts"].values()] == [800, 100, 100]
    for low, part in zip((0, 800, 900), grams(dataset).values(), strict=True):
        text = ["<s>", "<s>", *("abcdefghij"[i * i % 10] for i in range(low, low + len(part)))]
        assert part == list(zip(text, text[1:], text[2:], strict=False))


@pytest.mark.parametrize(("kind", "letters"), [("characters", "é"), ("bytes", "Ã©")])
def test_characters_and_bytes(tmp_path, kind, letters):
    path = write(tmp_path, "aé b\n" * 40)
    dataset = load_text(path, order=5, kind=kind, sentences_end="lines")
    assert set(dataset.meta["words"]) == {"a", "b", " ", *letters, "<unk>", "</s>", "<s>"}
    assert dataset.meta["tokens"] == 40 * (3 + len(letters))


def test_large_vocabulary(tmp_path):
    text = " ".join(f"w{'abcdefghij'[i % 10]}{chr(97 + i // 10 % 26)}{chr(97 + i // 260)} x y z." for i in range(400))
    dataset = load_text(write(tmp_path, text), vocabulary_size=300, min_count=1)
    assert dataset.train.x.dtype == np.uint16
    assert len(dataset.meta["words"]) == 300
    assert dataset.train.x.max() == 299


def test_encodings_packing_and_folders(tmp_path):
    plain = numbered(100)
    folder = tmp_path / "texts"
    folder.mkdir()
    write(folder, gzip.compress(("\ufeff" + plain.replace("\n", "\r\n")).encode()), "1.gz")
    write(folder, "Café é. ".encode("latin-1"), "2")
    want = load_text([write(tmp_path, plain), write(tmp_path, "café é. ".encode("utf-16"), "b")])
    got = load_trigram(folder)
    assert got.meta["words"] == want.meta["words"]
    assert got.meta["encodings"] == ["Latin-1"]
    assert want.meta["encodings"] == ["UTF-16"]
    assert np.array_equal(got.train.x, want.train.x)
    assert np.array_equal(got.test.y, want.test.y)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", DataError, "is too small: found 0 tokens"),
        (b"word", DataError, "is too small: found 1 token in 1 sentence"),
        (b"Too few words, too few.", DataError, "is too small: found 7 tokens in 1 sentence"),
        (b"...... \n", DataError, "is too small: found 1 token in 1 sentence"),
        (b"PK\x03\x04\x00\x00", FileFormatError, "no plain text: byte 4 is zero"),
        (b"\x80\x81\x82\x01\xff", FileFormatError, "no plain text: byte 3 is 0x01"),
        ("é è à ü".encode() + b"\xff", FileFormatError, "no UTF-8 text: byte 0xff at position 11, line 1"),
    ],
)
def test_unusable_text(tmp_path, content, error, says):
    path = write(tmp_path, content)
    with pytest.raises(error) as caught:
        load_trigram(path)
    assert says in str(caught.value)
    assert shown(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_enough_words_but_too_few_sentences(tmp_path):
    path = write(tmp_path, "a b. c d. e f. a b. c d.")
    said = "found 15 tokens in 5 sentences, 20 4-grams of known words, expected .* training 16, validation 4, test 0"
    with pytest.raises(DataError, match=said):
        load_text(path, min_count=1)
    with pytest.raises(DataError, match="found 15 tokens in 5 sentences, 0 4-grams of known words"):
        load_text(path, words=["x", "y"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"vocabulary_size": 3}, r"vocabulary_size=3, expected at least 4 \(<unk>, <s>, </s> and a word\)"),
        ({"order": 1}, "order=1, expected at least 2"),
        ({"min_count": 0}, "min_count=0, expected at least 1"),
        ({"vocabulary_size": 10**9, "order": -1}, "order=-1, expected at least 2"),
    ],
)
def test_arguments_out_of_range(tmp_path, wrong, said):
    with pytest.raises(DataError, match=said):
        load_text(write(tmp_path, numbered(100)), **wrong)
    with pytest.raises(ValueError, match="kind is 'sounds'"):
        load_text(write(tmp_path, numbered(100)), kind="sounds")


WORDS = {
    "numbers": [1, 2],
    "bytes": [b"a"],
    "a text": "abc",
    "a set": {"a"},
    "one truth": ["a", True],
    "a dict": {"a": 0},
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_vocabulary_is_a_list_of_texts(words):
    with pytest.raises(TypeError, match=r"^words is .*, expected a list of tokens, by id$"):
        load_text(texts=["a b."] * 99, words=words)


@pytest.mark.parametrize(("kind", "text"), [("words", "我喜欢学习语言。今天天气很好。"), ("characters", "👨‍👩‍👧‍👦 🇩🇪")])
def test_scripts_without_spaces(tmp_path, kind, text):
    """Sentences end at the marks of the script; a text without any is cut where its splits begin."""
    found = load_text(write(tmp_path, text * 50), order=2, kind=kind).meta
    assert found["tokenizer"]["sentences_end"] == ("punctuation" if kind == "words" else "none")
    assert found["coverage"] == 1


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileFormatError, match=r"absent\.txt' does not exist"):
        load_trigram(tmp_path / "absent.txt")
    with pytest.raises(FileFormatError, match="is a folder without files"):
        load_text(tmp_path)


@pytest.mark.parametrize(("name", "tokens"), [("tinyshakespeare", 253_147), ("war_and_peace", 665_383)])
def test_real_books(real_data, name, tokens):
    path = real_data / "text" / f"{name}.txt"
    dataset = load_trigram(str(path), vocabulary_size=10_000)
    assert dataset.meta["tokens"] == tokens
    sizes = [len(split) for split in dataset.splits().values()]
    assert sum(sizes) == tokens + dataset.meta["sentences"]
    assert sizes[0] / sum(sizes) == pytest.approx(0.8, abs=0.01)
    assert set(dataset.meta["words"][:6]) >= {",", ".", "the", "</s>"}
    assert 0.97 < dataset.meta["coverage"] < 0.99
    assert dataset.meta["source"] == str(path)


def test_texts_in_memory_have_no_file_of_ids(tmp_path):
    with pytest.raises(DataError, match="ids_file is for texts in files: those of texts= are in memory"):
        load_text(texts="A fox. " * 40, ids_file=tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())
    assert len(load_text(texts="A fox. " * 40, ids_file="auto").train) == 128
