"""Settings that an Optuna study asks for: each is trained as ever, pruned by epoch, and told to a later call."""

import pytest

import fastnn as fn
from tests.search import sweeps
from tests.search.sweeps import COMMON, DATA, Counted, Fixed, build

optuna = pytest.importorskip("optuna", reason="the extra `optuna` is not installed")

SPACE = {"hidden": fn.Between(2, 9), "lr": [0.05, 0.1]}
GIVEN = COMMON | {"monitor": "val_error", "sampler": "optuna", "callbacks": [Fixed(), Counted()], "epochs": 3}


@pytest.fixture(autouse=True)
def counted():
    sweeps.EPOCHS.clear()
    return sweeps.EPOCHS


def settings(result):
    return [(row["hidden"], row["lr"]) for row in result.rows]


def test_trials_are_asked_for_and_the_worse_are_pruned(counted):
    result = fn.sweep(build, SPACE, DATA, trials=12, **GIVEN)
    assert len(result) == 12
    assert {row["status"] for row in result.rows} == {"finished", "stopped"}
    assert next(row for row in result.rows if row["status"] == "stopped")["reason"].startswith("pruned after")
    assert len(counted) == sum(row["epochs_run"] for row in result.rows) < 12 * 3, "nothing is trained twice"
    done = [row for row in result.rows if row["status"] == "finished"]
    assert result.best_model().network.layers[0].units == min(done, key=lambda row: row["val_error"])["hidden"]
    assert settings(fn.sweep(build, SPACE, DATA, trials=12, **GIVEN)) == settings(result), "the same each time"


def test_it_goes_on(tmp_path, counted):
    given = GIVEN | {"out": tmp_path / "s", "seeds": 2}
    first = fn.sweep(build, SPACE, DATA, trials=3, **given)
    trained = len(counted)
    assert settings(fn.sweep(build, SPACE, DATA, trials=3, **given)) == settings(first)
    assert len(counted) == trained
    longer = fn.sweep(build, SPACE, DATA, trials=5, **given)
    assert settings(longer)[:6] == settings(first)
    assert len({*settings(longer)}) >= 4


def test_a_study_of_one_s_own():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), pruner=optuna.pruners.NopPruner())
    space = {"hidden": [2, 3], "activation": [("tanh",), ("relu",)]}
    result = fn.sweep(chosen, space, DATA, trials=3, **GIVEN | {"sampler": study, "prune_every": 0})
    assert [row["status"] for row in result.rows] == ["finished"] * 3
    assert [trial.value for trial in study.trials] == [row["val_error"] for row in result.rows]
    assert isinstance(result.best["activation"], tuple)
    wrong = optuna.create_study(direction="maximize")
    with pytest.raises(ValueError, match="expected direction='minimize'"):
        fn.sweep(build, SPACE, DATA, trials=3, **GIVEN | {"sampler": wrong})
    with pytest.raises(TypeError, match=r"expected 'optuna' or an optuna\.Study"):
        fn.sweep(build, SPACE, DATA, trials=3, **GIVEN | {"sampler": "tpe"})


def chosen(hidden, activation):
    return fn.Sequential([fn.Dense(hidden, *activation), fn.Dense(2)], input_shape=3)


def test_failing_trials_are_told():
    def failing(hidden, lr):
        if hidden > 5:
            raise RuntimeError("too wide")
        return build(hidden, lr)

    with pytest.warns(UserWarning, match="too wide"):
        result = fn.sweep(failing, SPACE, DATA, trials=6, **GIVEN)
    assert {"failed", "finished"} <= {row["status"] for row in result.rows}


def test_a_setting_of_which_a_seed_failed_is_not_judged_by_the_others():
    def failing(hidden, lr, seed):
        if seed == 1:
            raise RuntimeError("unlucky")
        return build(hidden, lr, seed)

    with pytest.warns(UserWarning, match="3 of 6 trials failed.*unlucky"):
        result = fn.sweep(failing, SPACE, DATA, trials=3, seeds=2, **GIVEN)
    assert [row["status"] for row in result.rows] == ["finished", "failed"] * 3
