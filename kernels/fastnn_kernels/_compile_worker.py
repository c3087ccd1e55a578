"""A helper process of `_compile`: reads jobs, one a line, compiles each into the cache and answers "done"."""

import json
import sys

import fastnn_kernels
from fastnn_kernels import _adapter, _block, _driver


def main() -> None:
    """Work until the input ends. Any error ends the process: the one that sent the job does it and meets the error."""
    for line in sys.stdin:
        one = _job(json.loads(line))
        one.make()
        if not one.on_disk():
            sys.exit(1)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _job(description: list) -> "_adapter.Adapter | _block.Block | _driver.Loop":
    """The job of a description: a block of tiles, a loop of the driver, or an adapter."""
    if description[0] == _block.TITLE:
        return _block.Block(*description[1:])
    if description[0] == _driver.Loop.title:
        return _driver.Loop(*description[1:])
    return _adapter.described(description, vars(fastnn_kernels))
