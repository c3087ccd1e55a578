"""The trigram file: reading and writing it, and one clear line for each possible fault."""

import os
import tracemalloc

import h5py
import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import Dataset, Split, load_trigram, load_trigram_hdf5, save_trigram_hdf5
from fastnn.data.formats import trigram_hdf5 as hdf5
from fastnn.data.hdf5 import child_process
from tests.tiny import shown


def write(path, arrays):
    with h5py.File(path, "w", track_order=True) as file:
        for key, value in arrays.items():
            file[key] = value
    return path


def message(error, path, arrays=None):
    """The text of the error that loading raises; it must be one line and name the file."""
    if arrays is not None:
        write(path, arrays)
    with pytest.raises(error) as caught:
        load_trigram_hdf5(path)
    text = str(caught.value)
    assert type(caught.value) is error
    assert "\n" not in text
    assert shown(path) in text
    return text


def assert_holds(dataset, arrays):
    for name, split in dataset.splits().items():
        assert split.x.dtype == split.y.dtype == np.uint8
        np.testing.assert_array_equal(split.x, np.asarray(arrays[f"{name}x"], int) - 1)
        np.testing.assert_array_equal(split.y, np.asarray(arrays[f"{name}d"], int).ravel() - 1)


@pytest.mark.parametrize("rows", [1, 7, 70, 65_536])
def test_ids_start_at_zero_whatever_the_block_size(tmp_path, arrays, monkeypatch, rows):
    monkeypatch.setattr(hdf5, "BLOCK_ROWS", rows)
    dataset = load_trigram_hdf5(write(tmp_path / "a.h5", arrays))
    assert_holds(dataset, arrays)
    assert list(dataset.splits()) == ["train", "val", "test"]
    assert dataset.meta["words"] == [f"word{i}" for i in range(250)]
    assert dataset.meta["source"] == str(tmp_path / "a.h5")
    assert dataset.meta["true_entropy"] is None


def test_any_order_of_keys_and_others_ignored(tmp_path, arrays):
    turned = {"zzz": np.zeros(2), **dict(reversed(arrays.items())), "group/inner": np.zeros(2)}
    assert_holds(load_trigram(write(tmp_path / "a.h5", turned)), arrays)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "i8", "u8", "f2", "f4", "f8"])
def test_any_number_type_and_labels_as_a_column(tmp_path, arrays, dtype):
    cast = {key: value if key == "words" else value.astype(dtype) for key, value in arrays.items()}
    for key in ("traind", "vald", "testd"):
        cast[key] = cast[key][:, None]
    assert_holds(load_trigram_hdf5(write(tmp_path / "a.h5", cast)), arrays)


def test_words_as_bytes_or_text(tmp_path, arrays):
    words = ["naïve", "'s", "--", *(f"w{i}" for i in range(247))]
    forms = [
        np.array([w.encode() for w in words]),
        np.array(words, h5py.string_dtype()),
        np.array([w.encode() for w in words])[:, None],
    ]
    for form in forms:
        assert load_trigram_hdf5(write(tmp_path / "a.h5", {**arrays, "words": form})).meta["words"] == words


def test_a_word_twice_is_refused(tmp_path, arrays):
    arrays["words"][7] = arrays["words"][3]
    twice = arrays["words"][3].decode()
    with pytest.raises(DataError) as caught:
        load_trigram_hdf5(write(tmp_path / "a.h5", arrays))
    name = str(tmp_path / "a.h5")
    assert str(caught.value) == f"{name!r}: 'words' holds {twice!r} twice, at 3 and 7, expected each word once"


def test_compressed_and_large_vocabulary(tmp_path, arrays):
    arrays["words"] = np.array([b"w%d" % i for i in range(300)])
    arrays["trainx"][5, 1] = 300
    words = arrays.pop("trainx")
    write(tmp_path / "a.h5", arrays)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.create_dataset("trainx", data=words, chunks=(16, 3), compression="gzip")
    dataset = load_trigram_hdf5(tmp_path / "a.h5")
    assert dataset.train.x.dtype == np.uint16
    assert dataset.train.x[5, 1] == 299


