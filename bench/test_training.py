"""Each recipe's training, from loaded arrays to the trained model, beside PyTorch's for the same work.

`pytest bench/test_training.py --benchmark-only -m trainings`, with `-k trigram` for one system. Either library has a
process of its own for each system, in which nothing else has run; they train in turns, with the same threads. PyTorch
is eager, in the form whose epoch is the shortest: channels last or first, memory kept or given back, all threads or
one. Before the clock starts both train from the same weights on the same batches, and their figures must agree.
`python -m bench.report` makes the table. Without PyTorch the rows are of fastnn alone.
"""

import contextlib
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import numba
import numpy as np
import pytest

import fastnn
from bench import training
from bench.machine import complaint
from bench.peers import Absent
from bench.peers.process import own_process
from bench.training import PYTORCH, Outcome, Stage, Training
from fastnn.engine.threads import usable_threads

PAUSE = 0.1  # seconds in which the threads of the side that has just trained fall asleep
LOSS_RTOL, ACCURACY_ATOL = 1e-3, 0.01

Side = Callable[[Stage], Outcome]

pytestmark = [pytest.mark.usefixtures("whole_machine"), pytest.mark.trainings]


@pytest.mark.parametrize("row", training.ALL, ids=lambda row: row.id)
def test_training(benchmark, row):
    """A round is a training by PyTorch, then one by fastnn; pytest-benchmark times fastnn's.

    In `extra_info` are both sides' medians and the median of the ratios, round by round.
    """
    benchmark.group = "whole trainings, fastnn's side"
    with contextlib.ExitStack() as processes:
        ours = processes.enter_context(side(training.fastnn_training, row))
        theirs, form = fastest_pytorch(processes, row, ours("check")) if has_pytorch() else (None, None)
        turns = {"ours": [], "theirs": []}
        ours("warm")
        setup = functools.partial(others_turn, theirs, turns["theirs"]) if theirs else None
        benchmark.pedantic(turn, args=(ours, turns["ours"]), setup=setup, rounds=row.rounds)
    record(benchmark, row, turns["ours"], turns["theirs"])
    benchmark.extra_info |= {"form": form} if form else {}


def has_pytorch() -> bool:
    try:
        return bool(PYTORCH.version())
    except Absent:
        return False


def pytorch_training(traits: frozenset[str], row: Training, stage: Stage) -> Outcome:
    """Imported where it is called: in PyTorch's own process."""
    from bench.peers.torch_training import torch_training

    return torch_training(row, stage, traits)


def fastest_pytorch(processes: contextlib.ExitStack, row: Training, want: Outcome) -> tuple[Side, str]:
    """PyTorch's side in the eager form whose epoch is the shortest, checked and warm, and the form's name."""
    best: tuple[float, Side, str, contextlib.ExitStack] | None = None
    for form in (form for form in PYTORCH.forms if form.traits <= {"channels first", "one thread"}):
        with contextlib.ExitStack() as process:
            train = functools.partial(pytorch_training, form.traits)
            theirs = process.enter_context(side(train, row, form.environment))
            try:
                verify(want, theirs("check"))
            except Absent:
                continue
            theirs("warm")
            seconds = theirs("warm").seconds
            if best is None or seconds < best[0]:
                if best:
                    best[3].close()
                best = seconds, theirs, form.name, process.pop_all()
    assert best
    processes.push(best[3])
    return best[1:3]


@contextlib.contextmanager
def side(
    train: Callable[[Training, Stage], Outcome], row: Training, environment: Mapping[str, str] | None = None
) -> Iterator[Side]:
    """A new process in which `train` can be called with a stage."""
    with own_process(environment or {}) as pool:
        yield lambda stage: pool.submit(train, row, stage).result()


def verify(ours: Outcome, theirs: Outcome) -> None:
    """The same figures from the same weights on the same batches, before anything is timed."""
    assert ours.steps == theirs.steps
    assert ours.metrics.keys() == theirs.metrics.keys()
    for name, value in ours.metrics.items():
        bounds = {"rtol": LOSS_RTOL} if name.endswith("loss") else {"atol": ACCURACY_ATOL, "rtol": 0}
        np.testing.assert_allclose(value, theirs.metrics[name], **bounds, err_msg=name)


def turn(train: Side, taken: list[Outcome]) -> None:
    taken.append(train("timed"))


def others_turn(train: Side, taken: list[Outcome]) -> None:
    """PyTorch's turn, off pytest-benchmark's clock."""
    time.sleep(PAUSE)
    turn(train, taken)
    time.sleep(PAUSE)


def record(benchmark, row: Training, ours: list[Outcome], theirs: list[Outcome]) -> None:
    """The figures of a row, in microseconds as those of steps are."""
    settings = row.settings
    info = {"training": row.id, "epochs": settings.epochs, "epochs of the recipe": row.all_epochs}
    info |= {"steps": ours[0].steps, "samples": ours[0].samples, "data": ours[0].source, "dtype": settings.dtype}
    info |= {"threads": usable_threads(), "disturbed": complaint()}
    versions = {"fastnn": fastnn.__version__, "numba": numba.__version__}
    info |= {"versions": versions, "fastnn us": 1e6 * statistics.median(one.seconds for one in ours)}
    if theirs:
        info["versions"] = versions | {PYTORCH.package: PYTORCH.version()}
        info |= ratios(ours, theirs)
    benchmark.extra_info |= info
    sys.stderr.write(f"\n{row.id}: {info}\n")


def ratios(ours: list[Outcome], theirs: list[Outcome]) -> dict:
    """PyTorch's median, and the ratio round by round with its quartiles; both must have done the same steps."""
    assert {one.steps for one in ours} == {one.steps for one in theirs}
    each = [b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else 3 * each
    seconds = statistics.median(one.seconds for one in theirs)
    return {"peer us": 1e6 * seconds, "ratio": middle, "quartiles": [low, high]}
