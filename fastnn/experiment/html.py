"""The parts of an HTML page that is one file: the page itself, sections, tables, pictures. Texts are escaped here."""

import base64
from collections.abc import Sequence
from html import escape
from numbers import Integral, Real
from pathlib import Path
from string import Template
from typing import Any

from fastnn.common.errors import FileFormatError

PNG = b"\x89PNG\r\n\x1a\n"

# The policy forbids the page to load anything that is not inside it.
PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; max-width: 68rem;
       padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-bottom: 2px solid #0072b2; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
.lead { font-size: 1.05rem; margin: .3rem 0 0; }
.generated { background: #fff4e5; border-left: 4px solid #d55e00; padding: .5rem .8rem; margin: 1rem 0 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .94rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #555; padding-bottom: .3rem; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #888; vertical-align: bottom; }
td:first-child { min-width: 9rem; }
.number { text-align: right; }
td.number { white-space: nowrap; }
figure { margin: 1rem 0 1.8rem; }
img { max-width: 100%; height: auto; border: 1px solid #eee; }
figcaption { color: #444; font-size: .95rem; }
pre { background: #f4f6f8; padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
$body
</body>
</html>
""")


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page. title : plain text. parts : HTML."""
    return PAGE.substitute(title=escape(title), body="\n".join(part for part in parts if part))


def section(title: str, *content: str) -> str:
    """A heading with content below it. title : plain text. content : HTML."""
    return "\n".join([f"<section>\n<h2>{escape(title)}</h2>", *content, "</section>"])


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: bool = False) -> str:
    """A table of plain values. A header of empty texts is left out.

    numbers : whether all columns but the first are aligned to the right, as columns of numbers always are.
    ValueError if a row is not as long as the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"report: a row of {len(row)} cells under a header of {len(header)}: {list(row)}")
    right = [column > 0 and (numbers or _are_numbers(rows, column)) for column in range(len(header))]
    head = "".join(_cell("th", text, r) for text, r in zip(header, right, strict=True))
    body = [
        "<tr>" + "".join(_cell("td", text, r) for text, r in zip(row, right, strict=True)) + "</tr>" for row in rows
    ]
    top = [f"<thead><tr>{head}</tr></thead>"] if any(header) else []
    lines = ['<div class="wide"><table>', *top, "<tbody>", *body, "</tbody>"]
    return "\n".join([*lines, "</table></div>"])


def _are_numbers(rows: Sequence[Sequence[Any]], column: int) -> bool:
    return bool(rows) and all(isinstance(row[column], Real) for row in rows)


def _cell(tag: str, value: Any, right: bool) -> str:
    kind = ' class="number"' if right else ""
    return f"<{tag}{kind}>{escape(_text(value))}</{tag}>"


def _text(value: Any) -> str:
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{float(value):.5g}"
    return f"{value:,}" if isinstance(value, Integral) and not isinstance(value, bool) else str(value)


def picture(path: Path, caption: str) -> str:
    """A PNG file inside the page, with its caption. FileFormatError if it is missing or no PNG."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read for the report ({error.strerror})") from None
    if not content.startswith(PNG):
        raise FileFormatError(f"{path}: not a PNG file, cannot be put into the report")
    text, data = escape(caption), base64.b64encode(content).decode("ascii")
    return (
        f'<figure>\n<img alt="{text}" src="data:image/png;base64,{data}">\n<figcaption>{text}</figcaption>\n</figure>'
    )
