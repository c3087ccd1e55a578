"""How many processes run the tests: one for each processor, and one alone where they would only be in the way."""

import os

# Several processes share the processors, each with threads of its own. A thread that waits must not hold one by
# spinning. (Set before any thread starts; benchmarks never run in such a process.)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

MOST_PROCESSES = 4  # each compiles some kernels that others compile as well, and takes 1.5 GB


def usable_processors():
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_xdist_auto_num_workers(config):
    """`-n auto` of pyproject.toml. 0: no other process, for benchmarks, single tests, and tests that print."""
    single = any("::" in argument for argument in config.args)
    if single or config.option.benchmark_only or config.option.capture == "no":
        return 0
    processors = usable_processors()
    return 0 if processors == 1 else min(processors, MOST_PROCESSES)
