"""The loop over trials in a pool whose processes may be killed."""

from concurrent.futures import BrokenExecutor, CancelledError, Future
from types import SimpleNamespace

from fastnn.search.running import error_of, reason_of, run


def ended(result=None, error=None):
    future = Future()
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future


def test_who_breaks_the_pool_alone_is_to_blame_and_nobody_else():
    """2 kills its process, whenever it runs; 3 ran beside it, and is run again."""
    begun, renewed, tasks = [], [], iter([1, 2, 3, 4, 5])
    pool = SimpleNamespace(width=3.0, renew=lambda: renewed.append(list(begun)))

    def submit(task):
        begun.append(task)
        dies = task == 2 or (task == 3 and begun.count(3) == 1)
        return ended(error=BrokenExecutor("killed")) if dies else ended(10 * task)

    found = dict(run(pool, lambda: next(tasks, None), submit))
    assert found.keys() == {1, 2, 3, 4, 5}
    assert {task: future.result() for task, future in found.items() if task != 2} == {1: 10, 3: 30, 4: 40, 5: 50}
    assert isinstance(error_of(found[2]), BrokenExecutor)
    assert begun[:3] == [1, 2, 3]
    assert set(begun[3:5]) == {2, 3}, "one by one, before anything else"
    assert begun[5:] == [4, 5]
    assert len(renewed) == 2, "after both times that it was broken"


def test_an_error_of_a_task_is_its_own():
    tasks = iter([1, 2])

    def submit(task):
        raise OSError("no more processes")

    found = dict(run(SimpleNamespace(width=8.0), lambda: next(tasks, None), submit, 1.0))
    assert [str(error_of(found[task])) for task in (1, 2)] == ["no more processes"] * 2


def test_the_reason_in_the_row_of_a_trial_that_crashed():
    assert reason_of(CancelledError()) == "the cluster's scheduler went away"
    assert reason_of(BrokenExecutor("it was\n killed")) == "the process ended: it was killed"
    assert reason_of(ValueError("a\nb")) == "a b"
    assert reason_of(ValueError()) == "ValueError"