def test_saved_and_read_again(tmp_path, arrays):
    first = load_trigram_hdf5(write(tmp_path / "a.h5", arrays))
    save_trigram_hdf5(tmp_path / "b.h5", first)
    second = load_trigram_hdf5(tmp_path / "b.h5")
    assert_holds(second, arrays)
    assert second.meta["words"] == first.meta["words"]
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["trainx"].dtype == np.int32
        np.testing.assert_array_equal(file["trainx"], arrays["trainx"])


def test_an_incomplete_dataset_is_not_saved(tmp_path):
    split = Split(np.zeros((2, 3), np.uint8), np.zeros(2, np.uint8))
    for dataset in (Dataset(split, split, split), Dataset(split, test=split, meta={"words": ["a"]})):
        with pytest.raises(DataError, match="expected train, val, test and meta"):
            save_trigram_hdf5(tmp_path / "a.h5", dataset)
    assert os.listdir(tmp_path) == []


def test_missing_file_and_folder(tmp_path):
    assert "does not exist" in message(FileFormatError, tmp_path / "absent.h5")
    assert "is a folder" in message(FileFormatError, tmp_path)


def test_unreadable_file(tmp_path, arrays, monkeypatch):
    path = write(tmp_path / "a.h5", arrays)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert "cannot be read: Permission denied" in message(FileFormatError, path)


