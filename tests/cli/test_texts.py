"""A user's text on the command line: trained on, told of, predicted from, evaluated, and refused."""

import gzip
import json
import math
import re
from dataclasses import asdict

import pytest

from fastnn.cli import main
from fastnn.experiment.settings import changed
from fastnn.recipes import RECIPES
from fastnn.recipes.worker import SystemJob
from tests.small_data import write_trigrams
from tests.tiny import jit_only

SMALL = ["--sizes", "2x3", "--epochs", "2", "--batch-size", "50", "--threads", "1", "--compare", "none"]
TEXT = "The old man saw the dog. " * 40 + "A fox, sly and naïve!\n" * 29 + "A fox!"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(name, *flags):
    return main(["train", "trigram", "--data", name, *SMALL, *flags])


def refused(capsys):
    """The one line that says why."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


@jit_only
@pytest.mark.parametrize(
    ("flags", "ids"),
    [([], 16), (["--order", "2", "--keep-case"], 17), (["--tokens", "characters", "--order", "8"], 25)],
    ids=["words", "case", "characters"],
)
def test_from_a_text_to_predictions_and_figures(here, capsys, flags, ids):
    (here / "my book").write_bytes(gzip.compress(TEXT.encode("utf-16")))
    assert train("my book", *flags) == 0
    out, err = capsys.readouterr()
    noun = "character" if "characters" in flags else "token"
    for said in (" in 70 sentences, read as UTF-16; sentences end at . ! ? … and empty lines", f"{ids} ids, of "):
        assert said in " ".join(err.split())
        assert said in " ".join(out.split())
    assert f"all {noun}s that occur 2 times or more in the training sentences have one, fewer than the 10,000" in err
    page = (here / "runs/trigram/report.html").read_text(encoding="utf-8")
    assert "What was kept of the text?" in page
    summary = json.loads((here / "runs/trigram/summary.json").read_text(encoding="utf-8"))
    assert [answer["name"] for answer in summary["answers"]][:3] == ["chosen", "text", "counts"]
    assert summary["config"]["vocabulary"] == 10_000
    (table,) = next(answer["tables"] for answer in summary["answers"] if answer["name"] == "next-words")
    assert table["rows"]
    for row in table["rows"]:
        assert list(row["here"])[:2] == ["true", "1"]
        assert all(re.fullmatch(r".+ [1-9]\d* %", text) for name, text in row["here"].items() if name != "true")
    for query in ("The old man saw", "fox", "Ein anderer 日本語 🦊", "naïve! A", ""):
        assert main(["predict", "runs/trigram", query]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 10
    (here / "queries.txt").write_bytes("naïve\nthe\n".encode("latin-1"))
    assert main(["predict", "runs/trigram", "queries.txt", "--top", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["evaluate", "runs/trigram", "--data", "my book", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {f"{split}_loss": pytest.approx(part["loss"], rel=1e-6) for split, part in found.items()} == {
        name: value for name, value in summary["metrics"].items() if name.endswith("_loss")
    }
    for name, part in found.items():
        assert part["perplexity"] == pytest.approx(math.exp(part["loss"]), rel=1e-6)
        assert part["unknown"] == pytest.approx(0), name
    assert main(["evaluate", "runs/trigram", "--data", "my book"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[-2:] == ["perplexity", "unknown"]


REFUSED = {
    "empty": (b"", [], "'book' is too small: found 0 tokens"),
    "one word": (b"word", [], "'book' is too small: found 1 token in 1 sentence"),
    "binary": (b"\x7fELF\x02\x01\x01\0\0", [], "'book' is no plain text: byte 7 is zero"),
    "cut archive": (gzip.compress(TEXT.encode())[:-9], [], "'book' is cut short"),
    "long samples": (TEXT.encode(), ["--order", "9"], "--order is 9, expected below 9"),
    "rare": (TEXT.encode(), ["--min-count", "1000"], "have no token beside|has no token beside"),
    "few": (TEXT.encode(), ["--vocabulary", "3"], "vocabulary_size=3"),
}


@pytest.mark.parametrize(("content", "flags", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_to_train_on(here, capsys, content, flags, said):
    (here / "book").write_bytes(content)
    assert train("book", *flags) == 2
    line = refused(capsys)
    assert any(one in line for one in said.split("|"))


@pytest.mark.parametrize(
    "flags",
    [
        ["--vocabulary", "100"],
        ["--min-count", "1"],
        ["--order", "3"],
        ["--keep-case"],
        ["--tokens", "bytes"],
        ["--sentences", "lines"],
    ],
    ids=lambda flags: flags[0],
)
def test_flags_of_texts_are_for_texts(here, capsys, flags):
    write_trigrams(here / "words.h5")
    assert train("words.h5", *flags) == 2
    told = f"{flags[0]} is for plain text, but 'words.h5' has samples and a vocabulary already; give --data a text"
    assert refused(capsys).endswith(told)
    assert main(["train", "trigram", *SMALL, *flags]) == 2
    assert f"{flags[0]} is for plain text, but the generated data have" in refused(capsys)


def test_a_sweep_has_one_data_set(here, capsys):
    (here / "book").write_text(TEXT, encoding="utf-8")
    flags = ["--data", "book", "--grid", "order=2,3", "--grid", "lr=0.1,0.2"]
    assert main(["sweep", "trigram", *flags]) == 2
    assert "--grid has order, by which the data are read once for all trials: give --order instead" in refused(capsys)


@jit_only
def test_a_sweep_reads_a_text_as_its_flags_say(here):
    (here / "book").write_text(TEXT, encoding="utf-8")
    assert main(["sweep", "trigram", "--data", "book", "--grid", "lr=0.1", "--order", "2", *SMALL[:-2]]) == 0
    header, row = (here / "sweeps/trigram/sweep.csv").read_text(encoding="utf-8").splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=True))
    assert (found["order"], found["status"]) == ("2", "finished")
    settings = RECIPES["trigram"].with_settings({"epochs": 1, "sizes": "2x3"})
    for order in (3, 5):  # the processes of a sweep, too, which load data by themselves
        given = changed(settings, order=order)
        job = SystemJob("trigram", here / "book", False, "", given)
        job.load(asdict(given))
        assert job.prepared["float32"].train.x.shape[1] + 1 == order


@jit_only
def test_several_texts_and_one_for_each_split(here, capsys, caplog):
    (here / "a.txt").write_text(TEXT, encoding="utf-8")
    (here / "more").mkdir()
    (here / "more" / "b.txt").write_text("The fox saw the man. " * 20, encoding="utf-8")
    (here / "c.txt").write_text("The sly fox saw a dog. " * 5, encoding="utf-8")
    assert train("a.txt", "--data", "more", "--val", "c.txt", "--test", "more") == 0
    out, err = capsys.readouterr()
    assert "text from a.txt, more, c.txt, more: " in err
    assert "'more/b.txt' is both training and test text: figures on it say nothing of new text" in caplog.text
    kept = out[out.index("What was kept") : out.index("Does the net")]
    sentences = {line.split()[1]: line.split()[3] for line in kept.splitlines() if "%" in line and "│" in line}
    assert sentences == {"training": "90", "validation": "5", "test": "20"}
    assert "'more/b.txt' is both training and test text" in " ".join(kept.split())
    assert main(["train", "trigram", "--train", "a.txt", *SMALL, "--test", "c.txt", "--json"]) == 0


@jit_only
def test_a_large_text_is_read_from_a_file_of_ids(here, capsys, monkeypatch):
    monkeypatch.setattr("fastnn.data.formats.text_to_ids.LARGE_BYTES", 100)
    monkeypatch.setattr("fastnn.recipes.trigram.counts.COUNTED", 200)
    monkeypatch.setenv("FASTNN_DATA_DIR", str(here / "kept"))
    (here / "a.txt").write_text(TEXT, encoding="utf-8")
    assert train("a.txt") == 0
    out, err = capsys.readouterr()
    (ids,) = (here / "kept" / "texts").iterdir()
    assert f"the ids are in {ids}" in err
    assert "Counted were the first 200 samples of the text." in out
    assert main(["predict", "runs/trigram", "The old man saw"]) == 0
    before = ids.stat().st_ino
    assert train("a.txt", "--fresh") == 0
    assert ids.stat().st_ino == before


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data", "d.h5"], "'d.h5' is an HDF5 file, expected plain text"),
        (["--val", "d.h5"], "'d.h5' is an HDF5 file, expected plain text"),
        (["--val", "absent"], "'absent' does not exist"),
        (["--test", "empty"], "'empty' is a folder without files"),
        (["--data", "absent"], "'absent' does not exist"),
    ],
)
def test_texts_that_do_not_go_together(here, capsys, flags, said):
    (here / "a.txt").write_text(TEXT, encoding="utf-8")
    (here / "empty").mkdir()
    write_trigrams(here / "d.h5")
    assert train("a.txt", *flags) == 2
    assert said in refused(capsys)
