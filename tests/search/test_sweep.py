"""`fn.sweep` in this process: what is trained, what is best, what is kept, and what is refused."""

import csv
import math
from statistics import fmean, stdev

import numpy as np
import pytest

import fastnn as fn
from fastnn.cli import main
from fastnn.common.csv_file import write_rows
from fastnn.search.folder import held
from fastnn.search.job import told
from fastnn.search.model_job import arguments_of
from fastnn.search.picture import picture_of
from fastnn.search.plans import rungs
from fastnn.search.pools import Here
from fastnn.search.ranking import ranked, standing
from fastnn.search.result import _state
from fastnn.search.trials import Trials
from tests.search import sweeps
from tests.search.sweeps import COMMON, DATA, GRID, VAL, Counted, Fixed, build
from tests.tiny import bits


@pytest.fixture(autouse=True)
def counted():
    sweeps.EPOCHS.clear()
    return sweeps.EPOCHS


def table(folder):
    with open(folder / "sweep.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def alone(hidden, lr, seed, epochs):
    """The model and its history, trained as ever."""
    model, optimizer = build(hidden, lr, seed)
    model.fit(*DATA, optimizer=optimizer, epochs=epochs, validation_data=VAL, verbose=False)
    return model


def test_each_combination_is_trained_with_each_seed():
    result = fn.sweep(build, GRID, DATA, seeds=2, **COMMON)
    rows = result.rows
    assert [(row["hidden"], row["lr"], row["seed"]) for row in rows[:3]] == [(2, 0.01, 0), (2, 0.01, 1), (2, 0.1, 0)]
    assert len(result) == len(rows) == 8
    assert {row["status"] for row in rows} == {"finished"}
    assert all(row["threads"] >= 1 and row["seconds"] > 0 and row["epochs_run"] == 2 for row in rows)
    first = result.summary[0]
    values = [row["val_loss"] for row in rows if all(row[name] == first[name] for name in GRID)]
    assert first["mean"] == fmean(values)
    assert first["deviation"] == stdev(values)
    assert result.best == {name: first[name] for name in GRID}
    assert first["mean"] == min(line["mean"] for line in result.summary)


def test_the_best_model_is_the_one_that_was_trained():
    result = fn.sweep(build, GRID, DATA, seeds=2, **COMMON)
    model = result.best_model()
    best = min((row for row in result.rows if result.best.items() <= row.items()), key=lambda row: row["val_loss"])
    want = alone(*result.best.values(), best["seed"], 2)
    assert bits(model.parameters) == bits(want.parameters)
    assert model.history["val_loss"] == want.history["val_loss"]
    assert model.epoch == 2
    assert model.evaluate(*VAL)["loss"] == best["val_loss"]


def test_ties_go_to_the_lower_loss():
    rows = [{"val_accuracy": 0.5, "val_loss": loss} for loss in (0.7, 0.6, 0.9)]
    found = ranked((standing(i, [row], lambda row: row["val_accuracy"]) for i, row in enumerate(rows)), higher=True)
    assert [one.number for one in found] == [1, 0, 2]


@pytest.mark.parametrize(("higher", "order"), [(True, [2, 0, 1]), (False, [1, 0, 2])])
def test_the_best_mean_comes_first(higher, order):
    rows = [{"f": value, "loss": 1.0} for value in (0.5, 0.4, 0.6)]
    found = ranked((standing(i, [row], lambda row: row["f"]) for i, row in enumerate(rows)), higher=higher)
    assert [one.number for one in found] == order


def test_a_loss_that_is_not_known_loses_a_tie():
    rows = [{"f": 0.5} | loss for loss in ({}, {"loss": 0.7}, {"loss": math.nan}, {"loss": 0.6})]
    found = ranked((standing(i, [row], lambda row: row["f"]) for i, row in enumerate(rows)), higher=True)
    assert [one.number for one in found] == [3, 1, 0, 2]


def test_settings_with_a_failed_seed_come_last():
    rows = [[{"f": 1.0}, {}], [{"f": 3.0}, {"f": 3.0}], [{"f": math.nan}, {}]]
    found = ranked((standing(i, group, lambda row: row.get("f")) for i, group in enumerate(rows)), higher=False)
    assert [(one.number, one.known) for one in found] == [(1, 2), (0, 1)]


def test_settings_of_fit_and_settings_one_by_one():
    space = [{"hidden": 2, "batch_size": 40}, {"hidden": 2, "batch_size": 8}, {"hidden": 3}]
    rows = fn.sweep(build, space, DATA, **COMMON).rows
    assert [row["hidden"] for row in rows] == [2, 2, 3]
    assert rows[0]["loss"] != rows[1]["loss"]
    assert "batch_size" not in rows[2]


def test_trials_are_drawn():
    space = {"hidden": fn.Between(2, 9), "lr": fn.Between(1e-3, 1e-1)}
    rows = fn.sweep(build, space, DATA, trials=4, **COMMON | {"epochs": 1}).rows
    assert len({(row["hidden"], row["lr"]) for row in rows}) == 4
    assert all(isinstance(row["hidden"], int) and 1e-3 <= row["lr"] <= 1e-1 for row in rows)
    more = fn.sweep(build, space, DATA, trials=5, **COMMON | {"epochs": 1}).rows
    assert [row["lr"] for row in more[:4]] == [row["lr"] for row in rows]


def test_the_best_epoch_s_figures_are_those_of_a_model_that_is_put_back():
    stopping = fn.EarlyStopping("val_loss", 1, restore_best=True)
    given = COMMON | {"epochs": 30, "callbacks": [stopping]}
    result = fn.sweep(build, {"hidden": [4], "lr": [1.0]}, DATA, **given)
    (row,) = result.rows
    assert row["status"] == "finished"
    assert row["best_epoch"] < row["epochs_run"] < 30
    assert result.best_model().evaluate(*VAL)["loss"] == row["val_loss"]
    assert "did not improve" in row["reason"]
    assert stopping.best_epoch == 0, "trials have copies"


def test_trials_that_fail_say_why_and_lose_nothing():
    def failing(hidden, lr):
        if hidden == 2:
            raise KeyError("no such thing")
        return build(hidden, lr)

    with pytest.warns(UserWarning, match="2 of 6 trials failed"):
        result = fn.sweep(failing, {"hidden": [2, 4, 3], "lr": [0.01, 0.1]}, DATA, **COMMON)
    assert [row["status"] for row in result.rows] == ["failed"] * 2 + ["finished"] * 4
    assert result.rows[0]["reason"] == "KeyError: 'no such thing'"
    assert "failed: KeyError" in repr(result)
    assert result.best["hidden"] != 2


def test_data_that_cannot_be_loaded_say_nothing_of_the_settings(tmp_path, counted):
    """The data come back, and the same call trains: the function is the same, and so are the trials."""
    path = tmp_path / "data.npy"

    def data():
        return np.load(path), DATA[1]

    given = COMMON | {"epochs": 1, "callbacks": [Counted()], "out": tmp_path / "s"}
    with pytest.warns(UserWarning, match="1 of 1 trial failed.*FileNotFoundError.*trained again by the same call"):
        assert fn.sweep(build, {"hidden": [2]}, data, **given).rows[0]["status"] == "crashed"
    np.save(path, DATA[0])
    assert fn.sweep(build, {"hidden": [2]}, data, **given).rows[0]["status"] == "finished"
    assert len(counted) == 1


def test_figures_that_are_no_numbers_are_refused(tmp_path):
    given = COMMON | {"epochs": 1, "out": tmp_path / "s"}
    for column in ("val_loss", "epochs_run", "seconds"):
        fn.sweep(build, {"hidden": [2]}, DATA, fresh=True, **given)
        (row,) = table(tmp_path / "s")
        write_rows(tmp_path / "s" / "sweep.csv", [row | {column: "abc"}])
        with pytest.raises(fn.FileFormatError, match=rf"line 2 holds {column} 'abc', .* or give fresh=True"):
            fn.sweep(build, {"hidden": [2]}, DATA, **given)


def test_a_trial_that_diverges_fails():
    with pytest.warns(UserWarning, match="1 of 2 trials failed"):
        result = fn.sweep(wild, {"lr": [0.1, 1e30]}, DATA, **COMMON)
    assert "the weights are those before that step" in result.rows[1]["reason"]


def wild(lr):
    return fn.Sequential([fn.Dense(4), fn.Dense(2)], input_shape=3), fn.SGD(lr)


def test_no_trial_succeeds():
    with pytest.warns(UserWarning, match="reports no 'val_f1_score'; it has"):
        result = fn.sweep(build, {"hidden": [2]}, DATA, monitor="val_f1_score", **COMMON)
    assert result.summary == []
    with pytest.raises(fn.DataError, match="no trial of the sweep finished; the first: its training reports no"):
        result.best_model()


def test_rungs():
    assert rungs(27, 24, 3) == [3, 9, 27]
    assert rungs(10, 100, 3) == [1, 3, 10]
    assert (rungs(2, 9, 3), rungs(9, 2, 3)) == ([2], [9])
    assert rungs(16, 4, 2) == [4, 8, 16]


def test_halving_trains_nothing_twice_and_to_the_same_bits(counted):
    space = {"hidden": [2, 3, 4, 5, 6, 7, 8, 9, 10], "lr": [0.05]}
    given = COMMON | {"epochs": 9, "callbacks": [Counted(), Fixed()], "monitor": "val_error"}
    result = fn.sweep(build, space, DATA, halving=True, **given)
    assert len(counted) == len(set(counted)) == 9 * 1 + 3 * 2 + 1 * 6
    assert [row["epochs_run"] for row in result.rows] == [1, 1, 3, 9, 3, 1, 1, 1, 1]
    assert [row["status"] for row in result.rows].count("stopped") == 8
    assert result.rows[0]["reason"].startswith("place 6 of 9 after 1 epoch")
    assert result.rows[3]["val_error@1"] == 1.0
    assert result.best["hidden"] == 5
    want = alone(5, 0.05, 0, 9)
    assert bits(result.best_model().parameters) == bits(want.parameters)
    assert result.best_model().history["loss"] == want.history["loss"]


class Interrupting(fn.Callback):
    """Ctrl-C at the n-th epoch that is trained in this process."""

    after = None

    def on_epoch_end(self, run):
        if len(sweeps.EPOCHS) == Interrupting.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("halving", [False, True])
def test_an_interrupted_sweep_goes_on(tmp_path, counted, halving, monkeypatch):
    given = COMMON | {"epochs": 4, "callbacks": [Counted(), Fixed(), Interrupting()], "monitor": "val_error"}
    given |= {"halving": halving, "factor": 2}
    space = {"hidden": [2, 3, 4, 5]}
    want = fn.sweep(build, space, DATA, **given)
    epochs = len(counted)
    counted.clear()
    monkeypatch.setattr(Interrupting, "after", 6)
    with pytest.raises(KeyboardInterrupt):
        fn.sweep(build, space, DATA, out=tmp_path / "s", **given)
    monkeypatch.setattr(Interrupting, "after", None)
    kept = table(tmp_path / "s")
    assert kept
    got = fn.sweep(build, space, DATA, out=tmp_path / "s", **given)
    lost = 1 if halving else 2  # of the trial that was interrupted
    assert len(counted) == epochs + lost
    same = [name for name in want.rows[0] if name not in ("seconds", "threads")]
    assert [[row.get(name) for name in same] for row in got.rows] == [[row.get(n) for n in same] for row in want.rows]
    assert bits(got.best_model().parameters) == bits(want.best_model().parameters)
    counted.clear()
    again = fn.sweep(build, space, DATA, out=tmp_path / "s", **given)
    assert not counted, "nothing is trained a third time"
    assert again.best == want.best
    assert bits(again.best_model().parameters) == bits(want.best_model().parameters)


@pytest.mark.parametrize("number", [6, 9])
def test_a_state_that_is_ahead_of_its_row(tmp_path, monkeypatch, number):
    """The sweep was killed after a trial's state was kept and before the table was written."""
    given = COMMON | {"epochs": 4, "callbacks": [Fixed()], "monitor": "val_error", "halving": True, "factor": 2}
    space = {"hidden": [2, 3, 4, 5]}
    want = fn.sweep(build, space, DATA, **given)
    real, calls = Trials.save, []

    def killed(trials):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        real(trials)

    monkeypatch.setattr(Trials, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        fn.sweep(build, space, DATA, out=tmp_path / "s", **given)
    monkeypatch.setattr(Trials, "save", real)
    got = fn.sweep(build, space, DATA, out=tmp_path / "s", **given)
    same = [name for name in want.rows[3] if name not in ("seconds", "threads")]
    assert [[row.get(name) for name in same] for row in got.rows] == [[row.get(n) for n in same] for row in want.rows]
    assert bits(got.best_model().parameters) == bits(want.best_model().parameters)


def test_another_function_or_other_data_are_other_trials(tmp_path, counted):
    given = COMMON | {"epochs": 1, "callbacks": [Counted()], "out": tmp_path / "s"}
    fn.sweep(build, {"hidden": [2, 3]}, DATA, **given)
    fn.sweep(build, {"hidden": [2, 3, 4]}, DATA, **given)
    assert len(counted) == 3, "a larger grid keeps what was trained"
    fn.sweep(lambda hidden: build(hidden, 0.5), {"hidden": [2]}, DATA, **given)
    assert len(counted) == 4
    fn.sweep(build, {"hidden": [2]}, (DATA[0] + 1, DATA[1]), **given)
    assert len(counted) == 5
    assert len(table(tmp_path / "s")) == 5, "rows of others stay"
    fn.sweep(build, {"hidden": [2]}, DATA, **given | {"fresh": True})
    assert len(table(tmp_path / "s")) == 1
    assert len(counted) == 6


def test_only_models_that_may_be_the_best_are_kept(tmp_path):
    given = COMMON | {"epochs": 1, "callbacks": [Fixed()], "monitor": "val_error", "out": tmp_path / "s"}
    fn.sweep(build, {"hidden": [2, 5, 9, 4]}, DATA, seeds=2, **given)
    assert len(list((tmp_path / "s" / "models").iterdir())) == 2


def test_one_sweep_at_a_time_has_the_folder(tmp_path, counted):
    folder = tmp_path / "s"
    with held(folder), pytest.raises(fn.DataError, match="is in use by process"):
        fn.sweep(build, GRID, DATA, out=folder, callbacks=[Counted()], **COMMON)
    assert not counted
    assert not list(folder.iterdir()), "the lock is gone"


def test_what_a_killed_sweep_left_half_written_is_removed(tmp_path):
    for name in (".sweep.0123abcd.tmp.csv", ".sweep.0123abcd.tmp.png", "sweep.csv", "notes.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    with held(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"sweep.csv", "notes.csv", ".sweep.lock"}


def test_a_dataset_brings_its_validation_data():
    split = {name: fn.data.Split(*part) for name, part in (("train", DATA), ("val", VAL))}
    assert arguments_of((1, 2)) == {"x": 1, "y": 2}
    found = arguments_of(fn.Dataset(**split, test=None))
    assert found.keys() == {"x", "y", "validation_data"}
    assert found["x"] is DATA[0]
    assert found["y"] is DATA[1]
    assert found["validation_data"][0] is VAL[0]
    assert found["validation_data"][1] is VAL[1]
    assert arguments_of(fn.Dataset(**split | {"val": None}, test=None)).keys() == {"x", "y"}


def test_the_state_of_a_trial_in_words():
    assert _state({"status": "finished"}) == ""
    assert _state({"status": "failed", "reason": "no rows"}) == "failed: no rows"
    assert _state({"status": "paused"}) == "paused"
    assert _state({}) == "waiting"


def test_an_error_without_words_is_told_by_its_kind():
    assert told(fn.DataError()) == "DataError"
    assert told(fn.DataError("no\n rows")) == "no rows"
    assert told(KeyError("a")) == "KeyError: 'a'"


def test_an_error_in_this_process_is_the_future_s():
    future = Here(1).submit(divmod, 1, 0)
    assert future.done()
    assert isinstance(future.exception(), ZeroDivisionError)


def test_folders_that_are_no_sweeps(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious", encoding="utf-8")
    with pytest.raises(fn.FileFormatError, match=r"no sweep made .* choose another out="):
        fn.sweep(build, GRID, DATA, out=tmp_path, **COMMON)


def test_a_result_is_shown():
    pytest.importorskip("pandas")
    result = fn.sweep(build, GRID, DATA, seeds=2, **COMMON | {"epochs": 1, "monitor": "val_accuracy"})
    assert result.higher_is_better
    assert repr(result).splitlines()[2].startswith("best")
    assert " %" in repr(result)
    assert "<table>" in result._repr_html_()
    assert list(result.to_frame().columns[:4]) == ["hidden", "lr", "seed", "status"]
    assert len(result.plot().axes) == 3
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert result.plot("lr", ax=ax) is ax
    with pytest.raises(ValueError, match="no setting 'hiden'; did you mean hidden"):
        result.plot("hiden")
    with pytest.raises(ValueError, match="ax holds one panel, but there are 3 settings: name one of hidden, lr, seed"):
        result.plot(ax=ax)


@pytest.mark.parametrize("higher", [True, False])
def test_what_is_drawn_of_a_sweep(monkeypatch, higher):
    """The figures of trials that finished, over the settings of which there are several."""
    from fastnn import plots

    drawn = []
    monkeypatch.setattr(plots, "search_dots", lambda *given, **named: drawn.append((given, named)))
    rows = [{"lr": 0.1, "status": "finished", "val_accuracy": 0.5}, {"lr": 0.2, "status": "failed", "val_accuracy": 1}]
    picture_of([*rows, {"lr": 0.3, "status": "finished"}], ["lr"], "val_accuracy", higher=higher)
    (((axes, figures, *_), named),) = drawn
    assert axes == {"lr": [0.1, 0.2, 0.3]}
    np.testing.assert_array_equal(figures, [50.0, np.nan, np.nan])
    assert named == {"lowest": not higher}


def test_a_setting_of_one_value_has_no_panel():
    result = fn.sweep(build, {"hidden": [2, 3], "lr": [0.1]}, DATA, **COMMON | {"epochs": 1})
    assert [panel.get_xlabel() for panel in result.plot().axes] == ["hidden"]


REFUSED = [
    ({"build": 3}, TypeError, "build is 3, expected a function"),
    ({"space": "lr"}, TypeError, "space is 'lr', expected a dict"),
    ({"space": {"lr": 0.1}}, TypeError, r"space\['lr'\] is 0.1, expected a list"),
    ({"space": {"lr": []}}, ValueError, "empty"),
    ({"space": []}, ValueError, "space is empty"),
    ({"space": {"epochs": [1]}, "build": lambda hidden: None}, TypeError, "build needs an argument 'hidden'"),
    ({"space": {"epochs": [1]}, "seeds": 1, "build": lambda *, seed: None}, TypeError, "seeds=2 gives it"),
    ({"space": {"rate": [1]}}, ValueError, "neither build nor fit has an argument 'rate'"),
    ({"space": {"loss": [1]}}, ValueError, "cannot be called 'loss'"),
    ({"space": {"hidden": [2], "lr": fn.Between(0.1, 1.0)}}, ValueError, "lr is a range.*say trials="),
    ({"seeds": 2, "build": lambda hidden, lr: None}, ValueError, r"give it this argument: def build\(..., seed\)"),
    ({"seeds": 0}, ValueError, "seeds is 0"),
    ({"batchsize": 3}, TypeError, "sweep has no argument 'batchsize'; did you mean batch_size?"),
    ({"data": 3}, TypeError, r"data is int, expected \(x, y\)"),
    ({"validation_data": None}, ValueError, "give validation_data="),
    ({"monitor": "val_thing"}, ValueError, "mode="),
    ({"callbacks": fn.EarlyStopping()}, TypeError, "expected a list"),
    ({"callbacks": [fn.Checkpoint("a.h5")]}, ValueError, "holds a Checkpoint, whose file each trial would write"),
    ({"jobs": 0}, ValueError, "jobs is 0"),
    ({"scheduler": "tcp://x:1", "jobs": 2}, ValueError, "leave these two out"),
    ({"halving": True, "factor": 1}, ValueError, "factor is 1"),
    ({"halving": True, "space": {"epochs": [1, 2], "hidden": [2]}}, ValueError, "rungs are epochs"),
    ({"sampler": "optuna"}, ValueError, "sampler needs a space of axes and trials="),
    ({"verbose": "loud"}, TypeError, "verbose is 'loud'"),
]


@pytest.mark.parametrize(("changes", "kind", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_what_is_refused_before_anything_is_trained(changes, kind, said, counted):
    given = {"build": build, "space": GRID, "data": DATA, "callbacks": [Counted()]} | COMMON | changes
    with pytest.raises(kind, match=said):
        fn.sweep(**given)
    assert not counted


MINE = """
import numpy as np
import fastnn as fn


def build(hidden, lr=0.01, seed=0):
    return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(2)], input_shape=3, seed=seed), fn.Adam(lr)


def data():
    x = np.random.default_rng(0).normal(size=(40, 3))
    return x, (x[:, 0] > 0).astype(int)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def test_from_the_command_line(mine, capsys):
    command = ["sweep", "mine.py:build", "--grid", "hidden=2,4", "--seeds", "2", "--epochs", "1"]
    assert main(command) == 0
    assert "best  " in capsys.readouterr().out
    assert len(table(mine / "sweeps/mine")) == 4
    assert (mine / "sweeps/mine/sweep.png").exists()
    assert (
        main(["sweep", "mine.py", "--grid", "hidden=2,4", "--grid", "lr=0.01..0.1", "--random", "3", "--epochs", "1"])
        == 0
    )
    assert main(["sweep", "mine.py", "--grid", "hidden=-2", "--epochs", "1"]) == 2
    assert "no trial of the sweep succeeded; the first:" in capsys.readouterr().err


BAD = {
    "no file": (["none.py", "--grid", "lr=1"], "none.py is no file"),
    "no function": (["mine.py:bild", "--grid", "lr=1"], "no function 'bild'; did you mean build?"),
    "range": (["mine.py", "--grid", "lr=0.1..1"], "expected --random"),
    "twice": (["mine.py", "--grid", "lr=1", "--grid", "lr=2"], "twice"),
    "no value": (["mine.py", "--grid", "lr"], "expected setting=value"),
    "both": (["mine.py", "--grid", "lr=1", "--random", "2", "--optuna", "2"], "give one of the two"),
    "no argument": (["mine.py", "--grid", "rate=1"], "neither build nor fit has an argument 'rate'"),
}


@pytest.mark.parametrize(("words", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(mine, capsys, words, said):
    assert main(["sweep", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_values_that_are_written():
    from fastnn.cli.sweep_file import axes_of_texts

    axes = axes_of_texts(("a=1,2.5,relu,true,none", "sizes=(2,3);(4,)", "path=../a.npy", "lr=1..3"), is_drawn=True)
    assert axes == {
        "a": [1, 2.5, "relu", True, None],
        "sizes": [(2, 3), (4,)],
        "path": ["../a.npy"],
        "lr": fn.Between(1, 3),
    }


def test_digests_tell_functions_and_arrays_apart():
    from fastnn.search.packing import digest

    def one(a):
        return a + 1

    def two(a):
        return a + 2

    x, y = np.zeros(2000), np.arange(2000)

    assert (
        len({digest(one), digest(two), digest(np.zeros(3)), digest(np.zeros(4)), digest({"a": 1}), digest({"b": 1})})
        == 6
    )
    assert digest(lambda: x) != digest(lambda: y), "what a function closes over"
    assert digest([1, 2], [3]) != digest([1], [2, 3]), "where a list ends"
    pictures = [fn.Pixels((50, 50), subtract=np.eye(50) * scale) for scale in (1, 1, 2)]
    assert digest(pictures[0]) == digest(pictures[1]) != digest(pictures[2]), "what is not shown counts, too"
    told = [fn.Words(tuple(f"word{i}" for i in range(count))) for count in (1000, 1000, 1001)]
    assert digest(told[0]) == digest(told[1]) != digest(told[2])
    assert digest(fn.EarlyStopping()) == digest(fn.EarlyStopping()) != digest(fn.EarlyStopping(patience=4))
    assert digest(one, fn.Adam(0.1)) == digest(one, fn.Adam(0.1)) != digest(one, fn.Adam(0.2))
