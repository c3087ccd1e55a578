"""The loop over trials, for all sweeps and all places where they run: as one ends, the next one begins."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import Any, TypeVar

from fastnn.search.job import Job, Step, crashed, train
from fastnn.search.plans import Plan
from fastnn.search.pools import Pool
from fastnn.search.trials import Trial, Trials

T = TypeVar("T")


def train_all(trials: Trials, plan: Plan, pool: Pool, job: Job, on_end: Callable[[Trial], object]) -> None:
    """Train what the plan says, and call `on_end` with each trial that has ended.

    After each step the table is written: an interruption loses only the steps that are being trained.
    """
    shared = pool.shared(job)

    def submit(task: tuple[Trial, int]) -> "Future[Any]":
        trial, until = task
        return pool.submit(train, shared, Step(trial.settings, until, trials.state(trial)))

    for (trial, _), future in run(pool, plan.next, submit, plan.width):
        error = error_of(future)
        trials.take(trial, future.result() if error is None else crashed(reason_of(error)))
        plan.ended(trial)
        trials.save()
        if trial.status != "paused":
            on_end(trial)


def run(
    pool: Pool,
    next_task: Callable[[], T | None],
    submit: Callable[[T], "Future[Any]"],
    width: float = float("inf"),
) -> Iterator[tuple[T, "Future[Any]"]]:
    """Yield each task with its ended future, as they end.

    next_task : the next one; None: there is none, or none until another one has ended
    width     : at most so many at once, beside the pool's own width

    A process that is killed breaks its pool. The tasks that ran then are run again, one by one: a task that breaks the
    pool alone is the one to blame, and ends with that error. All others end as if nothing had been.
    """
    running: dict[Future[Any], T] = {}
    suspects: deque[T] = deque()
    while True:
        is_trial_of_suspect = bool(suspects) and not running
        if is_trial_of_suspect:
            suspect = suspects.popleft()
            running[_submitted(submit, suspect)] = suspect
        while not (suspects or is_trial_of_suspect) and len(running) < min(pool.width, width):
            if (task := next_task()) is None:
                break
            running[_submitted(submit, task)] = task
        if not running:
            return
        done = wait(running, return_when=FIRST_COMPLETED).done
        if any(_is_broken(future) for future in done):
            done = wait(running).done
            pool.renew()
            if not is_trial_of_suspect:
                suspects.extend(running.pop(future) for future in done if _is_broken(future))
        for future in done & running.keys():
            yield running.pop(future), future


def _is_broken(future: "Future[Any]") -> bool:
    return isinstance(error_of(future), BrokenExecutor)


def _submitted(submit: Callable[[T], "Future[Any]"], task: T) -> "Future[Any]":
    """The future of a task; an error of the pool, which may be broken, is the future's."""
    try:
        return submit(task)
    except Exception as error:
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def error_of(future: "Future[Any]") -> BaseException | None:
    """What an ended future raises; None: it has a result."""
    try:
        return future.exception()
    except CancelledError as error:
        return error


def reason_of(error: BaseException) -> str:
    """The error in one line, for the row of a trial that crashed."""
    if isinstance(error, CancelledError):
        return "the cluster's scheduler went away"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the process ended: {text}" if isinstance(error, BrokenExecutor) else text
