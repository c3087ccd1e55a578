"""Help pages whose options and commands stand under headings, with examples below, in click's own manner."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

REST = "Options"  # the heading of what no section names

COMPLETION = """\b
Completion by Tab, with this line in the file that your shell reads first:
  bash  ~/.bashrc     eval "$(_FASTNN_COMPLETE=bash_source fastnn)"
  zsh   ~/.zshrc      eval "$(_FASTNN_COMPLETE=zsh_source fastnn)"
  fish  config.fish   _FASTNN_COMPLETE=fish_source fastnn | source"""


def examples(*lines: str) -> str:
    """The foot of a help page with these command lines, each on a line of its own."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


class SectionedCommand(click.Command):
    """A command whose options stand under headings.

    sections : heading -> names of parameters, in the order in which they are shown; others stand under "Options"
    """

    def __init__(self, *given: Any, sections: Mapping[str, Sequence[str]], **named: Any):
        super().__init__(*given, **named)
        self.sections = sections

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that have options."""
        names = [name for members in self.sections.values() for name in members]
        options = (one for one in self.get_params(context) if isinstance(one, click.Option))
        parameters = {str(option.name): option for option in options}
        rest = [name for name in parameters if name not in names]
        for heading, members in {**self.sections, REST: rest}.items():
            shown = [parameters[name].get_help_record(context) for name in members if name in parameters]
            records = [record for record in shown if record is not None]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class SectionedGroup(click.Group):
    """A group whose commands stand under headings.

    sections : heading -> names of commands; others are not listed
    """

    def __init__(self, *given: Any, sections: Mapping[str, Sequence[str]] | None = None, **named: Any):
        super().__init__(*given, **named)
        self.sections = sections or {}

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, each command with one line."""
        width = max((len(name) for names in self.sections.values() for name in names), default=0)
        for heading, names in self.sections.items():
            with formatter.section(heading):
                limit = formatter.width - 6 - width
                rows = [(f"{name:<{width}}", self.commands[name].get_short_help_str(limit)) for name in names]
                formatter.write_dl(rows)
