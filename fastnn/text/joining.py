"""Words and punctuation marks back to a text that a person reads."""

from collections.abc import Iterable

NO_SPACE_BEFORE = {*",.;:!?…)]}%", "...", "''"}
NO_SPACE_AFTER = {*"([{$£€#@", "``"}
QUOTES = {'"', "'"}  # the same mark opens and closes


def joined(tokens: Iterable[str]) -> str:
    """Spaces between words, but none before a mark that closes, or after one that opens."""
    text, is_open, glued = "", dict.fromkeys(QUOTES, False), True
    for token in tokens:
        closes = token in NO_SPACE_BEFORE or is_open.get(token, False)
        text += token if glued or closes else f" {token}"
        glued = token in NO_SPACE_AFTER or (token in QUOTES and not is_open[token])
        if token in QUOTES:
            is_open[token] = not is_open[token]
    return text
