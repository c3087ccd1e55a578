"""Tokens by the rules of a file that the package `tokenizers` wrote: byte-pair encoding, WordPiece, Unigram."""

import functools
import os
from collections.abc import Iterable
from typing import Any

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_readable
from fastnn.common.packages import package
from fastnn.text.decoding import utf8

ENDING = ".json"
LARGEST_BYTES = 1 << 26


def rules_in(path: str | os.PathLike[str]) -> str:
    """The rules that a file holds, JSON. FileFormatError if it is missing or holds none, MissingPackageError."""
    name = os.fspath(path)
    check_readable(name, "a tokenizer's file of the package tokenizers")
    with open(name, "rb") as file:
        raw = file.read(LARGEST_BYTES + 1)
    if len(raw) > LARGEST_BYTES:
        raise FileFormatError(f"{name!r} has more than {LARGEST_BYTES:,} bytes, too many for a tokenizer")
    rules = utf8(raw, repr(name))
    try:
        _made(rules)
    except DataError as error:
        raise FileFormatError(f"{name!r}: {error}") from None
    return rules


def encoded(rules: str, text: str) -> list[str]:
    """The tokens of a text, without those that mark its beginning or end."""
    found: list[str] = _made(rules).encode(text, add_special_tokens=False).tokens
    return found


def decoded(rules: str, tokens: Iterable[str]) -> str:
    """The text of such tokens."""
    decoder = _made(rules).decoder
    text: str = " ".join(tokens) if decoder is None else decoder.decode([*tokens])
    return text


@functools.lru_cache(4)
def _made(rules: str) -> Any:
    tokenizers = package("tokenizers", "a tokenizer's file")
    try:
        made = tokenizers.Tokenizer.from_str(rules)
    except Exception as error:  # the package raises no other class for what it cannot read
        reason = " ".join(str(error).split())
        raise DataError(f"these are no rules of a tokenizer that the package tokenizers reads: {reason:.200}") from None
    made.no_truncation()
    made.no_padding()
    return made
