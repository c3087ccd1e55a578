"""A helper process of `_compile.parallel`: reads jobs, one a line, compiles each into the cache and answers "done"."""

import json
import sys

import fastnn_kernels
from fastnn_kernels._products import block
from fastnn_kernels._run import adapter, driver


def main() -> None:
    """Work until the input ends. Any error ends the process: the one that sent the job does it and meets the error."""
    for line in sys.stdin:
        one = _job(json.loads(line))
        one.make()
        if not one.on_disk():
            sys.exit(1)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _job(description: list) -> "adapter.Adapter | block.Block | driver.Loop":
    """The job of a description: a block of tiles, a loop of the driver, or an adapter."""
    if description[0] == block.TITLE:
        return block.Block(*description[1:])
    if description[0] == driver.Loop.title:
        return driver.Loop(*description[1:])
    return adapter.described(description, vars(fastnn_kernels))
