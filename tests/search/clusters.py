"""A Dask cluster of real processes: a scheduler, and workers, each with its nanny."""

import contextlib
import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.tiny import environment


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def dask(*words, folder):
    """A process of the command dask."""
    command = [sys.executable, "-m", "dask", *words]
    with open(folder / f"{words[0]}.log", "a", encoding="utf-8") as log:
        return subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log, start_new_session=True)


@contextlib.contextmanager
def cluster(folder, workers=2):
    """The address of a scheduler, and the processes: the scheduler and its workers, each with its nanny."""
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    # Without a port for its pages it takes 8787, also with --no-dashboard: another cluster here may have that.
    ports = ["--port", str(port), "--dashboard-address", "127.0.0.1:0"]
    started = [dask("scheduler", "--host", "127.0.0.1", *ports, "--no-dashboard", folder=folder)]
    try:
        started += [
            dask(
                "worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), folder=folder
            )
            for _ in range(workers)
        ]
        wait_for(address, workers)
        yield address, started
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(address, workers):
    from distributed import Client

    with Client(address, timeout="60s", set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)
