"""What to tell the user of a column: dates, numbers with signs, spellings, ids; and why it says nothing of other rows.

hint_of(["true", "FALSE", "1"])  # "yes and no are spelled in 3 ways (1, FALSE, true), each its own category: …"
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.common.text import plural
from fastnn.data.formats.numerals import PLAIN, Numerals, flags_for

TRUTHS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n", "1", "0", "on", "off", "1.0", "0.0"))
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ]\d{1,2}:\d{2}.*)?")
# A sign of a currency before a number, or one unit after it, beside the separators that people write in it.
SIGNED = re.compile(r"[$€£¥]?\s?[+-]?\d[\d.,' ]*\s?(?P<unit>[%$€£¥°]?[A-Za-z]{0,4})")
# A column of texts says nothing of other rows if more than this fraction of its texts differ, as names and dates do.
DIFFERENT, FEW_TEXTS = 0.5, 20
FEWEST_IDS = 100  # rows: in fewer, whole numbers may well be all different by chance
MOSTLY = 0.9  # the fraction of the texts that must be numbers, for the others to stand out
SHOWN = 6


def hint_of(cells: Iterable[str | None], numerals: Numerals = PLAIN) -> str:
    """What stands out in the cells of a column that is not one of numbers, and what to do; "" where nothing does.

    numerals : how the table writes its numbers
    """
    there = [cell for cell in cells if cell is not None]
    texts = sorted(set(there))
    for found in (_dates, _truths, _spellings):
        if hint := found(texts):
            return hint
    return _signed(texts, numerals) or _few_texts(there, numerals)


def hint_of_ids(values: Sequence[Any]) -> str:
    """A remark on a column of whole numbers that are all different, as ids are; "" for any other."""
    if len(values) < FEWEST_IDS or len(set(values)) < len(values):
        return ""
    if not all(isinstance(value, float) and value.is_integer() for value in values):
        return ""
    return "whole numbers that are all different: if they are ids, name it in --drop"


def why_useless(column: Sequence[Any], rows: np.ndarray, is_category: bool, numerals: Numerals) -> str:
    """Why a column is left out, of which these rows are used; "" if it is not."""
    values = [column[i] for i in rows]
    there = [value for value in values if value is not None]
    if not there:
        return "every cell is missing"
    different = len(set(there))
    if different == 1 and len(there) == len(values):
        return "the same in every row"
    if isinstance(there[0], str):
        is_name = different > max(FEW_TEXTS, DIFFERENT * len(there)) and not is_category
        hint = hint_of(there, numerals) if is_name else ""
        return f"{different:,} different texts in {len(there):,} rows{f'; {hint}' if hint else ''}" if is_name else ""
    return "it counts the rows" if None not in column and set(np.diff(np.array(column))) == {1.0} else ""


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


def _signed(texts: Sequence[str], numerals: Numerals) -> str:
    """Numbers that are not read as such: decimal commas, currencies, units."""
    if numerals.is_plain and len(texts) > 2 and (flags := flags_for(texts)):
        shown = next(text for text in texts if numerals.number_of(text) is None)
        return f"numbers such as {shown!r:.40}: add {flags}, which holds for all columns"
    found = [SIGNED.fullmatch(text) for text in texts]
    units = {match["unit"] for match in found if match}
    if len(texts) <= 2 or None in found or len(units) > 1:
        return ""
    return (
        f"numbers with commas, signs or a unit, such as {texts[0]!r:.40}: write digits and a decimal "
        f"{numerals.decimal} alone"
    )


def _few_texts(there: Sequence[str], numerals: Numerals) -> str:
    """Some texts among numbers, such as a mark of what is missing: they make categories of all."""
    counts = Counter(there)
    texts = sorted(cell for cell in counts if numerals.number_of(cell) is None)
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
