"""Numbers with decimal commas and signs between thousands."""

import pytest

from fastnn.data.column_hints import hint_of
from fastnn.data.formats.numerals import PLAIN, Numerals, flags_for, number_of, numerals_of
from fastnn.data.formats.table_file import table_of

READ = [
    (("point", "none"), "1234.5", 1234.5),
    (("point", "none"), "1,5", None),
    (("point", "comma"), "1,234,567.5", 1234567.5),
    (("point", "comma"), "-1,234", -1234),
    (("point", "comma"), "1234.5", 1234.5),
    (("point", "comma"), "1,23", None),
    (("point", "comma"), "12,34,567", None),
    (("point", "comma"), "0,123", None),
    (("point", "comma"), "1.5,000", None),
    (("comma", "none"), "1,5", 1.5),
    (("comma", "none"), "-1,5e3", -1500),
    (("comma", "none"), ",5", 0.5),
    (("comma", "none"), "7", 7),
    (("comma", "none"), "1.5", None),
    (("comma", "none"), "1,234,5", None),
    (("comma", "none"), "1_0,5", None),
    (("comma", "none"), "a,b", None),
    (("comma", "none"), "", None),
    (("comma", "point"), "1.234,5", 1234.5),
    (("comma", "point"), "1.5", None),
    (("comma", "point"), "1,234.5", None),
    (("comma", "space"), "1 234\u00a0567,5", 1234567.5),
    (("point", "space"), "12\u202f345", 12345),
    (("point", "apostrophe"), "1'234.5", 1234.5),
    (("point", "apostrophe"), "1’234", 1234),
]


@pytest.mark.parametrize(("names", "text", "want"), READ)
def test_a_number_as_a_table_writes_it(names, text, want):
    assert Numerals(*names).number_of(text) == want


def test_what_a_table_writes_is_read_again():
    assert Numerals("comma").written("-1.5e-07") == "-1,5e-07"
    assert PLAIN.written("1.5") == "1.5"
    assert number_of("1_0") is None


@pytest.mark.parametrize(("texts", "want"), [
    (["1,5", "2,25"], "--decimal comma"),
    (["1.234,5", "2"], "--decimal comma --thousands point"),
    (["1,234", "1,234.5"], "--thousands comma"),
    (["1,234"], "--thousands comma or --decimal comma"),
    (["1 234", "7"], "--thousands space"),
    (["1.5"], "--decimal point"),
    (["1,5", "x"], ""),
    ([], ""),
])  # fmt: skip
def test_flags_with_which_texts_are_numbers(texts, want):
    assert flags_for(texts) == want


@pytest.mark.parametrize(("decimal", "thousands", "said"), [
    ("comma", "comma", "--decimal and --thousands are both 'comma'"),
    ("dot", "none", "decimal is 'dot', expected one of point, comma"),
    ("point", "", "thousands is '', expected one of none"),
])  # fmt: skip
def test_names_that_say_nothing_are_refused(decimal, thousands, said):
    with pytest.raises(ValueError, match=said):
        Numerals(decimal, thousands)


@pytest.mark.parametrize("meta", [
    None, {}, {"decimal": []}, {"decimal": "x"}, {"decimal": "comma", "thousands": "comma"}, {"thousands": 3},
])  # fmt: skip
def test_a_model_of_any_file_has_numerals(meta):
    assert numerals_of(meta) == PLAIN


def test_a_model_says_how_its_table_was_written():
    assert numerals_of({"decimal": "comma", "thousands": "point"}) == Numerals("comma", "point")


@pytest.mark.parametrize("content", [b"1,5;2,5;3,5\n4;5;6\n", b"1,5|2,5|3,5\n4|5|6\n", b"1,5\t2,5\t3,5\n4\t5\t6\n"])
def test_decimal_commas_separate_no_cells(content):
    table = table_of(content, "t", header=False, numerals=Numerals("comma"))
    assert table.columns == {"1": ["1,5", "4"], "2": ["2,5", "5"], "3": ["3,5", "6"]}


def test_a_first_line_of_decimal_commas_is_none_of_names():
    with pytest.raises(ValueError, match="begins with numbers"):
        table_of(b"1,5;2,5\n3;4\n", "t", numerals=Numerals("comma"))


def test_hints_name_the_flags_unless_they_are_given():
    assert hint_of(["1,5", "2,5", "3"]) == "numbers such as '1,5': add --decimal comma, which holds for all columns"
    told = hint_of(["1.5", "2.5", "3.5"], Numerals("comma"))
    assert told == "numbers with commas, signs or a unit, such as '1.5': write digits and a decimal comma alone"


@pytest.mark.parametrize("name", ["predict", "evaluate"])
def test_the_commands_have_the_same_names(name):
    """They are written out there, as importing the readers of tables would slow --help."""
    from fastnn.cli.commands import fastnn
    from fastnn.data.formats.numerals import DECIMAL, THOUSANDS

    _, command, _ = fastnn.resolve_command(None, [name])
    choices = {option.name: option.type.choices for option in command.params if option.name in ("decimal", "thousands")}
    assert {key: [*found] for key, found in choices.items()} == {"decimal": [*DECIMAL], "thousands": [*THOUSANDS]}
