"""All that writes files, for `faults`: what lies there before, the command, and what is whole afterwards."""

import contextlib
import hashlib
import os
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np

import fastnn as fn
from fastnn import data
from fastnn.cli import main
from fastnn.common import file_pieces
from fastnn.common.errors import DataError, FastnnError
from fastnn.data import catalogue, remote
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.run_folder import RunFolder
from fastnn.training.callbacks.monitor import load_monitor
from tests.bad_server import Server
from tests.drawings import empty_pictures
from tests.run_bits import arrays_of, rows_of, run_bits
from tests.small_data import pictures
from tests.tiny import fit, tiny_model


@dataclass
class Kind:
    """One kind of writing.

    old      puts into a folder what is there before
    act      writes; returns the status of a command
    bits     what a folder holds, AssertionError or FileFormatError if that is not whole
    recover  what any next command does before it looks
    is_old   (found, old, new) -> whether what is found after an error may be there
    may_lack  the file without which a set of files is refused after an error, by this name
    is_alone  whether the files are the user's own, among others; else in a folder that a command keeps tidy
    """

    old: object
    act: object
    bits: object
    recover: object = lambda folder: None
    is_old: object = lambda found, old, new: found == old
    may_lack: str = "\0"
    is_alone: bool = True


def told(function):
    """A function as a command: its status is 0, or 2 after one line on fastnn's own error."""

    def act(folder):
        try:
            function(folder)
        except FastnnError as error:
            print(f"fastnn: {error}", flush=True)
            return 2
        return 0

    return act


def _model(value):
    model = tiny_model()
    model.set_parameters({"dense.b": np.full(5, value)})
    return model


@contextlib.contextmanager
def saving():
    def bits(folder):
        return fn.load(folder / "m.h5").parameters["dense.b"].tobytes()

    yield Kind(
        lambda folder: _model(1).save(folder / "m.h5"), told(lambda folder: _model(2).save(folder / "m.h5")), bits
    )


@contextlib.contextmanager
def in_sections():
    """A model whose file has many sections, as a large one has; the old file is still freed by the rename."""
    with mock.patch.object(file_pieces, "SECTION_BYTES", 700), saving() as kind:
        yield kind


def _trained(folder, epochs):
    """A training with all callbacks that write files."""
    callbacks = [
        fn.Monitor(2, folder / "monitor.h5"),
        fn.CSVLogger(folder / "history.csv"),
        fn.Checkpoint(folder / "checkpoint.h5", resume=True, every=2),
    ]
    model = tiny_model()
    fit(model, epochs=epochs - model.epoch, callbacks=callbacks)
    return model


@contextlib.contextmanager
def training():
    """Each of its files is whole by itself; a training that goes on writes all of them again."""

    def bits(folder):
        arrays_of(folder / "checkpoint.h5")
        fn.load(folder / "checkpoint.h5")
        load_monitor(folder / "monitor.h5")
        rows_of(folder / "history.csv")
        done = fn.load(folder / "model.h5").parameters if (folder / "model.h5").exists() else {}
        return {name: array.tobytes() for name, array in done.items()}

    def act(folder):
        _trained(folder, 2).save(folder / "model.h5")

    yield Kind(lambda folder: _trained(folder, 1), told(act), bits)


RUN = ["--hidden", "2", "--epochs", "2", "--compare", "seeds"]


def _run(folder, seed):
    return main(["train", "cats-vs-cars", *RUN, "--seed", str(seed), "--resume", "--out", str(folder / "run")])


@contextlib.contextmanager
def command():
    """A command of several trainings in the folder of a finished run."""
    found = pictures((32, 32), classes=2, train=20, test=6), "a test's pictures"
    with mock.patch.object(Recipe, "find", return_value=found), empty_pictures():
        yield Kind(
            lambda folder: _run(folder, 7),
            lambda folder: _run(folder, 1),
            _run_bits,
            recover=lambda folder: _recover(folder / "run"),
            is_alone=False,
        )


