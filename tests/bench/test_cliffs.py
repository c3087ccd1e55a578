"""Neighbours of which one is too slow: the bounds, the reasons, the grid, and a run that goes on where it stopped."""

import pytest

from bench import cliffs
from bench.cliff_map import axes_of, draw, some, text_maps
from bench.neighbours import WHOLE_LINES, Cliff, Net, cliff, excess, neighbours
from bench.neighbours import cliffs as found_in


@pytest.mark.parametrize(
    ("less", "more", "work", "want"),
    [
        (1.0, 1.0, 2.0, 1.0),  # a fixed cost is everything
        (1.0, 2.0, 2.0, 1.0),  # there is none
        (1.0, 1.5, 2.0, 1.0),
        (3.0, 2.0, 1.1, 1.5),  # less work takes longer
        (1.0, 4.0, 2.0, 2.0),  # twice the work takes four times as long
    ],
)
def test_excess(less, more, work, want):
    assert excess(less, more, work) == pytest.approx(want, rel=1e-12)


def test_multiply_adds_of_a_step():
    net = Net(width=17, batch=10, depth=3)
    assert net.multiply_adds == (3 + 3 + 2) * 10 * 17 * 17
    assert net.padded == (3 + 3 + 2) * 10 * 17 * 32


def test_a_cliff_names_the_slow_one_whichever_way_it_falls():
    small, large = Net(64, 15, 3), Net(64, 16, 3)
    assert cliff(small, large, {small: 2.0, large: 1.0}) == Cliff(small, large, 2.0, "")
    rising = cliff(large, small, {small: 1.0, large: 2.0})
    assert (rising.slow, rising.quick) == (large, small)
    assert rising.excess == pytest.approx(2 * 15 / 16, rel=1e-12)
    assert cliff(small, large, {small: 1.0, large: 1.5}) is None


def test_padding_is_a_reason_within_what_it_costs():
    full, one_more = Net(16, 100, 2), Net(17, 100, 2)
    assert cliff(full, one_more, {full: 1.0, one_more: 2.1}).reason == WHOLE_LINES
    assert cliff(full, one_more, {full: 1.0, one_more: 4.0}).reason == ""


def test_neighbours_differ_in_one_quantity():
    nets = [Net(w, b, 1) for w in (1, 2, 4) for b in (1, 8)]
    pairs = list(neighbours(nets))
    assert len(pairs) == 2 * 2 + 3
    assert (Net(1, 1, 1), Net(2, 1, 1)) in pairs
    assert (Net(1, 1, 1), Net(4, 1, 1)) not in pairs


def test_the_highest_cliff_comes_first():
    seconds = {Net(64, batch, 1): value for batch, value in ((1, 1.0), (2, 9.0), (3, 1.0))}
    assert [one.quick.batch for one in found_in(seconds)] == [3, 1]


@pytest.mark.parametrize("quick", [False, True])
def test_the_grid(quick):
    maps = cliffs.grid(quick)
    nets = {net for members in maps.values() for net in members}
    assert max(net.width for net in nets) >= 256
    assert max(net.batch for net in nets) == 1000
    assert {net.depth for net in nets} >= {1, 2, 3, 12}
    assert all(len(members) == len(set(members)) for members in maps.values())
    assert axes_of(next(iter(maps))) == ("width", "batch")


def test_a_stopped_sweep_goes_on(tmp_path, monkeypatch):
    path, measured = tmp_path / "points.jsonl", []
    monkeypatch.setattr(cliffs, "measure", lambda net, threads: measured.append(net) or float(threads))
    first, second = Net(1, 1, 1), Net(2, 1, 1)
    cliffs.sweep([first], path, 1, passes=1)
    assert cliffs.sweep([first, second], path, 1, passes=1) == {first: 1.0, second: 1.0}
    assert measured == [first, second]
    assert cliffs.sweep([first], path, 2, passes=1) == {first: 2.0}, "another number of threads is another sweep"


def test_the_fastest_of_all_passes_counts(tmp_path, monkeypatch):
    path, net, times = tmp_path / "points.jsonl", Net(1, 1, 1), iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(cliffs, "measure", lambda net, threads: next(times))
    assert cliffs.sweep([net], path, 1, passes=1) == {net: 3.0}
    assert cliffs.sweep([net], path, 1, passes=3) == {net: 1.0}


def test_maps_as_text_and_as_a_picture(tmp_path):
    maps = cliffs.grid(quick=True)
    seconds = {net: 1e-12 * net.multiply_adds * (1 + net.depth) for nets in maps.values() for net in nets}
    text = text_maps(maps, seconds)
    assert text[0].splitlines()[2].split() == ["1", *["4"] * 7]
    slow, quick = Net(64, 15, 3), Net(64, 16, 3)
    draw(maps, seconds, [Cliff(slow, quick, 2.0, "")], 1, tmp_path / "maps.png")
    assert (tmp_path / "maps.png").stat().st_size > 10_000


def test_labels_are_spread():
    assert some(range(100), 4) == [0, 33, 66, 99]
    assert some([5, 7], 4) == [5, 7]


def test_a_report_has_what_is_unexplained_first():
    a, b = Net(16, 100, 2), Net(17, 100, 2)
    lines = cliffs.report([Cliff(b, a, 2.0, WHOLE_LINES), Cliff(a, b, 1.6, "")], {a: 1e-6, b: 2e-6})
    assert lines[1].startswith(" 1.60 x  width 16, batch 100, depth 2  beside")
    assert lines[1].endswith("no reason known")
    assert lines[2].endswith(WHOLE_LINES)
