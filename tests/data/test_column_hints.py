"""What a column of a user's table may mean beside categories: said, with what to do."""

import re

import pytest

from fastnn.common.errors import DataError
from fastnn.data.column_hints import hint_of
from fastnn.data.tables import TableUse, load_table
from tests.small_data import write_table

SAID = {
    "truth values in several spellings": (
        ["true", "FALSE", "1", "0"],
        "^yes and no are spelled in 4 ways .0, 1, FALSE",
    ),
    "days": (["2026-01-31", "2026-02-28", None], "^dates such as 2026-01-31: write numbers, such as days since"),
    "days of other countries": (["31.1.2026", "28.2.2026"], "^dates such as"),
    "moments": (["2026-01-31 10:15", "2026-01-31T10:15:59Z"], "^dates such as"),
    "large letters": (["Paris", "paris", "Rome"], "^one value in several spellings.*: Paris, paris$"),
    "spaces within": (["New  York", "New York", "LA", "la"], "New  York, New York|LA, la, and 1 further value"),
    "decimal commas": (
        ["803,48", "1.634,42", "7"],
        "numbers such as '1.634,42': add --decimal comma --thousands point",
    ),
    "a currency": (["$366", "$ 1,722", "$10.50"], "^numbers with commas, signs or a unit"),
    "a unit": (["77 kg", "6.5 kg", "80kg"], "^numbers with commas, signs or a unit"),
    "per cent": (["5%", "7 %", "100%"], "^numbers with commas, signs or a unit"),
    "a mark of what is missing": (
        [*map(str, range(30)), "unknown"],
        r"^numbers but for 1 cell \(unknown\), which makes",
    ),
    "two marks": ([*map(str, range(30)), "-", "none"], r"^numbers but for 2 cells \(-, none\), which make "),
}
UNSAID = {
    "nothing": [],
    "nothing but gaps": [None, None],
    "categories": ["red", "green", None],
    "two truth values": ["True", "False"],
    "codes": ["a1", "b2", "c3"],
    "codes of other lengths": ["12a", "7b", "9c"],
    "intervals": ["10-19", "20-29", "30-39"],
    "texts among as many numbers": ["1", "2", "x", "y"],
}


@pytest.mark.parametrize(("cells", "said"), SAID.values(), ids=SAID)
def test_what_stands_out_is_said_with_what_to_do(cells, said):
    assert re.search(said, hint_of(cells)), hint_of(cells)


@pytest.mark.parametrize("cells", UNSAID.values(), ids=UNSAID)
def test_categories_need_no_hint(cells):
    assert hint_of(cells) == ""


@pytest.fixture
def path(tmp_path):
    days = [f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(120)]
    mixed = ["true", "FALSE", "1", "0"] * 30
    columns = {"x": [str(i * i % 37) for i in range(120)], "day": days, "member": mixed, "y": ["no", "NO", "yes"] * 40}
    return write_table(tmp_path / "t.csv", columns)


def test_a_table_has_hints_of_columns_it_uses_of_the_target_and_of_what_it_leaves_out(path):
    meta = load_table(path, TableUse("y")).meta
    assert list(meta["hints"]) == ["member", "y"]
    assert "yes and no are spelled in 4 ways" in meta["hints"]["member"]
    assert meta["dropped"]["day"].startswith("84 different texts in 120 rows; dates such as 2026-01-01: write numbers")


def test_columns_that_a_user_calls_categories_need_no_hint(path):
    assert list(load_table(path, TableUse("y", categories=["member"])).meta["hints"]) == ["y"]


def test_a_target_of_many_values_is_refused_with_what_its_texts_may_be(path):
    with pytest.raises(DataError, match=r"day has 84 different values.*--task regression; it holds dates such as"):
        load_table(path, TableUse("day"))


def test_a_date_among_other_texts_is_a_category_as_they_are():
    assert hint_of(["2024-01-05", "north", "south"]) == ""
    assert hint_of(["2024-01-05", None, "2024-01-06"]).startswith("dates such as 2024-01-05: write numbers")
