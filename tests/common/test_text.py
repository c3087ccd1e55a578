"""Figures and names as people read them."""

import numpy as np
import pytest

from fastnn.common.text import (
    aligned,
    figure_text,
    loss_text,
    metric_name,
    metric_text,
    number_text,
    percent,
    perplexity_text,
    seconds_text,
    setting_text,
    with_deviation,
    with_minus,
)


def test_percent():
    assert percent(0.8461) == "84.61 %"
    assert percent(0.8461, 1) == "84.6 %"
    assert percent(1, 0) == "100 %"


@pytest.mark.parametrize(
    ("loss", "want"),
    [(0.0, "0.0000"), (2.71828, "2.7183"), (9999.9, "9,999.9000"), (12345.6, "12,346"), (1e6, "1.000e+06")],
)
def test_losses(loss, want):
    assert loss_text(loss) == want


@pytest.mark.parametrize(
    ("perplexity", "want"),
    [(1.0, "1.00"), (3.1234, "3.12"), (45.321, "45.3"), (412.66, "412.7"), (12345.6, "12,346"), (1.234e9, "1.23e+09")],
)
def test_perplexities(perplexity, want):
    assert perplexity_text(perplexity) == metric_text("val_perplexity", perplexity) == want
    assert figure_text("test_perplexity", perplexity) == want
    assert perplexity_text(float("inf")) == "inf"


@pytest.mark.parametrize("name", ["accuracy", "test_perplexity", "R²", "RMSE"])
def test_a_figure_that_is_no_number_is_told_as_such(name):
    assert figure_text(name, float("nan")) == "–"  # the accuracy of a class that no test sample has
    assert (figure_text(name, float("inf")), figure_text(name, float("-inf"))) == ("inf", "-inf")


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (0.12345, "0.1235"),
        (1e-4, "1.00e-04"),
        (3322.0, "3,322"),
        (-1234.5, "-1,234.5000"),
        (48213.4, "48,213"),
        (-1e6, "-1,000,000"),
        (1e9, "1.00e+09"),
    ],
)
def test_figures_of_any_size(value, want):
    assert figure_text("RMSE", value) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("-0.31", "−0.31"),
        ("-.5", "−.5"),
        ("none +10.0, l2 -5.0, slow +0.0", "none +10.0, l2 −5.0, slow +0.0"),
        ("loss -1,234.5 (-3 %); [-1, -2.5].", "loss −1,234.5 (−3 %); [−1, −2.5]."),
        ("-0.30 ± 0.02\n-7", "−0.30 ± 0.02\n−7"),
        ("-1.50e-07 and 1e-5", "−1.50e-07 and 1e-5"),
        ("-2.50 points", "−2.50 points"),
        # What is no number, or part of a word, a date, a name of a file or a command line, stays.
        ("2026-11-28", "2026-11-28"),
        ("-2026-11", "-2026-11"),
        ("3-5 100-100 x-1 run-2", "3-5 100-100 x-1 run-2"),
        ("--lr 1e-5 --grid=-1 '-1' \"-1\" a/-1", "--lr 1e-5 --grid=-1 '-1' \"-1\" a/-1"),
        ("- 5, -x, -5x, -5_a, -inf", "- 5, -x, -5x, -5_a, -inf"),
        ("", ""),
    ],
)
def test_minus_before_numbers_for_people(text, want):
    assert with_minus(text) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (1e-4, "0.0001"),
        (1e-2, "0.01"),
        (5e-4, "0.0005"),
        (1e-5, "1e-5"),
        (2.5e-10, "2.5e-10"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.0, "1"),
        (-3.0, "-3"),
        (1e16, "1e16"),
        (0.0, "0"),
        (np.float32(0.5), "0.5"),
        (np.float64(1e-5), "1e-5"),
        (float("inf"), "inf"),
        (200, "200"),
        (True, "True"),
        ("100x4", "100x4"),
        ("1.0", "1.0"),
    ],
)
def test_settings_have_one_form(value, want):
    assert setting_text(value) == want
    if isinstance(value, float):
        assert float(want) == value  # as the command's flags read it


def test_numbers_of_a_table():
    found = [number_text(value) for value in (0.00123456, 12.3456, 1987, 12345.6, 1e9, float("nan"))]
    assert found == ["0.001235", "12.35", "1987", "12,346", "1e+09", "nan"]


@pytest.mark.parametrize(
    ("value", "deviation", "want"),
    [
        (0.4622, 0.082, "0.462 ± 0.082"),
        (0.1866, 0.004888, "0.1866 ± 0.0049"),
        (48213.4, 1204.0, "48,213 ± 1,204"),
        (12.345, 2.5, "12.3 ± 2.5"),
        (0.5, 0.0, "0.5 ± 0"),
        (1e-12, 3e-13, "1.0e-12 ± 3.0e-13"),
        (float("nan"), 0.5, "nan ± 0.5"),
        (0.5, float("inf"), "0.5 ± inf"),
    ],
)
def test_values_with_a_deviation(value, deviation, want):
    assert with_deviation(value, deviation) == want


def test_times():
    assert [seconds_text(one) for one in (0.01234, 12.34, 1234.5)] == ["0.0123 s", "12.3 s", "1,234 s"]


def test_metrics():
    assert metric_text("val_accuracy", 0.5) == "50.00 %"
    assert metric_text("accuracy", 0.5, 1) == "50.0 %"
    assert metric_text("val_loss", 0.5) == "0.5000"
    assert metric_text("unknown", 0.25) == "25.00 %"


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("train_loss", "training loss"),
        ("val_accuracy", "validation accuracy"),
        ("test_accuracy", "test accuracy"),
        ("true_entropy", "true entropy"),
        ("val", "val"),
        ("val_", "val"),
        ("mse", "MSE"),
        ("test_r2", "test R²"),
        ("next_loss", "next loss"),
    ],
)
def test_names_of_metrics(name, want):
    assert metric_name(name) == want


def test_columns_begin_or_end_at_one_place():
    lines = [["name", "unit", "count"], ["a", "mm", "7"], ["longer", "", "1,234"]]
    assert list(aligned(lines, 2)) == ["name    unit  count", "a       mm        7", "longer        1,234"]
    assert list(aligned(lines, 1))[1] == "a         mm      7"
