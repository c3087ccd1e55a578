"""How many threads each trial on a Dask cluster takes: the processors of its machine, shared among its tasks.

Dask starts its workers with OMP_NUM_THREADS=1, which fits tasks that know nothing of their neighbours. A sweep knows
them: a machine whose workers run four tasks at once gives each a quarter of its processors.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from fastnn.engine.threads import processors, threads

Shares = Mapping[str, int]  # a machine -> the threads of each of its trials


def shares_of(client: Any) -> dict[str, int]:
    """The threads of a trial by machine, of all workers that a `distributed.Client` knows."""
    found = client.run(processors)
    workers = client.scheduler_info(n_workers=-1)["workers"]
    tasks: Counter[str] = Counter()
    for worker in workers.values():
        tasks[worker["host"]] += worker["nthreads"]
    counts = {workers[address]["host"]: count for address, count in found.items() if address in workers}
    return {host: max(1, count // tasks[host]) for host, count in counts.items()}


def with_share(shares: Shares, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a worker of a cluster, on its share of the threads.

    A worker that was started again after it died has the share of its machine. One of a machine that joined later
    shares that with itself alone.
    """
    from distributed import get_worker
    from distributed.comm.addressing import get_address_host

    worker = get_worker()
    share = shares.get(get_address_host(worker.address)) or max(1, processors() // worker.state.nthreads)
    with threads(share):
        return function(*arguments)
