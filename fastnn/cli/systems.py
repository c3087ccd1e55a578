"""What `fastnn train` and `fastnn sweep` share: groups whose commands are systems, and a limit of threads."""

import contextlib
from collections.abc import Iterator

import click
import numpy as np

from fastnn.common.names import nearest
from fastnn.engine.threads import threads


@contextlib.contextmanager
def limited(thread_count: int | None) -> Iterator[None]:
    """In the block `thread_count` threads are used, all of them for None, and an overflow becomes one line of error."""
    with threads(thread_count) if thread_count else contextlib.nullcontext(), np.errstate(over="ignore"):
        yield


class SystemsGroup(click.Group):
    """A group that says of an unknown command that it is no system, and which may be meant."""

    def resolve_command(
        self, context: click.Context, given: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As of any group, but what is not there is called a system."""
        name = given[0]
        if self.get_command(context, name) is None and not name.startswith("-"):
            meant = nearest(name, self.commands)
            context.fail(f"unknown system {name!r}; {meant + ' ' if meant else ''}`fastnn list` shows them")
        return super().resolve_command(context, given)
