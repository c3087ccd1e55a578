"""HDF5 files that another process writes, or that cannot be opened: each reader says which, and what to do."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.data.formats.cats_hdf5 import load_cats_vs_cars
from fastnn.data.formats.trigram_hdf5 import load_trigram_hdf5
from fastnn.data.hdf5 import child_process
from fastnn.training.callbacks.monitor import load_monitor
from tests.tiny import fit, tiny_model

HOLD = """
import sys, h5py
files = [h5py.File(path, "a") for path in sys.argv[1:]]
print("open", flush=True)
sys.stdin.read()
"""


def resumed(path):
    return fit(tiny_model(), epochs=2, callbacks=[fn.Checkpoint(path, resume=True)])


READERS = {
    "a model": (fn.load, "model.h5"),
    "a checkpoint": (resumed, "checkpoint.h5"),
    "a monitor": (load_monitor, "monitor.h5"),
    "a stream": (lambda path: rows_of(path), "rows.h5"),
    "words": (load_trigram_hdf5, "words.h5"),
    "images": (load_cats_vs_cars, "images.h5"),
}


def rows_of(path):
    with fn.H5Stream(path, "x") as stream:
        return stream.read(0, len(stream))


def write(folder):
    """A good file for each reader."""
    fit(tiny_model(), callbacks=[fn.Checkpoint(folder / "checkpoint.h5")])
    fit(tiny_model(), callbacks=[fn.Monitor(1, folder / "monitor.h5")])
    tiny_model().save(folder / "model.h5")
    ids = np.ones((2, 3), np.uint8)
    arrays = {
        "rows.h5": {"x": np.arange(6.0)},
        "words.h5": {"words": np.array([b"a", b"b"])} | dict.fromkeys(("trainx", "valx", "testx"), ids)
        | dict.fromkeys(("traind", "vald", "testd"), ids[:, 0]),
        "images.h5": dict.fromkeys(("trainims", "testims"), np.zeros((2, 4, 4), np.uint8))
        | dict.fromkeys(("trainlbls", "testlbls"), np.zeros(2)),
    }  # fmt: skip
    for name, content in arrays.items():
        with h5py.File(folder / name, "w") as file:
            for key, array in content.items():
                file[key] = array


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    write(made)
    return made


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A folder whose files another process holds open to write them."""
    made = tmp_path_factory.mktemp("held")
    write(made)
    command = [sys.executable, "-c", HOLD, *map(str, made.iterdir())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        yield made
        process.stdin.close()


@pytest.mark.parametrize("reader", READERS)
def test_a_good_file_is_read(folder, reader):
    read, name = READERS[reader]
    assert read(folder / name) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="another message")
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_another_process_writes(held, reader):
    read, name = READERS[reader]
    with pytest.raises(fn.FileFormatError, match=rf"{name}' is being written by another process.*wait") as caught:
        read(held / name)
    assert "damaged" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_whose_writer_did_not_close_it(tmp_path, reader):
    read, name = READERS[reader]
    path = str(tmp_path / name)
    code = "import sys, os, h5py; f = h5py.File(sys.argv[1], 'w', libver='latest'); f['x'] = 1; f.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, path], check=True)
    with pytest.raises(fn.FileFormatError, match=rf"{name}' is marked as being written.*h5clear"):
        read(path)


@pytest.mark.parametrize("reader", [name for name in READERS if name != "a checkpoint"])
def test_missing_folders_pipes_and_files_that_may_not_be_read(folder, tmp_path, monkeypatch, reader):
    read, name = READERS[reader]
    with pytest.raises(fn.FileFormatError, match=r"none.h5' does not exist, expected "):
        read(tmp_path / "none.h5")
    with pytest.raises(fn.FileFormatError, match="is a folder, expected "):
        read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(fn.FileFormatError, match="is a pipe or a device, expected "):
            read(tmp_path / "pipe")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(fn.FileFormatError, match=f"{name}' cannot be read: Permission denied"):
        read(folder / name)


def test_a_folder_and_a_file_system_without_locks(tmp_path, monkeypatch):
    with pytest.raises(fn.FileFormatError, match="is a folder"):
        resumed(tmp_path)
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:  # which only the other process reads
        file["trainims"] = 3
    told = "Unable to open file (unable to lock file, errno = 37, error message = 'No locks available')"
    refuse = f"def refuse(*_): raise OSError(37, {told!r})\n\n\nclass MissingError"
    text = child_process.SCRIPT.read_text("utf-8").replace("h5py.File(path", "refuse(path")
    script = tmp_path / "child.py"
    script.write_text(text.replace("class MissingError", refuse), "utf-8")
    monkeypatch.setattr(child_process, "SCRIPT", script)
    with pytest.raises(fn.FileFormatError, match=r"m.h5' cannot be locked .*HDF5_USE_FILE_LOCKING=FALSE"):
        load_cats_vs_cars(tmp_path / "m.h5")