def test_no_hdf5_file(tmp_path):
    for content in (b"", b"PK\x03\x04 something else entirely", b"\x89HDF"):
        path = tmp_path / "a.h5"
        path.write_bytes(content)
        assert "is not an HDF5 file" in message(FileFormatError, path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_truncated_file(tmp_path, arrays, share):
    path = write(tmp_path / "a.h5", arrays)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged or cut short" in message(FileFormatError, path)


def test_damaged_bytes_never_escape_as_anything_else(tmp_path, arrays, monkeypatch):
    """A few, because most of them cost a process; `tests/proofs/hostile_files.py` tries many."""
    monkeypatch.setattr(child_process, "SECONDS", 1)
    path = write(tmp_path / "a.h5", arrays)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(10):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[rng.integers(8, 4096, 8)] = rng.integers(0, 256, 8)
        path.write_bytes(damaged.tobytes())
        try:
            load_trigram_hdf5(path)
        except (FileFormatError, DataError):
            refused += 1
    assert refused > 2


def test_missing_key_names_those_present_and_the_near_one(tmp_path, arrays):
    arrays["trainX"] = arrays.pop("trainx")
    text = message(FileFormatError, tmp_path / "a.h5", arrays)
    assert "no key 'trainx'" in text
    assert "testd, testx, trainX, traind, vald, valx, words" in text
    assert "did you mean trainX?" in text


def test_a_group_in_the_place_of_an_array(tmp_path, arrays):
    arrays["valx/inner"] = arrays.pop("valx")
    assert "'valx' is a group, expected an array" in message(FileFormatError, tmp_path / "a.h5", arrays)


@pytest.mark.parametrize(
    ("key", "shape"), [("trainx", (70, 4)), ("trainx", (70,)), ("valx", (12, 3, 1)), ("testd", (9, 2)), ("testd", ())]
)
def test_wrong_rank_or_columns(tmp_path, arrays, key, shape):
    arrays[key] = np.ones(shape, np.int32)
    text = message(FileFormatError, tmp_path / "a.h5", arrays)
    assert f"'{key}' has shape {shape}, expected (N" in text


def test_transposed_inputs(tmp_path, arrays):
    arrays["trainx"] = arrays["trainx"].T
    assert "(3, 70), expected (N, 3) (transposed?)" in message(FileFormatError, tmp_path / "a.h5", arrays)


@pytest.mark.parametrize("value", [0, 251, -1])
def test_word_id_out_of_range(tmp_path, arrays, monkeypatch, value):
    monkeypatch.setattr(hdf5, "BLOCK_ROWS", 8)
    arrays["trainx"][23, 2] = arrays["trainx"][40, 0] = value
    text = message(DataError, tmp_path / "a.h5", arrays)
    assert f"'trainx' row 23, column 2 (rows count from 0) holds word id {value}, expected a whole number" in text
    assert "from 1 to 250" in text


@pytest.mark.parametrize("column", [False, True])
def test_label_out_of_range(tmp_path, arrays, column):
    arrays["vald"][5] = 251
    if column:
        arrays["vald"] = arrays["vald"][:, None]
    text = message(DataError, tmp_path / "a.h5", arrays)
    assert "'vald' row 5 (rows count from 0) holds label 251, expected a whole number from 1 to 250" in text


@pytest.mark.parametrize("value", [2.5, np.nan, np.inf, -np.inf])
def test_numbers_that_are_no_ids(tmp_path, arrays, value):
    arrays["testx"] = arrays["testx"].astype(float)
    arrays["testx"][4, 1] = value
    assert f"'testx' row 4, column 1 (rows count from 0) holds word id {value}" in message(
        DataError, tmp_path / "a.h5", arrays
    )


def test_text_in_the_place_of_numbers(tmp_path, arrays):
    arrays["traind"] = np.array([b"the"] * 70)
    assert "'traind' holds |S3, expected whole numbers" in message(FileFormatError, tmp_path / "a.h5", arrays)


@pytest.mark.parametrize("key", ["testx", "testd", "words"])
def test_empty_set(tmp_path, arrays, key):
    keys = ["words"] if key == "words" else ["testx", "testd"]
    for each in keys:
        arrays[each] = arrays[each][:0]
    assert f"'{keys[0]}' is empty, expected at least one" in message(DataError, tmp_path / "a.h5", arrays)


def test_mismatched_lengths(tmp_path, arrays):
    arrays["vald"] = arrays["vald"][:-1]
    assert "'valx' has 12 rows but 'vald' has 11" in message(DataError, tmp_path / "a.h5", arrays)


def test_fewer_words_than_ids(tmp_path, arrays):
    arrays["words"] = arrays["words"][:249]
    text = message(DataError, tmp_path / "a.h5", arrays)
    assert "holds word id 250" in text
    assert "from 1 to 249, the number of entries in 'words'" in text


@pytest.mark.parametrize("words", [np.arange(250), np.array([[b"a", b"b"], [b"c", b"d"]]), np.array(b"the")])
def test_words_of_another_layout(tmp_path, arrays, words):
    arrays["words"] = words
    assert "expected (V,) strings" in message(FileFormatError, tmp_path / "a.h5", arrays)


def test_words_that_are_no_utf8(tmp_path, arrays):
    arrays["words"][3] = b"\xff\xfe"
    assert r"'words' entry 3 is b'\xff\xfe', expected UTF-8" in message(DataError, tmp_path / "a.h5", arrays)


def test_reading_is_frugal(tmp_path, arrays):
    rows = 200_000
    arrays["trainx"], arrays["traind"] = np.full((rows, 3), 7, np.int64), np.full(rows, 7, np.int64)
    write(tmp_path / "a.h5", arrays)
    tracemalloc.start()
    try:
        load_trigram_hdf5(tmp_path / "a.h5")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows * 4 + 6e6, "more than the result (a byte an id) and a few blocks"


def test_the_real_file(real_data):
    dataset = load_trigram(real_data / "trigram.h5")
    with h5py.File(real_data / "trigram.h5") as file:
        assert_holds(dataset, file)
    assert [len(split) for split in dataset.splits().values()] == [372_500, 46_500, 46_500]
    assert np.mean(dataset.train.y == dataset.meta["words"].index(".")) == pytest.approx(0.174, abs=0.001)
