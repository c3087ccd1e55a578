"""How a table writes its numbers: the sign before the decimals, and what stands between thousands.

Numerals("comma", "point").number_of("1.234,5")  # 1234.5
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

# By name, as the flags --decimal and --thousands have them: the sign, or the signs of which any may stand there.
DECIMAL = {"point": ".", "comma": ","}
THOUSANDS = {"none": "", "comma": ",", "point": ".", "space": " \u00a0\u202f", "apostrophe": "'’"}


def number_of(cell: str) -> float | None:
    """The number that a cell says, as programs write it: 1234.5. None if it says none, or NaN."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if "_" in cell or number != number else number  # Python reads 1_000, no other program does


@dataclass(frozen=True)
class Numerals:
    """How numbers are written. ValueError for other names, and for one sign with both meanings.

    decimal   : a key of DECIMAL
    thousands : a key of THOUSANDS. Numbers may do without these signs, but not have them in other places.
    """

    decimal: str = "point"
    thousands: str = "none"

    def __post_init__(self) -> None:
        for name, known in (("decimal", DECIMAL), ("thousands", THOUSANDS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r:.40}, expected one of {', '.join(known)}")
        if self.decimal == self.thousands:
            raise ValueError(
                f"--decimal and --thousands are both {self.decimal!r}: one sign cannot mean both; give --thousands "
                "none, or what stands there"
            )

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self.decimal == "point" and self.thousands == "none"

    def number_of(self, cell: str) -> float | None:
        """The number that a cell says; None if it says none."""
        if self.is_plain:
            return number_of(cell)
        sign, between = DECIMAL[self.decimal], THOUSANDS[self.thousands]
        whole, _, rest = cell.partition(sign)
        if any(one in whole for one in between):
            if not _grouped(between).fullmatch(whole):
                return None
            whole = whole.translate(dict.fromkeys(map(ord, between)))
        if sign != "." and "." in whole + rest:
            return None
        return number_of(f"{whole}.{rest}" if sign in cell else whole)

    def written(self, number: str) -> str:
        """A number that a program wrote, with this table's sign before the decimals."""
        return number.replace(".", DECIMAL[self.decimal])

    def flags(self) -> str:
        """What the command line says of them."""
        told = [f"--decimal {self.decimal}"] if self.decimal != "point" or self.is_plain else []
        return " ".join([*told, *([f"--thousands {self.thousands}"] if self.thousands != "none" else [])])


PLAIN = Numerals()
# Beside PLAIN those that tables have, with few flags first.
USUAL = (
    *(Numerals("point", "comma"), Numerals("comma"), Numerals("point", "space"), Numerals("point", "apostrophe")),
    *(Numerals("comma", "point"), Numerals("comma", "space"), Numerals("comma", "apostrophe")),
)


@cache
def _grouped(between: str) -> re.Pattern[str]:
    """Whole numbers with one of these signs before each three digits."""
    return re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:[{re.escape(between)}]\d{{3}})+")


def flags_for(texts: Sequence[str]) -> str:
    """The flags with which all of these texts are numbers, such as "--decimal comma"; "" where none are."""
    found = [one for one in (PLAIN, *USUAL) if all(one.number_of(text) is not None for text in texts)]
    if not texts or not found:
        return ""
    if found[0].is_plain:
        return PLAIN.flags()
    fewest = [one.flags() for one in found if len(one.flags().split()) == len(found[0].flags().split())]
    return " or ".join(fewest[:2])


def numerals_of(meta: Any) -> Numerals:
    """How the table of a model writes its numbers, by the model's `meta`, which comes from a file."""
    given = {name: meta[name] for name in ("decimal", "thousands") if name in meta} if isinstance(meta, dict) else {}
    try:
        return Numerals(**given)
    except (ValueError, TypeError):  # an unhashable value, too
        return PLAIN
