"""A library that is not one, with losses that are known."""

import os

from bench.peers import Absent, Form, Peer


def form(*traits, **environment):
    return Form(", ".join(traits) or "plain", frozenset(traits), environment)


def peer(*forms, package="numpy"):
    return Peer("fake", package, "tests.bench.fake_peer", forms)


def runner(traits, system, model, shuffle):
    """Losses 1, 2, …; "wrong" makes them others, "absent" cannot do it."""
    if "absent" in traits:
        raise Absent("cannot do it")
    first = 5 if "wrong" in traits else int(os.environ.get("FAKE_FIRST_LOSS", 1))
    return lambda steps: [first + step for step in range(steps)]
