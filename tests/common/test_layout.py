"""Layouts that a file of somebody else may have: none leaves the content, none asks for more than there is."""

import json

import numpy as np
import pytest

from fastnn.common.framed.layout import tree_of

CONTENT = np.frombuffer(json.dumps([1.5] * 10).encode().ljust(64, b"\2"), np.uint8)


def nested(depth):
    layout = {"a": ["|u1", [3], 0]}
    for _ in range(depth):
        layout = {"a": layout}
    return layout


ENTRY = "has the entry"
LARGE = "larger than the file"
REFUSED = {
    "a list": ([], "is no tree"),
    "no entry": ({"a": 3}, ENTRY),
    "too short": ({"a": ["<f4", [1]]}, ENTRY),
    "objects": ({"a": ["|O8", [1], 0]}, ENTRY),
    "words": ({"a": ["<U1", [1], 0]}, ENTRY),
    "long doubles": ({"a": ["<f16", [1], 0]}, ENTRY),
    "structure": ({"a": ["f4,f4", [1], 0]}, ENTRY),
    "a list for a dtype": ({"a": [["f4"], [1], 0]}, ENTRY),
    "negative": ({"a": ["<f4", [-1, -1], 0]}, ENTRY),
    "negative offset": ({"a": ["<f4", [1], -4]}, ENTRY),
    "a fraction": ({"a": ["<f4", [1.0], 0]}, ENTRY),
    "truth": ({"a": ["<f4", [True], 0]}, ENTRY),
    "too long": ({"a": ["<f4", [0, 2**70], 0]}, ENTRY),
    "too many lengths": ({"a": ["<f4", [1] * 40, 0]}, ENTRY),
    "beyond the end": ({"a": ["|u1", [4], 61]}, LARGE),
    "a huge array": ({"a": ["<f8", [2**40, 2**40], 0]}, LARGE),
    "often the same": ({f"a{i}": ["|u1", [40], 0] for i in range(2)}, LARGE),
    "often the same text": ({f"a{i}": ["json", [50], 0] for i in range(2)}, LARGE),
    "no truth values": ({"a": ["|b1", [2], 62]}, "neither 0 nor 1"),
    "no text": ({"a": ["json", [3], 61]}, "Expecting value"),
    "half a text": ({"a": ["json", [9], 0]}, "Expecting"),
    "deep": (nested(40), "is no tree"),
}


@pytest.mark.parametrize(("layout", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(layout, said):
    with pytest.raises(ValueError, match=said):
        tree_of(layout, CONTENT)


def test_taken():
    layout = {"g": {"text": ["json", [50], 0], "none": {}}, "odd": ["<u2", [1, 2], 53], "empty": ["<f4", [0, 7], 64]}
    tree = tree_of(layout, CONTENT)
    assert tree["g"] == {"text": [1.5] * 10, "none": {}}
    assert tree["odd"].tolist() == [[0x0202] * 2]
    assert tree["odd"].flags.aligned
    assert tree["empty"].shape == (0, 7)
