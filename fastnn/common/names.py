"""Names that users type are looked up here, with near names in the message; layers are numbered by kind."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from fastnn.common.hints.values import VALUES

T = TypeVar("T")
LONG = 60  # characters of a name; to compare two takes time with the square of their length, and messages show no more


def near(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known names that are near it, or all if there are at most 20."""
    known = list(known)
    few = f"known: {', '.join(map(_shown, sorted(known)))}" if len(known) <= 20 else "no near name is known"
    return nearest(name, known, cutoff=0.5) or few


def nearest(name: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known names that are near `name`, small and capital letters being the same, as a question; "" if none is."""
    small: dict[str, str] = {}
    for one in known:
        small.setdefault(one.lower(), one)
    given = str(name).lower()
    if given in small:
        matches = [given]
    else:
        short = [one for one in small if len(one) <= LONG] if len(given) <= LONG else []
        matches = difflib.get_close_matches(given, short, n=3, cutoff=cutoff)
    return f"did you mean {' or '.join(_shown(small[match]) for match in matches)}?" if matches else ""


def _shown(name: str) -> str:
    """A name in a message: in one line, and cut if it is long. Words of a text may be any."""
    plain = name if name.isprintable() else repr(name)[1:-1]
    return plain if len(plain) <= LONG else f"{plain[: LONG - 1]}…"


def look_up(what: str, name: object, table: Mapping[str, T]) -> T:
    """table[name]. ValueError, with a hint or near names, if there is none; TypeError if `name` is no string.

    what : the kind of thing that is looked up, for messages and for hints
    """
    if not isinstance(name, str):
        raise TypeError(f"{what}: got {name!r} ({type(name).__name__}), expected a name: {', '.join(sorted(table))}")
    if name not in table:
        hint = VALUES.get(what, {}).get(name.lower())
        raise ValueError(f"unknown {what} {name!r}; {hint or near(name, table)}")
    return table[name]


def numbered(kinds: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """A unique name for each kind in order: the first of a kind is named after it, the next ones kind_1, kind_2, ...

    taken : names that are not given to any
    """
    seen: Counter[str] = Counter()
    names = []
    for kind in kinds:
        while (name := f"{kind}_{seen[kind]}" if seen[kind] else kind) in taken:
            seen[kind] += 1
        names.append(name)
        seen[kind] += 1
    return names
