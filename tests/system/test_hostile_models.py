"""Model, checkpoint and Monitor files that were damaged or made to harm: fastnn's own error, or what was saved."""

import hashlib
import json
import os
import re
import subprocess

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common import file_pieces
from fastnn.common.framed import frame, unframed
from fastnn.nn.initializers import Zeros
from fastnn.nn.layers.plain_fields import restored
from fastnn.training.callbacks.monitor import load_monitor
from fastnn.training.models import storage
from tests.frames import sealed
from tests.tiny import bits, fit, tiny_model

FORGERIES = 1000  # of each kind of file


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    model = fit(tiny_model(), callbacks=[fn.Checkpoint(folder / "checkpoint.h5"), fn.Monitor(1, folder / "monitor.h5")])
    model.save(folder / "model.h5")
    return folder


LOADERS = {"model.h5": fn.load, "checkpoint.h5": storage.read, "monitor.h5": load_monitor}


def mutated(content, rng):
    """Bytes changed, a part cut out, doubled, or put in another place."""
    content = bytearray(content)
    low, high = sorted(rng.integers(0, len(content), 2))
    match rng.integers(4):
        case 0:
            for place in rng.integers(0, len(content), rng.integers(1, 9)):
                content[place] = rng.integers(256)
        case 1:
            del content[low : min(high, low + 64)]
        case 2:
            content[low:low] = content[low : min(high, low + 64)]
        case 3:
            del content[low:]
    return bytes(content)


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("version", [1, 2])
def test_frames_of_both_versions_are_read_with_the_same_checks(files, tmp_path, monkeypatch, name, version):
    """A byte of each section in turn is another one, among many small sections."""
    content, path = (files / name).read_bytes(), tmp_path / name
    size = len(content) // 9
    monkeypatch.setattr(file_pieces, "SECTION_BYTES", size)
    whole = sealed(content, version)
    path.write_bytes(whole)
    assert one_line_or_none(LOADERS[name], path) is None
    for place in [8, *range(12, frame.BLOCK, 100), *range(frame.BLOCK + 5, len(whole), size), len(whole) - 1]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
        assert one_line_or_none(LOADERS[name], path), place


@pytest.mark.parametrize("version", [0, 3, 2**32 - 1])
def test_a_frame_of_another_version(files, tmp_path, version):
    whole = (files / "model.h5").read_bytes()
    (tmp_path / "model.h5").write_bytes(sealed(whole, version))
    assert "a frame of version" in one_line_or_none(fn.load, tmp_path / "model.h5")


@pytest.mark.parametrize("name", LOADERS)
def test_any_damage_is_told(files, tmp_path, name):
    whole, rng = (files / name).read_bytes(), np.random.default_rng(1)
    path = tmp_path / name
    for _ in range(FORGERIES):
        content = mutated(whole, rng)
        if content[:8] != frame.MARK or content == whole:  # without the mark another process reads it: see below
            continue
        path.write_bytes(content)
        with pytest.raises(fn.FileFormatError, match=re.escape(name)) as caught:
            LOADERS[name](path)
        assert "\n" not in str(caught.value)


def one_line_or_none(load, path):
    """What `load` says against a file, None if it takes it. Any other error than fastnn's own leaves this function."""
    try:
        load(path)
    except fn.FileFormatError as error:
        said = str(error)
    else:
        return None
    assert "\n" not in said
    assert path.name in said
    return said


def forged_index(whole, rng):
    """The file with an index of which a number, a word or a bracket is another one."""
    start = frame.FIELDS.unpack_from(whole)[3]
    words = re.findall(r'"[^"]*"|-?\d+|.', whole[start:].decode())
    others = [
        *words,
        "-1",
        "NaN",
        "1e400",
        "null",
        "true",
        "{}",
        "[]",
        '"|O8"',
        '"<U9"',
        '"<f16"',
        "9" * 5000,
        str(2**48),
    ]
    for place in rng.integers(0, len(words), rng.integers(1, 4)):
        words[place] = others[rng.integers(len(others))]
    return whole[:start] + "".join(words).encode()


@pytest.mark.parametrize("name", LOADERS)
def test_no_forged_index_does_more_than_be_refused(files, tmp_path, name):
    """With a frame that is right: what it says of offsets, shapes and dtypes is not believed."""
    whole, rng, path, refused = (files / name).read_bytes(), np.random.default_rng(2), tmp_path / name, 0
    for number in range(FORGERIES):
        content = forged_index(whole, rng) if number % 2 else frame.MARK + mutated(whole[8:], rng)
        path.write_bytes(sealed(content.ljust(frame.BLOCK)))
        refused += one_line_or_none(LOADERS[name], path) is not None
    assert refused > FORGERIES // 4