def _run_bits(folder):
    """Without the single trainings: what a kill keeps from being deleted is no harm."""
    *bits, names, history = run_bits(folder / "run")
    return *bits, [name for name in names if not name.startswith("parts")], history


def _recover(folder):
    """What every command does before it trains: a finished run is put in place."""
    with contextlib.suppress(DataError), RunFolder(folder).held():
        pass


@contextlib.contextmanager
def sweep():
    """Two trials beside one that was made before."""
    small = ["--samples", "100", "--epochs", "1", "--quick"]

    def swept(folder, sizes):
        grid = ["--grid", f"sizes={sizes}"]
        return main(["sweep", "trigram", *grid, *small, "--out", str(folder / "run")])

    def bits(folder):
        return rows_of(folder / "run" / "sweep.csv")

    with empty_pictures():
        yield Kind(
            lambda folder: swept(folder, "2x3"),
            lambda folder: swept(folder, "2x3,2x4,3x4"),
            bits,
            is_old=_is_beginning,
            is_alone=False,
        )


def _is_beginning(found, old, new):
    """A table grows by a row a trial."""
    return len(found) >= len(old) and found == new[: len(found)]


@contextlib.contextmanager
def download():
    """Two files, the second of which was fetched before."""
    server = Server()
    files = [
        remote.RemoteFile(name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in Server.files.items()
    ]
    toy = remote.RemoteSet((server.url("truncating"), server.url("good")), tuple(files))

    def old(folder):
        (folder / "toy").mkdir()
        (folder / "toy" / "small.bin").write_bytes(Server.files["small.bin"])

    def act(folder):
        with mock.patch.dict(os.environ, FASTNN_DATA_DIR=str(folder)):
            return main(["data", "fetch", "toy"])

    def bits(folder):
        found = {path.name: path.read_bytes() for path in (folder / "toy").iterdir() if path.suffix != ".part"}
        assert all(content == Server.files[name] for name, content in found.items())
        return sorted(found)

    with mock.patch.dict(remote.REMOTE, toy=toy):
        yield Kind(old, act, bits)
    server.close()


def making(name, generate, last="\0"):
    """`fastnn data make`; generate : number -> a small data set; last : of several files the one written last."""

    @contextlib.contextmanager
    def make():
        known = catalogue.DATA_SETS[name]

        def made(folder, number):
            small = {name: replace(known, generate=lambda: generate(number))}
            with mock.patch.dict(catalogue.DATA_SETS, small):
                return main(["data", "make", name, "--out", str(folder / known.out)])

        def bits(folder):
            found = known.load(folder / known.out)
            return [(split.x.tobytes(), split.y.tobytes()) for split in found.splits().values()]

        yield Kind(lambda folder: made(folder, 1), lambda folder: made(folder, 2), bits, may_lack=last)

    return make


def _trigrams(number):
    rng = np.random.default_rng(number)
    words = [f"word{i}" for i in range(9)]
    splits = [data.Split(rng.integers(0, 9, (30, 3)), rng.integers(0, 9, 30)) for _ in range(3)]
    return data.Dataset(*splits, {"words": words, "source": "test"})


def _digits(number):
    """As many for each number: files of two sets would fit together."""
    found = pictures((28, 28), train=20, test=20)
    train, test = (data.Split(split.x ^ number, (split.y + number) % 10) for split in (found.train, found.test))
    return replace(found, train=train, test=test)


KINDS = {
    "model": saving,
    "sections": in_sections,
    "training": training,
    "run": command,
    "sweep": sweep,
    "download": download,
    "trigram": making("trigram", _trigrams),
    "cats-vs-cars": making("cats-vs-cars", lambda number: pictures((32, 32), 2, 20 + number, 6, in_order=True)),
    "mnist": making("mnist", _digits, "t10k-labels"),
    "notmnist": making("notmnist", lambda number: pictures((28, 28), train=20 + number, test=20)),
    "cifar10": making("cifar10", lambda number: pictures((32, 32, 3), train=20 + number, test=20), "test_batch.bin"),
    "moons": making("moons", lambda number: data.generate_moons(20 + number)),
}
