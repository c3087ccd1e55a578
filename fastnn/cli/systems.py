"""The groups whose commands are systems: `fastnn train` and `fastnn sweep`."""

import click

from fastnn.common.names import nearest


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
