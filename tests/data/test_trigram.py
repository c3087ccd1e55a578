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
