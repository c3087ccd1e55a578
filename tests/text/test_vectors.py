"""Word vectors in files: both forms come back as they were, gensim reads and writes the same, damage is named."""

import gzip
import re

import numpy as np
import pytest

from fastnn.common.errors import FileFormatError
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.text.neighbours import directions, nearest
from fastnn.text.vectors import read_vectors, write_vectors

WORDS = ["the", "</s>", "ß", "naïve", "a b", "犬", ",", "#"]
KEPT = [word for word in WORDS if word != "a b"]
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), 7)).astype(np.float32)
WANTED = {word: vector for word, vector in zip(WORDS, VECTORS, strict=True) if word != "a b"}
FORMS = pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])


def written(tmp_path, binary, vectors=VECTORS, name="v"):
    path = tmp_path / name
    assert write_vectors(path, WORDS, vectors, binary) == ["a b"]
    return path


def assert_same(found, want=WANTED):
    assert list(found) == list(want)
    for word, vector in want.items():
        np.testing.assert_array_equal(found[word].astype(np.asarray(vector).dtype), vector)


@FORMS
@pytest.mark.parametrize("packed", [False, True])
def test_all_digits_come_back(tmp_path, binary, packed):
    path = written(tmp_path, binary)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert_same(dict(read_vectors(path, WORDS)))
    assert_same(dict(read_vectors(path, ["犬", "cat"])), {"犬": WANTED["犬"]})


def test_text_keeps_float64(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(len(WORDS), 2))
    assert_same(
        dict(read_vectors(written(tmp_path, False, vectors), WORDS)),
        {word: vector for word, vector in zip(WORDS, vectors, strict=True) if word != "a b"},
    )


@pytest.mark.parametrize("numbers", [[0.0], [1.0, -2.5], [0.0] * 40, list(np.geomspace(1e-30, 1e30, 33))])
@pytest.mark.parametrize("ends", [True, False])
def test_the_binary_form_is_known_by_its_name_or_by_what_is_in_it(tmp_path, numbers, ends):
    row = np.array(numbers, "<f4")
    content = b"2 %d\n" % len(row) + b"".join(word + b" " + row.tobytes() + b"\n" * ends for word in (b"he", b"she"))
    for name in ("v.bin", "V.BIN.GZ", *(["v.txt"] if len(row) > 1 else [])):
        (tmp_path / name).write_bytes(content)
        assert_same(dict(read_vectors(tmp_path / name, ["she", "he"])), {"he": row, "she": row})


def test_text_is_known_though_its_numbers_are_short_and_its_words_are_not_english(tmp_path):
    (tmp_path / "v.txt").write_text("2 3\nпривет 0 1 2\nмир 3 4 5\n", encoding="utf-8")
    assert_same(dict(read_vectors(tmp_path / "v.txt", ["мир"])), {"мир": [3, 4, 5]})


BINARY = b"2 2\nhe " + bytes(8) + b"\nshe " + bytes(8) + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"2 2\nhe 1 2\nshe 1\n", "line 3 has 1 number after 'she', expected 2"),
        (b"he 1 2\nshe 1 2 3\n", "line 2 has 3 numbers after 'she', expected 2"),
        (b"2 2\nhe 1 2\nshe 1 x\n", "line 3 does not hold numbers after 'she'"),
        (b"2 2\nhe 1.25 2.25\nit \xff 2\n", "line 3 is no UTF-8 text"),
        (b"3 2\nhe 1 2\nshe 1 2\n", "has 2 vectors, but its first line says 3"),
        (b"1 2\nhe 1 2\nshe 1 2\n", "has 2 vectors, but its first line says 1"),
        (BINARY[:-2], "damaged at vector 2 of the 2"),
        (BINARY[:12], "damaged at vector 1 of the 2"),
        (BINARY + b"it", "goes on after the 2 vectors"),
        (b"9" + BINARY, "damaged at vector 3 of the 92"),
        (b"2 99999999999\nhe " + bytes(50), "have 99999999999 numbers"),
        (b"2 2\nhe " + bytes(8) + b"x" * 3_000_000, "damaged at vector 2 of the 2"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(FileFormatError, match=f"'.*v'.*{re.escape(message)}"):
        list(read_vectors(tmp_path / "v", ["he", "she"]))


def test_words_with_spaces_do_not_stop_the_reading(tmp_path):
    """As the largest file of GloVe has them."""
    (tmp_path / "v").write_text("he 1 2\n. . . 3 4\nat x@y.z 5 6\n. 7 8\n", "utf-8")
    found = dict(read_vectors(tmp_path / "v", ["he", ".", "at", ". . ."]))
    assert {word: vector.tolist() for word, vector in found.items()} == {"he": [1, 2], ". . .": [3, 4], ".": [7, 8]}


@pytest.mark.parametrize("header", ["", "2 2\n"])
def test_a_byte_order_mark_belongs_to_no_word(tmp_path, header):
    (tmp_path / "v").write_text(f"{header}he 1 2\nshe 3 4\n", "utf-8-sig")
    assert list(dict(read_vectors(tmp_path / "v", ["he", "she"]))) == ["he", "she"]


@pytest.mark.parametrize("form", ["text", "binary", ".npz"])
def test_of_a_word_that_occurs_twice_the_first_vector_counts_and_that_is_said_once(tmp_path, form, caplog):
    words, vectors = ["he", "she", "he", "he", "she", "it"], np.arange(12.0).reshape(6, 2)
    path = tmp_path / f"v{form if form == '.npz' else ''}"
    if form == ".npz":
        np.savez(path, words=words, vectors=vectors)
    else:
        write_vectors(path, words, vectors, form == "binary")
    ids, found = load_word_vectors(path, ["it", "she", "he"], 2)
    assert ids.tolist() == [0, 1, 2]
    assert found.tolist() == [[10, 11], [2, 3], [0, 1]]
    assert [one.getMessage() for one in caplog.records] == [
        f"{str(path)!r} has more than one vector for 2 words, such as 'he': the first one counts"
    ]


@FORMS
def test_gensim_opens_both_and_writes_what_is_read(tmp_path, binary):
    models = pytest.importorskip("gensim.models", reason="gensim is not installed")
    theirs = models.KeyedVectors.load_word2vec_format(written(tmp_path, binary), binary=binary)
    assert theirs.index_to_key == KEPT
    np.testing.assert_array_equal(theirs.vectors, [WANTED[word] for word in KEPT])
    theirs.save_word2vec_format(tmp_path / "theirs", binary=binary)
    assert_same(dict(read_vectors(tmp_path / "theirs", WORDS)))


def test_neighbours_are_those_of_the_smallest_angle():
    vectors = np.array([[1, 0], [2, 0.1], [0, 1], [-3, 0], [0, -1.1]]) + np.array([50, 70])
    rows = directions(vectors)
    centred = vectors - vectors.mean(axis=0)
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in ((centred[0], one) for one in centred)]
    found = nearest(rows, 0, 10)
    assert [i for i, _ in found] == sorted([1, 2, 3, 4], key=lambda i: -cosines[i])
    np.testing.assert_allclose([cosine for _, cosine in found], sorted(cosines, reverse=True)[1:], rtol=1e-12)
    assert [i for i, _ in nearest(rows, 0, 2, never=[1])] == [i for i, _ in found if i != 1][:2]


def test_vectors_that_are_all_the_same_have_no_direction():
    assert nearest(directions(np.ones((3, 2))), 1, 2) == [(0, 0.0), (2, 0.0)]
