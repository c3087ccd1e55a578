"""What a column of texts may mean beside categories, told to its user: dates, numbers with signs, spellings.

hint_of(["true", "FALSE", "1"])  # "yes and no are spelled in 3 ways (1, FALSE, true), each its own category: …"
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from fastnn.common.text import plural
from fastnn.data.formats.table_file import number_of

TRUTHS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n", "1", "0", "on", "off", "1.0", "0.0"))
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ]\d{1,2}:\d{2}.*)?")
# A sign of a currency before a number, or one unit after it, beside the separators that people write in it.
SIGNED = re.compile(r"[$€£¥]?\s?[+-]?\d[\d.,' ]*\s?(?P<unit>[%$€£¥°]?[A-Za-z]{0,4})")
MOSTLY = 0.9  # so many of the texts must be numbers, for the others to stand out
SHOWN = 6


def hint_of(cells: Iterable[str | None]) -> str:
    """What stands out in the cells of a column that is not one of numbers, and what to do; "" where nothing does."""
    there = [cell for cell in cells if cell is not None]
    texts = sorted(set(there))
    for found in (_dates, _truths, _spellings, _signed):
        if hint := found(texts):
            return hint
    return _few_texts(there)


def _dates(texts: Sequence[str]) -> str:
    if not texts or not all(DATE.fullmatch(text) for text in texts):
        return ""
    return (
        f"dates such as {texts[0]}: write numbers, such as days since one of them, or categories, such as the day of "
        "the week"
    )


def _truths(texts: Sequence[str]) -> str:
    if len(texts) <= 2 or not {text.lower() for text in texts} <= TRUTHS:
        return ""
    return f"yes and no are spelled in {len(texts)} ways ({_listed(texts)}), each its own category: write two"


def _spellings(texts: Sequence[str]) -> str:
    """Texts that differ in nothing but large letters and spaces."""
    alike = defaultdict(list)
    for text in texts:
        alike[" ".join(text.casefold().split())].append(text)
    several = [group for group in alike.values() if len(group) > 1]
    if not several:
        return ""
    more = f", and {plural(len(several) - 1, 'further value')}" if several[1:] else ""
    return f"one value in several spellings, each its own category: {_listed(several[0])}{more}"


def _signed(texts: Sequence[str]) -> str:
    """Numbers that no program reads as such: decimal commas, currencies, units."""
    found = [SIGNED.fullmatch(text) for text in texts]
    units = {match["unit"] for match in found if match}
    if len(texts) <= 2 or None in found or len(units) > 1:
        return ""
    return f"numbers with commas, signs or a unit, such as {texts[0]!r:.40}: write digits and a decimal point alone"


def _few_texts(there: Sequence[str]) -> str:
    """Some texts among numbers, such as a mark of what is missing: they make categories of all."""
    counts = Counter(there)
    texts = sorted(cell for cell in counts if number_of(cell) is None)
    count = sum(counts[text] for text in texts)
    if not count or count > (1 - MOSTLY) * len(there):
        return ""
    makes = "makes" if count == 1 else "make"
    return (
        f"numbers but for {plural(count, 'cell')} ({_listed(texts)}), which {makes} categories of all: "
        "leave a cell empty where its number is missing"
    )


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"{text:.30}" for text in texts[:SHOWN]) + (", …" if len(texts) > SHOWN else "")
