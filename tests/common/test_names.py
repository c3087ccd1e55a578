"""Names that users type, and names that layers get."""

import pytest

from fastnn.common.names import look_up, near, numbered


def test_numbered():
    assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a_1", "a_2"]


def test_near_offers_what_is_near_or_all_if_few():
    assert near("dens", ["dense", "sum"]) == "did you mean dense?"
    assert near("xyz", ["dense", "sum"]) == "known: dense, sum"
    assert near("xyz", map(str, range(100, 200))) == "no near name is known"


def test_names_that_hold_anything_stay_short_and_in_one_line():
    """Words of a text are names, too: of a million characters, with ends of lines, or half of a surrogate pair."""
    assert near("xyz", ["a\nb", "\ud800", "é"]) == r"known: a\nb, é, \ud800"
    assert near("a\nc", ["a\nb"]) == r"did you mean a\nb?"
    assert near("xyz", ["a" * 10**6]) == f"known: {'a' * 59}…"
    assert near("A" * 10**6, ["a" * 10**6]) == f"did you mean {'a' * 59}…?"


def test_long_names_are_not_compared(monkeypatch):
    """That takes time with the square of their length: minutes for words of 100,000 characters."""
    compared = []
    monkeypatch.setattr("difflib.get_close_matches", lambda given, known, **_: compared.extend([given, *known]) or [])
    near("a" * 61, ["a" * 60])
    near("a" * 60, ["b" * 61, "b" * 60])
    assert compared == ["a" * 61, "a" * 60, "b" * 60]


def test_look_up():
    table = {"dense": 1, "sum": 2}
    assert look_up("layer", "sum", table) == 2
    with pytest.raises(ValueError, match=r"^unknown layer 'summ'; did you mean sum\?$"):
        look_up("layer", "summ", table)
    with pytest.raises(TypeError, match=r"^layer: got 3 \(int\), expected a name: dense, sum$"):
        look_up("layer", 3, table)