def saved_with(path, **changes):
    saved = tiny_model().saved()
    parameters = {name: changes.get(name, array) for name, array in saved.parameters.items()}
    storage.save(path, storage.Saved(saved.config | changes.get("config", {}), parameters, saved.buffers))


PARAMETERS = {
    "a scalar": np.float32(3).reshape(()),
    "one row": np.ones((1, 5), np.float32),
    "imaginary": np.ones((9, 5), np.complex64),
    "whole numbers": np.ones((9, 5), np.int32),
    "of another dtype": np.ones((9, 5)),
    "text": np.full((9, 5), b"1"),
    "plain values": [[1.0] * 5] * 9,
}


@pytest.mark.parametrize("array", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_must_be_what_the_description_predicts(tmp_path, array):
    saved_with(tmp_path / "model.h5", **{"dense.w": array})
    with pytest.raises(fn.FileFormatError, match=r"model.h5: 'dense.w' is .*, expected \(9, 5\) float32"):
        fn.load(tmp_path / "model.h5")


def test_a_small_file_cannot_ask_for_much_memory(tmp_path):
    config = tiny_model().saved().config
    config["network"]["layers"][2]["units"] = 10**12
    saved_with(tmp_path / "model.h5", config=config)
    with pytest.raises(fn.FileFormatError, match=r"expected \(9, 1000000000000\)"):
        fn.load(tmp_path / "model.h5")


def test_initialisers_are_looked_up_in_a_table():
    assert restored({"initializer": "get", "spec": "ones"}) == Zeros()
    assert restored({"initializer": "Hinted"}) == Zeros()


FORGED_TRAININGS = {
    "NaN steps": lambda t: t["optimizer"].update(iteration=float("nan")),
    "text": lambda t: t["optimizer"].update(iteration="7"),
    "rate": lambda t: t["optimizer"].update(config='{"lr": NaN}'),
    "a scalar of state": lambda t: t["optimizer"]["state"]["dense.w"].update(velocity=np.zeros((), np.float32)),
    "no state": lambda t: t["optimizer"].update(state={}),
    "history": lambda t: t["history"].update(epochs="abc"),
    "steps": lambda t: t["history"].update(steps={"loss": "abc"}),
    "no callbacks": lambda t: t.update(callbacks=3),
    "no setup": lambda t: t.update(setup=3),
}


@pytest.mark.parametrize("change", FORGED_TRAININGS.values(), ids=FORGED_TRAININGS)
def test_trainings_that_no_checkpoint_wrote(files, tmp_path, change):
    """Refused before anything of the model is changed."""
    saved = storage.read(files / "checkpoint.h5")
    saved.training["callbacks"].clear()
    saved.training["setup"]["callbacks"] = []
    change(saved.training)
    storage.save(tmp_path / "forged.h5", saved)
    model = tiny_model()
    before = bits(model.parameters)
    with pytest.raises(fn.FileFormatError, match=r"forged\.h5"):
        fit(model, epochs=2, callbacks=[fn.Checkpoint(tmp_path / "forged.h5", resume=True)])
    assert bits(model.parameters) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_what_is_no_file(tmp_path, load):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name, said in (("pipe", "pipe or a device"), ("zero", "pipe or a device"), (".", "is a folder")):
        with pytest.raises(fn.FileFormatError, match=said):
            load(tmp_path / name)


# Files without a frame, as fastnn wrote them before: another process reads them.


def write_old(path, saved, version=2):
    """A model as it was saved before there was a frame."""
    with h5py.File(path, "w") as file:
        file.attrs["format"], file.attrs["version"] = "fastnn-model", version
        file.create_dataset("config", data=json.dumps(saved.config))
        for group in ("parameters", "buffers"):
            file.create_group(group)
            for name, array in getattr(saved, group).items():
                file[group].create_dataset(name, data=array)
        file.attrs["sha256"] = digest_of(file)


def digest_of(file):
    digest = hashlib.sha256()
    digest.update(f"@format={file.attrs['format']}\0@version={file.attrs['version']}\0".encode())
    names = []
    file.visit(names.append)
    for name in sorted(names):
        if isinstance(item := file[name], h5py.Dataset):
            value = item[()]
            digest.update(f"{name}:{item.dtype.str}{item.shape}\0".encode())
            digest.update(value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


@pytest.fixture
def old(tmp_path):
    write_old(tmp_path / "old.h5", fit(tiny_model(seed=3)).saved())
    return tmp_path / "old.h5"


@pytest.mark.parametrize("version", [1, 2])
def test_old_files_are_read(tmp_path, version):
    model = fit(tiny_model(seed=3))
    write_old(tmp_path / "old.h5", model.saved(), version)
    loaded = fn.load(tmp_path / "old.h5")
    assert bits(loaded.parameters) == bits(model.parameters)
    assert loaded.epoch == 1


def replace_with(link):
    def change(file):
        del file["parameters/dense.b"]
        file["parameters"]["dense.b"] = link

    return change


def dataset(**keywords):
    def change(file):
        del file["parameters/dense.b"]
        file["parameters"].create_dataset("dense.b", **keywords)

    return change


def circle(file):
    group = file.create_group("group")
    group["again"] = group


never_written = dataset(shape=(10**9,), dtype="f4")
OLD_CHANGES = {
    "soft link": (replace_with(h5py.SoftLink("/parameters/dense.w")), "is a link, expected an array"),
    "link to another file": (replace_with(h5py.ExternalLink("secret.h5", "/x")), "is a link, expected an array"),
    "storage in another file": (
        dataset(shape=(5,), dtype="f4", external=[("secret.bin", 0, 20)]),
        "stands in another file",
    ),
    "filter": (dataset(data=np.zeros(5, np.float32), compression="gzip"), "is not stored in one piece"),
    "chunks": (dataset(data=np.zeros(5, np.float32), chunks=(5,)), "is not stored in one piece"),
    "never written": (never_written, "more than were written"),
    "reference": (dataset(shape=(5,), dtype=h5py.ref_dtype), "expected numbers"),
    "compound": (dataset(shape=(5,), dtype=[("a", "f4")]), "expected numbers"),
    "a circle": (circle, "its groups have no end"),
    "no digest": (lambda file: file.attrs.pop("sha256"), "checksum does not match"),
    "version of a kind": (lambda file: file.attrs.update(version="2"), "format version '2'"),
    "an array of versions": (lambda file: file.attrs.update(version=[1, 2]), "format version None"),
}


@pytest.mark.parametrize(("change", "said"), OLD_CHANGES.values(), ids=OLD_CHANGES)
def test_old_files_hold_plain_arrays_or_are_refused(old, change, said, monkeypatch):
    monkeypatch.chdir(old.parent)
    (old.parent / "secret.bin").write_bytes(bytes(20))
    with h5py.File("secret.h5", "w") as file:
        file["x"] = np.zeros(5, np.float32)
    with h5py.File(old, "r+") as file:
        change(file)
        if "sha256" in file.attrs and change not in (circle, never_written):
            file.attrs["sha256"] = digest_of(file)
    with pytest.raises(fn.FileFormatError, match=rf"old\.h5: .*{said}") as caught:
        fn.load(old)
    assert "\n" not in str(caught.value)


def test_old_files_with_a_damaged_byte(old):
    """A few, because each costs a process."""
    whole, want, rng = old.read_bytes(), bits(fn.load(old).parameters), np.random.default_rng(0)
    for place in rng.integers(8, len(whole), 12):
        old.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        refused = one_line_or_none(fn.load, old)
        assert refused or bits(fn.load(old).parameters) == want


ENDS = {
    "crash": ("import os; os.abort()", r"the HDF5 library failed in it \(status -?\d+\)"),
    "loop": ("while True: pass", "the HDF5 library (failed|came to no end) in it"),
    "memory": ("b = bytes(10**11)", r"the HDF5 library failed in it"),
}


@pytest.mark.parametrize(("code", "said"), ENDS.values(), ids=ENDS)
def test_a_library_that_crashes_or_comes_to_no_end(old, tmp_path, monkeypatch, code, said):
    """The script runs as it is, but for what stands in the place of its reading."""
    text = unframed.SCRIPT.read_text("utf-8")
    script = tmp_path / "script.py"
    script.write_text(text.replace("    file = opened(image)\n", f"    {code}\n    file = None\n"), "utf-8")
    monkeypatch.setattr(unframed, "SCRIPT", script)
    monkeypatch.setattr(unframed, "SECONDS", 1)
    with pytest.raises(fn.FileFormatError, match=said if code[0] != "b" else "old.h5: cannot be read"):
        fn.load(old)


def test_a_child_that_cannot_start(old, monkeypatch):
    def refuse(*_, **__):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(fn.FileFormatError, match="No such file"):
        fn.load(old)
