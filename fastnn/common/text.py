"""How figures and the parts of a data set are written for people, in one place."""

import math
import re
from collections.abc import Iterator, Sequence

from fastnn.common.figures import is_fraction, is_perplexity

# The splits of a data set in the order in which they are shown, and what each is called.
SPLITS = {"train": "training", "val": "validation", "test": "test"}
# Metrics that are known by their first letters.
ABBREVIATIONS = {"mse": "MSE", "mae": "MAE", "rmse": "RMSE", "r2": "R²"}

MINUS = "\u2212"
# What stands before a number that is less than 0: neither letters, as in x-1, nor digits, as in 2026-11-28.
BEFORE_NEGATIVE = re.compile(r"(?<![^\s(\[±])-(?=(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?(?![\w-]))")


def percent(fraction: float, decimals: int = 2) -> str:
    """0.8461 as "84.61 %"."""
    return f"{100 * fraction:.{decimals}f} %"


def loss_text(loss: float) -> str:
    """A loss with four decimals, from 10,000 on as a whole number, from a million on as a power of ten."""
    return f"{loss:,.4f}" if loss < 1e4 else f"{loss:,.0f}" if loss < 1e6 else f"{loss:.3e}"


def perplexity_text(perplexity: float) -> str:
    """A perplexity as "3.12", "45.3", "412.7" or "1,234", from a million on as a power of ten."""
    if perplexity >= 1e6:
        return f"{perplexity:.3g}"
    decimals = 2 if perplexity < 10 else 1 if perplexity < 1_000 else 0
    return f"{perplexity:,.{decimals}f}"


def metric_text(name: str, value: float, decimals: int = 2) -> str:
    """A fraction of the samples, such as an accuracy, in per cent with `decimals`; a perplexity; others as a loss."""
    if is_perplexity(name):
        return perplexity_text(value)
    return percent(value, decimals) if is_fraction(name) else loss_text(value)


def figure_text(name: str, value: float) -> str:
    """Any figure of a table: a fraction in per cent, a very small or large number as a power of ten, "–" if it is none.

    The accuracy of a class without samples is none, and so is R² where all targets are equal: NaN.
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return f"{value:g}"
    if is_perplexity(name):
        return perplexity_text(value)
    if is_fraction(name) or value == 0 or 1e-3 <= abs(value) < 1e4:
        return metric_text(name, value) if value != int(value) or is_fraction(name) else f"{value:,g}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.2e}"


def number_text(value: float) -> str:
    """A number of a user's data with four digits or more, without a power of ten where it is short.

    Commas stand between the thousands from 10,000 on only: a number of four digits may be a year.
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def with_minus(text: str) -> str:
    """The text with a minus sign, "−", before numbers that are less than 0, for pages, tables and pictures.

    Exponents keep their hyphen: 1e-5 is what flags and other programs read.
    """
    return BEFORE_NEGATIVE.sub(MINUS, text)


def setting_text(value: object) -> str:
    """A setting, such as a learning rate, in all its digits: "0.01", "0.0005", below 0.0001 as "1e-5"; "3" for 3.0.

    What the command's flags read.
    """
    if not isinstance(value, float):
        return str(value)
    digits, sign, power = repr(float(value)).partition("e")  # float: NumPy's repr names its type
    return f"{digits.removesuffix('.0')}{sign}{int(power)}" if sign else digits.removesuffix(".0")


def with_deviation(value: float, deviation: float) -> str:
    """A value and its deviation, both with the decimals that give the deviation two digits: "0.462 ± 0.082"."""
    if not (math.isfinite(value) and 0 < deviation < math.inf):
        return f"{number_text(value)} ± {number_text(deviation)}"
    decimals = max(0, 1 - math.floor(math.log10(deviation)))
    if decimals > 9:
        return f"{value:.1e} ± {deviation:.1e}"
    return f"{value:,.{decimals}f} ± {deviation:,.{decimals}f}"


def seconds_text(seconds: float) -> str:
    """A time: "0.0123 s", "12.3 s", "1,234 s"."""
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:,.0f} s"


def metric_name(name: str) -> str:
    """A metric's name as words: "val_accuracy" as "validation accuracy", "test_mse" as "test MSE"."""
    first, *rest = name.split("_")
    words = [SPLITS.get(first, first) if any(rest) else first, *rest]
    return " ".join(ABBREVIATIONS.get(word, word) for word in words).strip()


def sentence(text: str) -> str:
    """The text with a capital letter first; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def bytes_text(size: float) -> str:
    """A number of bytes: "1.2 MB", from a billion on "3.4 GB"."""
    size = min(size, 10**30)  # what users ask for may be beyond the numbers of float64
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def plural(count: int, noun: str) -> str:
    """1 and "column" as "1 column", 2 as "2 columns"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def aligned(lines: Sequence[Sequence[str]], texts: int) -> Iterator[str]:
    """A table as lines of text: cells of the first `texts` columns begin at one place, those of others end at one."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        padded = (f"{cell:<{width}}" if i < texts else f"{cell:>{width}}" for i, (cell, width) in enumerate(cells))
        yield "  ".join(padded)


def printable(text: str) -> str:
    """The text without characters that would move a terminal's cursor, or end a line."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def speed_text(samples_per_second: float, tokens: int = 0) -> str:
    """A speed in samples, or in tokens where each sample is a row of `tokens` tokens."""
    return f"{samples_per_second * tokens:,.0f} tokens/s" if tokens else f"{samples_per_second:,.0f} samples/s"
