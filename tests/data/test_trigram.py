"""Which files are read as text, and which as word ids."""

import h5py

import fastnn as fn


def test_text_is_what_is_no_hdf5(tmp_path):
    for name in ("ids.h5", "ids.dat"):
        h5py.File(tmp_path / name, "w").close()
    (tmp_path / "book.txt").write_text("one two", encoding="utf-8")
    found = {name: fn.data.is_text(tmp_path / name) for name in ("ids.h5", "ids.dat", "book.txt")}
    assert found == {"ids.h5": False, "ids.dat": False, "book.txt": True}, "by what it holds, not by its name alone"
    assert fn.data.is_text(tmp_path), "a folder of texts"
    assert not fn.data.is_text(tmp_path / "missing.H5")


def test_a_text_is_read_by_the_vocabulary_that_is_given(tmp_path):
    """Such as a trained model's, whose ids mean these words."""
    words = ["zebra", "two", "<unk>", "<s>", "</s>", "one", "three"]
    (tmp_path / "book.txt").write_text("one two three four.\n" * 200, encoding="utf-8")
    data = fn.data.load_trigram(tmp_path / "book.txt", words=words)
    assert list(data.meta["words"]) == words
    assert {0} & {*data.train.x.ravel().tolist(), *data.train.y.tolist()} == set(), "there is no zebra"
    assert [3, 5, 1] in data.train.x.tolist(), "<s> one two"
