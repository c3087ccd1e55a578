"""`fastnn.distributed`: within its block, the processes that `mpiexec` started train one model together."""

import contextlib
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.common.errors import FastnnError
from fastnn.common.validation import whole_number
from fastnn.engine.threads import threads, threads_at_hand
from fastnn.ranks.communicator import Communicator, MpiCommunicator

# The errors of all ranks are often one: so long the others wait for rank 0 to tell it, and to end them.
SECONDS_FOR_RANK_0 = 0.5

_current = threading.local()


class Group:
    """The ranks that train together.

    Args:
        communicator: How they talk to each other.
        sync_every: After how many steps they exchange: 1, gradients in each; more, then parameters.

    Attributes:
        rank: The number of this process, from 0.
        size: How many there are.
        sync_every: As given.
        communicator: As given.
        agreed: The error that all ranks raise together: none of them waits for another one.
    """

    def __init__(self, communicator: Communicator, sync_every: int = 1):
        self.communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self.sync_every = whole_number("distributed: sync_every", sync_every)
        self.agreed: BaseException | None = None

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}>"

    def rows_of(self, batch: int, rank: int | None = None) -> range:
        """The numbers of the samples of a batch that this rank takes, or another one. Rank 0 always takes some.

        Args:
            batch: The number of samples.
            rank: Whose; None: this one's.
        """
        mine = self.rank if rank is None else rank
        return range(-(-mine * batch // self.size), -(-(mine + 1) * batch // self.size))

    def all(self, given: bool) -> bool:
        """Whether all ranks say so.

        Args:
            given: What this one says.
        """
        return bool(self.of_each(np.array([float(given)])).all())

    def of_each(self, array: np.ndarray) -> np.ndarray:
        """The arrays of all ranks, (size, *shape), in rank order.

        Args:
            array: Of one shape and dtype on all ranks.
        """
        out = np.empty((self.size, *array.shape), array.dtype)
        self.communicator.gather(np.ascontiguousarray(array), out)
        return out

    def told(self, thing: Any) -> Any:
        """What rank 0 gives, on all ranks.

        Args:
            thing: What can be pickled; of other ranks it is not looked at.
        """
        return self.communicator.tell(thing if self.rank == 0 else None)


def current() -> Group | None:
    """The group of the `distributed` block around this call; None outside of one, and where the group is one rank."""
    group = getattr(_current, "group", None)
    return group if group is not None and group.size > 1 else None


def refuse(what: str) -> None:
    """FastnnError within a group, of what each rank would do apart."""
    if current() is not None:
        raise FastnnError(f"{what} is not shared among ranks: within fn.distributed() use fit")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """In the block this rank works by itself: what it trains there is not shared."""
    group = getattr(_current, "group", None)
    _current.group = None
    try:
        yield
    finally:
        _current.group = group


@contextlib.contextmanager
def distributed(*, sync_every: int = 1) -> Iterator[Group]:
    """Within the block, `fit` shares each batch among all processes that `mpiexec` has started, the ranks of MPI.

    All ranks run the same script: `mpiexec -n 4 python train.py`. They build the same model, give `fit` the same data
    and arguments, and end with the same parameters and history. Each takes its rows of each batch; gradients are
    summed, always in the order of the ranks. So a training is the same as on one rank but for the rounding of sums,
    and its bits repeat for the same number of ranks. Validation data are shared likewise.
    Rank 0 alone calls the callbacks and writes files; a callback with `everywhere = True` is called on all ranks.
    Started without mpiexec, there is one rank, and `fit` is as ever.

    Of a machine that several ranks share each takes its share of the threads, unless OMP_NUM_THREADS or the
    affinity that the launcher sets says so already. An error on one rank ends all of them, with its traceback.

    Args:
        sync_every: 1: gradients are summed over the ranks in each step. n > 1: each rank takes n steps on its own
            rows, and then all go on from the mean of their parameters and of the optimizer's state. That is another
            training, for slow networks between the machines.

    Returns:
        A context that gives the group: `rank`, from 0, and `size`.

    Raises:
        MissingPackageError: Without mpi4py.
        FastnnError: Where mpiexec and mpi4py are of two different MPIs, or in the block of another group.

    Examples:
        >>> with fn.distributed() as group:  # doctest: +SKIP
        ...     history = model.fit(x, y, batch_size=2_000, epochs=5)
        ...     if group.rank == 0:
        ...         model.save("model.h5")
    """
    with started("fn.distributed", sync_every, told_in_full) as group:
        yield group


@contextlib.contextmanager
def started(caller: str, sync_every: int, tell: Callable[[BaseException], int]) -> Iterator[Group]:
    """As `distributed`. caller, tell : for messages"""
    group = Group(MpiCommunicator(caller), sync_every)
    with entered(group, tell), _share_of_threads(group):
        yield group


@contextlib.contextmanager
def entered(group: Group, tell: Callable[[BaseException], int]) -> Iterator[None]:
    """The block runs in the group. An error that this rank alone has ends all ranks.

    tell : says which error it is, and returns the exit status
    """
    if getattr(_current, "group", None) is not None:
        raise FastnnError("fn.distributed() stands in the block of another one: expected one for all")
    _current.group = group
    try:
        yield
    except BaseException as error:
        if group.size > 1 and error is not group.agreed:
            if group.rank:
                time.sleep(SECONDS_FOR_RANK_0)
            status = tell(error)
            sys.stderr.flush()
            group.communicator.abort(status)
        raise
    finally:
        _current.group = None


def told_in_full(error: BaseException) -> int:
    """Print the traceback of an error; the exit status of a process that it ends."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    traceback.print_exception(error)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


@contextlib.contextmanager
def _share_of_threads(group: Group) -> Iterator[None]:
    """In the block each rank takes its share of the processors that it has in common with others of its machine."""
    mine = (socket.gethostname(), _processors())
    sharers = group.communicator.collect(mine).count(mine)
    if sharers == 1 or os.environ.get("OMP_NUM_THREADS"):
        yield
        return
    with threads(max(1, threads_at_hand() // sharers)):
        yield


def _processors() -> tuple[int, ...]:
    """The numbers of the processors to which this process is bound; empty where the system does not tell."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
