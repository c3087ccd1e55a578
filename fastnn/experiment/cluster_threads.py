"""How many threads each trial on a Dask cluster takes: the processors of its machine, shared among its tasks.

Dask starts its workers with OMP_NUM_THREADS=1, which fits tasks that know nothing of their neighbours. A sweep knows
them: a machine whose workers run four tasks at once gives each a quarter of its processors.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from fastnn.engine.threads import processors, threads

Shares = Mapping[str, int]  # the address of a worker -> the threads of each of its trials


def shares_of(client: Any) -> dict[str, int]:
    """The threads of a trial by worker, of all workers that a `distributed.Client` knows."""
    found = client.run(processors)
    workers = client.scheduler_info(n_workers=-1)["workers"]
    tasks: Counter[str] = Counter()
    for worker in workers.values():
        tasks[worker["host"]] += worker["nthreads"]
    return {
        address: max(1, count // tasks[workers[address]["host"]])
        for address, count in found.items()
        if address in workers
    }


def train_with_share(train: Callable[..., Any], shares: Shares, *trial: Any) -> Any:
    """Train a trial in a worker, on its share of the threads; one that joined later has one thread a trial."""
    from distributed import get_worker

    with threads(shares.get(get_worker().address, 1)):
        return train(*trial)
