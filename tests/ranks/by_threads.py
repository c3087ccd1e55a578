"""Ranks that are threads of this process: they talk as those of MPI do, where there is no MPI."""

import pickle
import threading

from fastnn.engine.threads import threads
from fastnn.ranks.group import Group, entered

SECONDS = 60  # that a rank waits for the others: then one of them has failed


class Room:
    """What the ranks of a group have in common."""

    def __init__(self, size):
        self.size, self.barrier, self.given = size, threading.Barrier(size, timeout=SECONDS), [None] * size


class ThreadCommunicator:
    """A rank of a `Room`."""

    def __init__(self, room, rank):
        self.room, self.rank, self.size = room, rank, room.size

    def collect(self, thing):
        self.room.given[self.rank] = pickle.dumps(thing)  # so that no two ranks have one object
        self.room.barrier.wait()
        found = [pickle.loads(one) for one in self.room.given]
        self.room.barrier.wait()
        return found

    def gather(self, part, out):
        assert part.dtype == out.dtype
        for row, given in zip(out, self.collect(part), strict=True):
            row[...] = given.reshape(row.shape)

    def deal(self, parts, out):
        for row, given in zip(out, self.collect(parts), strict=True):
            row[...] = given[self.rank]

    def gather_rows(self, rows):
        return self.collect(rows)

    def broadcast(self, array):
        array[...] = self.collect(array)[0]

    def tell(self, thing):
        return self.collect(thing)[0]

    def deliver(self, thing):
        found = self.collect(thing)
        return None if self.rank else found

    def abort(self, status):
        self.room.barrier.abort()


def on_ranks(size, function, sync_every=1):
    """What `function(group)` returns on each rank; the first error of a rank that did not wait for another one."""
    room, results, errors = Room(size), [None] * size, []

    def run(rank):
        group = Group(ThreadCommunicator(room, rank), sync_every)
        try:
            with threads(1), entered(group, lambda error: errors.append(error) or 1):
                results[rank] = function(group)
        except threading.BrokenBarrierError:
            pass
        except Exception as error:
            results[rank] = error

    ranks = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for one in ranks:
        one.start()
    for one in ranks:
        one.join()
    raised = [*errors, *(one for one in results if isinstance(one, Exception))]
    real = [error for error in raised if not isinstance(error, threading.BrokenBarrierError)]
    if real:
        raise real[0]
    return results
