"""A small table, and what is read of a run on it."""

import json

import numpy as np

SMALL = ["--epochs", "12", "--hidden", "8", "--threads", "1"]


COLOURS = ("red", "green", "blue")


def columns(count=240, seed=0):
    """`kind` follows from x and colour, `size` is 1,000 + 100·x and a little; some cells are missing."""
    rng = np.random.default_rng(seed)
    x, colour = rng.normal(size=count), rng.integers(0, 3, count)
    return {
        "x": [f"{value:.3f}" if i % 9 else "" for i, value in enumerate(x)],
        "colour": [COLOURS[i] for i in colour],
        "noise": [f"{value:.3f}" for value in rng.normal(size=count)],
        "size": [f"{1000 + 100 * value + rng.normal():.2f}" for value in x],
        "kind": ["many" if value + (i == 0) > 0.6 else "few, or none" for value, i in zip(x, colour, strict=True)],
    }


def answers_of(run):
    return {answer["name"]: answer for answer in json.loads((run / "summary.json").read_text("utf-8"))["answers"]}


def figures(answer):
    return {row["label"]: row["here"] for row in answer["tables"][0]["rows"]}
