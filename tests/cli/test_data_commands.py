"""`fastnn data` and the choice of data: output, files, and that every file can be read back."""

import hashlib
import sys

import numpy as np
import pytest

from fastnn.cli import main
from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import Dataset, Split, catalogue, find_data, generate_digits, remote, save_cifar10, save_idx, save_npz
from fastnn.recipes import RECIPES
from tests.bad_server import Server


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working folder, and an empty folder of fetched data beside it."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("FASTNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FASTNN_OFFLINE", "1")
    return tmp_path


def one_line(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("fastnn: ")
    return err


def small_images(train, test, *shape):
    rng = np.random.default_rng(1)
    splits = [
        Split(rng.integers(0, 256, (n, *shape), np.uint8), rng.integers(0, 10, n, np.uint8)) for n in (train, test)
    ]
    return Dataset(splits[0], None, splits[1])


def as_if_fetched(monkeypatch, here, name, save, data):
    """Put files in the folder of fetched data, and their sizes and sums in the table."""
    folder = here / "data" / name
    save(folder, data)
    files = tuple(
        remote.RemoteFile(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.iterdir())
    )
    monkeypatch.setitem(remote.REMOTE, name, remote.RemoteSet(("http://127.0.0.1:9/",), files))


def test_list(capsys, monkeypatch, here):
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.DATA_SETS)
    assert "can be fetched, 12 MB; generated" in next(line for line in lines if line.startswith("mnist"))
    as_if_fetched(monkeypatch, here, "mnist", save_idx, small_images(9, 6, 28, 28))
    assert main(["data", "list"]) == 0
    assert " fetched, 0 MB; generated" in capsys.readouterr().out


def test_a_list_in_a_terminal_is_no_wider_than_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("fastnn.cli.output.leads_to_terminal", lambda stream: True)
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line[0] != " "] == list(catalogue.DATA_SETS)


def test_fetch_what_is_there(capsys, monkeypatch, here):
    as_if_fetched(monkeypatch, here, "mnist", save_idx, small_images(9, 6, 28, 28))
    assert main(["data", "fetch", "mnist"]) == 0
    assert capsys.readouterr().out == f"mnist: 4 files, 0.0 MB in {here / 'data' / 'mnist'}\n"


@pytest.mark.parametrize("watched", [False, True])
def test_fetch(capsys, monkeypatch, here, watched):
    """Results go to stdout; a bar goes to stderr if that is a terminal."""
    monkeypatch.delenv("FASTNN_OFFLINE")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    server = Server()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in server.files.items()}
    files = tuple(remote.RemoteFile(name, len(server.files[name]), value) for name, value in sums.items())
    monkeypatch.setitem(remote.REMOTE, "toy", remote.RemoteSet((server.url("forbidden"), server.url("good")), files))
    monkeypatch.setitem(remote.REMOTE, "none", remote.RemoteSet((server.url("forbidden"),), files))
    try:
        assert main(["data", "fetch", "toy"]) == 0
        out, err = capsys.readouterr()
        assert out == f"toy: 2 files, 0.3 MB in {here / 'data' / 'toy'}\n"
        assert ("big.bin" in err) is watched
        assert (here / "data" / "toy" / "big.bin").read_bytes() == server.files["big.bin"]
        monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
        assert main(["data", "fetch", "none"]) == 2
        assert "answers 403 Forbidden" in one_line(capsys)
    finally:
        server.close()


