"""What a terminal or a pipe shows for letters that its encoding lacks: what looks like them, else a question mark."""

import codecs
import io
import sys

from fastnn.common.text import MINUS

NAME = "fastnn.lacking"  # how codecs call it
STAND_INS = {
    MINUS: "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "±": "+-",
    "×": "x",
    "·": "*",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "≈": "~",
    "°": " deg",
    "²": "^2",
    "½": "1/2",
    "µ": "u",
    "√": "sqrt ",
    "Σ": "sum ",
    "…": "...",
}


def show_stand_ins() -> None:
    """Have standard output and standard error write stand-ins: a letter that they lack is no reason to end."""
    codecs.register_error(NAME, _instead)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=NAME)


def _instead(error: UnicodeError) -> tuple[str, int]:
    """What is written for letters that an encoding lacks, and where it goes on, as `codecs` asks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_stand_in, error.object[error.start : error.end])), error.end


def _stand_in(letter: str) -> str:
    """ASCII in place of a letter: é is e."""
    import unicodedata  # few need it

    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() if letter.isalpha() else ""
    return STAND_INS.get(letter) or bare or "?"
