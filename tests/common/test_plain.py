"""NumPy's numbers among settings become Python's own."""

from dataclasses import FrozenInstanceError, dataclass, field

import numpy as np
import pytest

from fastnn.common.plain import PlainNumbers, plain

VALUES = {
    "a whole number": (np.int8(3), 3),
    "a float": (np.float32(0.5), 0.5),
    "half precision": (np.float16(0.5), 0.5),
    "a long double": (np.longdouble(0.5), 0.5),
    "a truth value": (np.True_, True),
    "a text": (np.str_("relu"), "relu"),
    "an array ()": (np.array(7), 7),
    "a pair": ((np.int64(3), 4), (3, 4)),
    "a list in a dict": ({np.int64(1): [np.float64(2), None]}, {1: [2.0, None]}),
}


@pytest.mark.parametrize(("given", "want"), VALUES.values(), ids=list(VALUES))
def test_values(given, want):
    got = plain(given)
    assert repr(got) == repr(want)


@pytest.mark.parametrize("value", [3, "a", None, np.zeros(1), object, {1, 2}, np.array(None)], ids=repr)
def test_other_values_stay_themselves(value):
    assert plain(value) is value


@dataclass(frozen=True)
class Base(PlainNumbers):
    size: int
    pair: tuple = (1, 1)
    seen: list = field(default_factory=list, init=False)


@dataclass(frozen=True)
class Checked(Base):
    def __post_init__(self):
        self.seen.append(type(self.size))


@dataclass(frozen=True)
class CheckedTwice(Checked):
    rate: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        self.seen.append(type(self.rate))


def test_fields_are_plain_before_they_are_checked():
    assert repr(Base(np.int64(3), (np.int8(2), 3))) == "Base(size=3, pair=(2, 3))"
    assert Checked(np.array(3)).seen == [int]
    assert CheckedTwice(np.int8(3), rate=np.float32(0.25)).seen == [int, float]
    with pytest.raises(FrozenInstanceError):
        Base(3).size = 4
