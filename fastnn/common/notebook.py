"""Whether Python runs in a notebook, and the HTML that notebooks show. IPython is asked only where it is loaded."""

import sys
from collections.abc import Sequence
from html import escape
from typing import Any


def shell() -> Any:
    """IPython's shell where it has a kernel, so that its user sees HTML; None in a script and in a terminal."""
    interactive = sys.modules.get("IPython")  # a kernel has imported it long ago
    try:
        found = interactive.get_ipython()  # type: ignore[union-attr]
    except AttributeError:
        return None
    return found if getattr(found, "kernel", None) is not None else None


def cell() -> int | None:
    """The number of the cell that runs now; None outside a notebook."""
    return getattr(shell(), "execution_count", None)


def table(lines: Sequence[Sequence[str]], texts: int) -> str:
    """An HTML table of these lines, the first its heading; the first `texts` columns hold texts, others numbers."""
    head, *body = lines
    rows = "".join(f"<tr>{_cells('td', line, texts)}</tr>" for line in body)
    return f"<table><thead><tr>{_cells('th', head, texts)}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(tag: str, line: Sequence[str], texts: int) -> str:
    sides = ("left" if number < texts else "right" for number in range(len(line)))
    return "".join(
        f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>' for text, side in zip(line, sides, strict=True)
    )


def line(text: str) -> str:
    """A line of HTML."""
    return f"<div>{escape(text)}</div>"
