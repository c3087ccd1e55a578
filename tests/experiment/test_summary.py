"""The fields of summary.json: their names and order, and that older and newer files can be read."""

import json

import pytest

from fastnn.common.errors import FileFormatError
from fastnn.experiment.answers import Answer, Row, Table, from_json, texts
from fastnn.experiment.run_files import read_summary
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.summary import ComparedRun, Ending, Spread, Summary

BEGUN = [
    *("schema", "id", "title", "command", "status", "data", "data_note", "samples", "config", "unused"),
    *("quick", "best"),
    *("threads", "dtype", "versions", "report", "true_entropy"),
]
ENDED = [
    *("chosen", "metrics", "best_epoch", "epochs_run", "stop_reason", "seconds_per_epoch", "samples_per_second"),
    "tokens_of_samples",
    *("runs", "spreads", "answers", "pictures", "network", "finished_at", "seconds", "peak_rss_mb"),
]
RUN = ["label", "comparison", "question", "run", "config", "metrics", "best_epoch", "epochs_run"]

ANSWER = Answer(
    "rates", "Which rate?", [Table([Row("0.1", {"val_loss": 0.5}, {"val_loss": 0.4})])], ["Best: 0.1."], "0.1"
)

FINISHED = Summary(
    id="trigram",
    status="finished",
    data="generated",
    samples={"train": 9},
    config={"lr": 0.1},
    ending=Ending(
        chosen="a",
        metrics={"val_loss": 0.1 + 0.2},
        runs=[ComparedRun("a", metrics={"val_loss": 1.0}), ComparedRun("b", failed="the loss became nan")],
        spreads={"seeds": {"val_loss": Spread(0.5, 0.25)}},
        answers=[ANSWER.to_json()],
        pictures={"curves.png": "the chosen run"},
    ),
)


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.held(), folder.opened({}):
        yield folder


def written(folder, summary):
    folder.write_summary(summary)
    return json.loads((folder.working / "summary.json").read_text(encoding="utf-8"))


def test_a_summary_is_json_whatever_the_figures_are(folder):
    """R² of equal targets is NaN, a perplexity may be infinite: JSON has words for neither."""
    lost = {"val_r2": float("nan"), "test_perplexity": float("inf"), "val_loss": 0.5}
    answer = Answer("a", "b", [Table([Row("net", lost)])])
    runs, spreads = [ComparedRun("a", metrics=lost)], {"seeds": {"val_r2": Spread(float("nan"), 1.0)}}
    ending = Ending(metrics=lost, answers=[answer.to_json()], runs=runs, spreads=spreads)
    folder.write_summary(Summary(id="table", ending=ending))
    text = (folder.working / "summary.json").read_text("utf-8")
    found = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert found["metrics"] == {"val_r2": None, "test_perplexity": None, "val_loss": 0.5}
    assert found["runs"][0]["metrics"] == found["metrics"]
    assert found["spreads"] == {"seeds": {"val_r2": [None, 1.0]}}
    assert texts(from_json(found["answers"][0]).tables[0])[1] == [["net", "inf", "0.5000"]]
    assert Summary.from_json(found).ending.metrics["val_r2"] is None


def test_keys_of_a_finished_run(folder):
    found = written(folder, FINISHED)
    assert list(found) == BEGUN + ENDED
    assert [list(run) for run in found["runs"]] == [RUN, [*RUN, "failed"]]
    assert found["spreads"] == {"seeds": {"val_loss": [0.5, 0.25]}}
    assert found["stop_reason"] is found["best"] is found["true_entropy"] is None


def test_keys_of_a_run_that_has_not_finished(folder):
    assert list(written(folder, Summary(id="trigram", status="interrupted"))) == BEGUN


@pytest.mark.parametrize("summary", [FINISHED, Summary(id="trigram", status="running")], ids=["finished", "running"])
def test_round_trip(folder, summary):
    folder.write_summary(summary)
    assert read_summary(folder.working) == summary


def test_answers_come_back(folder):
    assert from_json(written(folder, FINISHED)["answers"][0]) == ANSWER


def test_fields_of_a_newer_version_are_ignored():
    found = FINISHED.to_json()
    newer = found | {"colour": "red", "runs": [run | {"colour": "red"} for run in found["runs"]]}
    assert Summary.from_json(newer) == FINISHED


def test_fields_that_are_missing_have_their_defaults():
    found = Summary.from_json({"id": "trigram", "metrics": {"val_loss": 0.5}})
    assert (found.samples, found.ending.metrics, found.ending.runs) == ({}, {"val_loss": 0.5}, [])
    assert Summary.from_json({}).ending is None


@pytest.mark.parametrize(
    "change",
    [
        {"runs": 5},
        {"answers": 5},
        {"answers": [{"name": 1}]},
        {"spreads": {"seeds": {"val_loss": 1}}},
        {"runs": [{"run": "a"}]},
    ],
)
def test_fields_that_hold_something_else(folder, change):
    path = folder.working / "summary.json"
    path.write_text(json.dumps(FINISHED.to_json() | change), "utf-8")
    with pytest.raises(FileFormatError, match=r"summary\.json: cannot be read as a run's summary"):
        read_summary(folder.working)
