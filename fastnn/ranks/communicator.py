"""How ranks talk to each other: a few operations that all of them call, in the same order."""

import os
from typing import Any, Protocol

import numpy as np

from fastnn.common.errors import FastnnError
from fastnn.common.packages import package

# What tells a process how many an `mpiexec` has started: MPICH and Intel MPI, Open MPI.
STARTED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


class Communicator(Protocol):
    """The ranks of a group, numbered from 0. Each operation is called by all of them."""

    rank: int
    size: int

    def gather(self, part: np.ndarray, out: np.ndarray) -> None:
        """out[r] = the `part` of rank r, on every rank; parts have one shape."""

    def deal(self, parts: np.ndarray, out: np.ndarray) -> None:
        """out[r] = the row of the `parts` of rank r that has this rank's number."""

    def gather_rows(self, rows: np.ndarray) -> list[np.ndarray]:
        """The `rows` of each rank, in rank order, on every rank; they may be of different number."""

    def broadcast(self, array: np.ndarray) -> None:
        """array = that of rank 0."""

    def tell(self, thing: Any) -> Any:
        """What rank 0 gave, on every rank."""

    def collect(self, thing: Any) -> list[Any]:
        """What each rank gave, in rank order, on every rank."""

    def deliver(self, thing: Any) -> list[Any] | None:
        """What each rank gave, in rank order, on rank 0; None on the others."""

    def abort(self, status: int) -> None:
        """End all ranks now: one of them has failed, and the others would wait for it."""


class MpiCommunicator:
    """The ranks that `mpiexec` or a batch system has started, by mpi4py."""

    def __init__(self, caller: str):
        self._mpi = package("mpi4py.MPI", caller, "mpi")
        self._world = self._mpi.COMM_WORLD
        self.rank, self.size = self._world.Get_rank(), self._world.Get_size()
        started = max((int(count) for name in STARTED if (count := os.environ.get(name, "")).isdecimal()), default=1)
        if self.size == 1 and started > 1:
            raise FastnnError(
                f"{caller}: {started} processes were started, but each is alone: this mpiexec is not of the MPI that "
                "mpi4py uses; `python -m mpi4py --mpi-library` names it"
            )

    def gather(self, part: np.ndarray, out: np.ndarray) -> None:
        self._world.Allgather(part, out)

    def deal(self, parts: np.ndarray, out: np.ndarray) -> None:
        self._world.Alltoall(parts, out)

    def gather_rows(self, rows: np.ndarray) -> list[np.ndarray]:
        counts = np.zeros(self.size, np.int64)
        self._world.Allgather(np.array([len(rows)]), counts)
        out = np.empty((counts.sum(), *rows.shape[1:]), rows.dtype)
        items = (counts * int(np.prod(rows.shape[1:]))).tolist()
        self._world.Allgatherv(np.ascontiguousarray(rows), [out, items])
        return np.split(out, np.cumsum(counts)[:-1])

    def broadcast(self, array: np.ndarray) -> None:
        self._world.Bcast(array)

    def tell(self, thing: Any) -> Any:
        return self._world.bcast(thing)

    def collect(self, thing: Any) -> list[Any]:
        return self._world.allgather(thing)

    def deliver(self, thing: Any) -> list[Any] | None:
        return self._world.gather(thing)

    def abort(self, status: int) -> None:
        self._world.Abort(status)
