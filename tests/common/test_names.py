"""Names that users type, and names that layers get."""

import pytest

from fastnn.common.names import look_up, near, numbered


def test_numbered():
    assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a_1", "a_2"]


def test_near_offers_what_is_near_or_all_if_few():
    assert near("dens", ["dense", "sum"]) == "did you mean dense?"
    assert near("xyz", ["dense", "sum"]) == "known: dense, sum"
    assert near("xyz", map(str, range(100, 200))) == "no near name is known"


def test_look_up():
    table = {"dense": 1, "sum": 2}
    assert look_up("layer", "sum", table) == 2
    with pytest.raises(ValueError, match=r"^unknown layer 'summ'; did you mean sum\?$"):
        look_up("layer", "summ", table)
    with pytest.raises(TypeError, match=r"^layer: got 3 \(int\), expected a name: dense, sum$"):
        look_up("layer", 3, table)