BAD = {
    "fetch offline": (["fetch", "mnist"], "FASTNN_OFFLINE is set: 'mnist' is not fetched"),
    "fetch unknown": (["fetch", "mnis"], "unknown data set to fetch 'mnis'; did you mean mnist"),
    "fetch generated": (
        ["fetch", "trigram"],
        "the original of 'trigram' cannot be fetched; `fastnn data make trigram` writes a",
    ),
    "fetch nothing": (["fetch"], "Missing argument 'NAME'; `fastnn data fetch --help` says what is"),
    "make unknown": (["make", "cifar"], "unknown data set 'cifar'; did you mean cifar10"),
    "make fashion": (["make", "fashion-mnist"], "has no generated stand-in: `fastnn data fetch fashion-mnist`"),
    "make nowhere": (["make", "moons", "--out", "no/where.npz"], "cannot write 'no/where.npz'"),
    "unknown command": (["bake"], "No such command 'bake'"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=list(BAD))
def test_what_the_user_got_wrong(capsys, arguments, said):
    assert main(["data", *arguments]) == 2
    assert said in one_line(capsys)


@pytest.mark.parametrize("name", ["cats-vs-cars", "mnist", "notmnist", "cifar10", "moons", "blobs"])
def test_what_is_made_can_be_read(capsys, monkeypatch, name):
    known = catalogue.DATA_SETS[name]
    if name == "mnist":  # The whole of it takes seconds.
        small = catalogue.DataSet(
            known.title, known.load, lambda: generate_digits(60, 20), known.generated, known.save, known.out
        )
    elif name == "cifar10":
        small = catalogue.DataSet(
            known.title, known.load, lambda: small_images(60, 20, 32, 32, 3), "", known.save, known.out
        )
    else:
        small = known
    monkeypatch.setitem(catalogue.DATA_SETS, name, small)
    want = small.generate() if name != "cifar10" else small_images(60, 20, 32, 32, 3)
    assert main(["data", "make", name]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {known.out}: {len(want.train):,}")
    got, said = find_data(name, known.out)
    assert said == f"data from {known.out}"
    assert got.meta["source"] == known.out
    for part, split in want.splits().items():
        np.testing.assert_array_equal(got.splits()[part].x, split.x, strict=True)
        np.testing.assert_array_equal(got.splits()[part].y, split.y, strict=True)


def test_a_path_before_fetched_before_generated(monkeypatch, here):
    monkeypatch.setitem(
        catalogue.DATA_SETS,
        "mnist",
        catalogue.DataSet("", catalogue.DATA_SETS["mnist"].load, lambda: generate_digits(30, 10), "drawn digits"),
    )
    data, said = find_data("mnist")
    assert data.meta["source"] == "generated"
    assert said == "generated data, drawn digits (no --data given; `fastnn data fetch mnist` brings the original)"
    fetched = small_images(90, 60, 28, 28)
    as_if_fetched(monkeypatch, here, "mnist", save_idx, fetched)
    data, said = find_data("mnist")
    assert data.meta["source"] == str(here / "data" / "mnist")
    assert said == f"mnist, fetched to {here / 'data' / 'mnist'}"
    np.testing.assert_array_equal(data.train.x, fetched.train.x)
    save_idx("mine", small_images(12, 11, 28, 28))
    data, said = find_data("mnist", "mine")
    assert (len(data.train), said) == (12, "data from mine")


def test_an_incomplete_download_is_not_used(monkeypatch, here):
    as_if_fetched(monkeypatch, here, "fashion-mnist", save_idx, small_images(9, 6, 28, 28))
    assert len(find_data("fashion-mnist")[0].train) == 9
    (here / "data" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="`fastnn data fetch fashion-mnist` brings it"):
        find_data("fashion-mnist")


def test_a_path_that_is_wrong_is_never_replaced_by_other_data(here):
    for name in catalogue.DATA_SETS:
        with pytest.raises(FileFormatError, match="nowhere"):
            find_data(name, "nowhere")
    for recipe in RECIPES.values():
        with pytest.raises(FileFormatError, match="nowhere"):
            recipe.find("nowhere")
    with pytest.raises(ValueError, match="unknown data set 'minst'; did you mean mnist"):
        find_data("minst")


def sizes(data):
    return [len(split) for split in data.splits().values()]


def found(system, path=None):
    """The data that a system trains on."""
    return RECIPES[system].find(path)[0]


def test_splits_of_the_systems(here):
    """Validation from the end of the training set, as many as the system wants but never more than a third."""
    save_npz("large.npz", small_images(40_000, 1_500, 2, 2, 3))
    whole = find_data("cifar10", "large.npz")[0]
    data = found("cifar10-mlp", "large.npz")
    assert sizes(data) == [39_000, 1_000, 1_000]
    np.testing.assert_array_equal(data.val.x, whole.train.x[-1000:])
    np.testing.assert_array_equal(data.test.x, whole.test.x[:1000])
    save_cifar10("small", small_images(60, 20, 32, 32, 3))
    assert sizes(found("cifar10-mlp", "small")) == [40, 20, 20]
    save_idx("digits", small_images(60, 20, 28, 28))
    assert sizes(found("mnist-mlp", "digits")) == [40, 20, 20]
    assert sizes(found("mnist-sgd", "digits")) == [40, 20, 20]


def test_letters_in_one_heap_are_shuffled_and_dealt():
    """18,724 letters sorted by class, as the file has them: 10,000 + 6,000 + 2,724, all classes everywhere."""
    y = np.sort(np.arange(18_724) % 10)
    np.savez("letters.npz", images=np.zeros((18_724, 2, 2), np.uint8), labels=y)
    data = found("notmnist-mlp", "letters.npz")
    assert sizes(data) == [10_000, 6_000, 2_724]
    for split in data.splits().values():
        assert np.bincount(split.y, minlength=10).min() > 0.08 * len(split)
    again = found("notmnist-cnn", "letters.npz")
    np.testing.assert_array_equal(again.train.y, data.train.y)


def test_generated_letters_come_as_the_system_wants_them():
    data, said = RECIPES["notmnist-mlp"].find(None)
    assert sizes(data) == [10_000, 6_000, 2_724]
    assert said == "generated data, letters of 21 typefaces, bent and slanted (no --data given)"
    assert data.meta["classes"] == list("ABCDEFGHIJ")


def test_every_data_set_of_a_system_is_in_the_catalogue():
    assert {recipe.data_set for recipe in RECIPES.values()} <= set(catalogue.DATA_SETS)
    assert set(remote.REMOTE) <= set(catalogue.DATA_SETS)
