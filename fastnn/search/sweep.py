"""`fn.sweep`: trials of a user's own model over settings."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from fastnn.common.figures import Mode, higher_is_better
from fastnn.common.hints.habits import hinted, warn
from fastnn.common.text import plural
from fastnn.common.validation import truth
from fastnn.search import pools
from fastnn.search.arguments import check_judged, is_asked, job_of, names_of, place_of, seeds_of, space_of
from fastnn.search.model_job import Build, ModelJob
from fastnn.search.order import Order, plan_of
from fastnn.search.packing import digest
from fastnn.search.result import SweepResult
from fastnn.search.running import train_all
from fastnn.search.space import Axis
from fastnn.search.store import store_in
from fastnn.search.table import Owner
from fastnn.search.trials import Trials, line_of
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.lines import say


@hinted
def sweep(
    build: Build,
    space: Mapping[str, Axis] | Iterable[Mapping[str, Any]],
    data: Any,
    *,
    trials: int | None = None,
    seeds: int | Sequence[int] = 1,
    seed: int = 0,
    monitor: str = "val_loss",
    mode: Mode = "auto",
    halving: bool = False,
    factor: int = 3,
    sampler: Any = None,
    prune_every: int = 1,
    jobs: int = 1,
    threads: int | None = None,
    scheduler: Any = None,
    out: str | PathLike[str] | None = None,
    fresh: bool = False,
    validation_data: Any = None,
    callbacks: Iterable[Callback] = (),
    verbose: Any = "auto",
    **fit_arguments: Any,
) -> SweepResult:
    """Train a model of your own with many settings, and say which are best.

    Each combination of settings, with each seed, is a trial: one training. A trial that fails or diverges has its
    reason in its row, and all others go on. Trials run one after the other on all threads, in `jobs` processes, or on a
    Dask cluster (`scheduler`); a trial of which the process is killed is trained again. With `out`, each trial is on
    the disk as soon as it ends, and the same call goes on where it stopped.

    Args:
        build: A function of settings that returns a model, or (model, optimizer). It may be one of a script or of a
            notebook. It should make equal models of equal settings.
        space: Settings by name: lists of values, and with `trials` or `sampler` also `fn.Between(low, high)`. Or a list
            of dicts, each the settings of a trial. A name that is no argument of `build` is one of `fit`, such as
            batch_size.
        data: (x, y), an `fn.Dataset` whose validation set judges, or a function without arguments that returns one of
            these: each process calls it once, so that nothing large is sent.
        trials: How many settings to draw at random, of lists and ranges; None: all combinations.
        seeds: How many times to train each settings, with seed=0, 1, … as an argument of `build`; or the seeds.
        seed: Of what is drawn.
        monitor: The figure of an epoch by which trials are judged.
        mode: "max" or "min", whether more or less of it is better; "auto": by its name.
        halving: Stop early by successive halving. After a part of the epochs, such as 3 of 27, only the best third of
            the settings goes on, from where it stopped; after 9 epochs the best third of these.
        factor: Of the halving: 3 keeps the best third.
        sampler: "optuna": an Optuna study (TPE, the median pruner) chooses `trials` settings, each by what came of
            those before; or an `optuna.Study` of your own.
        prune_every: Epochs after which its pruner may stop a trial; 0: it stops none.
        jobs: How many processes train at once. They share the threads.
        threads: How many threads all trials together use; None: all.
        scheduler: The address of a Dask scheduler, "tcp://host:8786", or a `distributed.Client`: its workers train.
        out: A folder for sweep.csv, a line a trial, and the models that may be the best.
        fresh: Forget what the folder holds.
        validation_data: (x, y) or (x, y, sample_weight) to judge by. Or give validation_split=0.2.
        callbacks: As of `fit`; each trial has copies.
        verbose: True: a line a trial; "auto": in a terminal or a notebook; False: none.
        **fit_arguments: Of `fit` for all trials: epochs, batch_size, optimizer, validation_split, …

    Returns:
        A SweepResult: `rows`, `summary`, `best`, `best_model()`, `to_frame()`, `plot()`.

    Raises:
        TypeError: For arguments of another kind, before anything is trained.
        ValueError: For arguments out of range, likewise.
        DataError: If another process uses `out`.
        FileFormatError: If `out` cannot be written or holds something else.
        MissingPackageError: Without the extra that `scheduler` or `sampler` needs.
        FastnnError: If `build` or the data cannot be sent to other processes.

    Examples:
        >>> def build(hidden, lr, seed=0):
        ...     model = fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(3)], input_shape=4, seed=seed)
        ...     return model, fn.Adam(lr)
        >>> space = {"hidden": [2, 8], "lr": [0.01, 0.1]}
        >>> result = fn.sweep(build, space, (x, y), seeds=2, epochs=2, validation_split=0.2, verbose=False)
        >>> [sorted(row)[:3] for row in result.summary[:1]]
        [['deviation', 'hidden', 'lr']]
    """
    pools.refuse_in_import()
    higher = higher_is_better(monitor, mode, "sweep: ")
    axes = space_of(space)
    repeated = seeds_of(seeds, names := names_of(axes))
    columns = [*names, *(["seed"] if repeated else [])]
    job = job_of(build, data, columns, fit_arguments, validation_data, callbacks)
    check_judged(job, monitor)
    order = Order(trials, seed, halving, factor, sampler, prune_every)
    place, shown = place_of(jobs, threads, scheduler), is_asked(verbose)
    folder = None if out is None else Path(fspath(out))
    with store_in(folder, _owner(job, columns, monitor), columns, fresh=truth("fresh", fresh)) as store:
        known = Trials(store, repeated, monitor, higher=higher)
        with place as pool:
            train_all(
                known,
                plan_of(known, axes, job, pool, order),
                pool,
                job,
                lambda trial: say(line_of(known, trial, trial.settings), asked=shown),
            )
        known.save()
    _warn(known)
    return SweepResult(known, job)


def _owner(job: ModelJob, columns: Sequence[str], monitor: str) -> Owner:
    """Tells trials from those of other sweeps in the folder, by a digest of all that they depend on beside settings."""
    watching = [(type(one).__qualname__, vars(one)) for one in job.callbacks]
    data = job.data if callable(job.data) else job.arrays()
    content = digest(job.build, data, dict(job.arguments), watching, columns)
    return Owner("table of fn.sweep", {"of": content}, figures=(monitor,))


def _warn(trials: Trials) -> None:
    """A UserWarning that says how many trials have no figure, and of the first the reason."""
    lost = [trial for trial in trials.all if trial.failed]
    if lost:
        first = ", ".join(f"{name}={value}" for name, value in lost[0].settings.items())
        again = "; those that crashed are trained again by the same call" if trials.store.has_table else ""
        count = f"{len(lost)} of {plural(len(trials.all), 'trial')}"
        warn(f"sweep: {count} failed, see .rows; {first}: {lost[0].row['reason']}{again}")
