"""The data that `fit` is given, as sources: what it trains on, and what judges the model after each epoch."""

from typing import Any

from fastnn.common import validation
from fastnn.common.errors import DataError
from fastnn.data.batches import BatchSource, told
from fastnn.data.chunk import Expected
from fastnn.data.source import Source, are_batches, source_of, source_of_batches, warn_of_split


def training_source(
    expected: Expected, x: Any, y: Any, sample_weight: Any, class_weight: Any, steps: int | None
) -> Source:
    """The source of x and y, or of batches (x, y) that are given as x alone. Errors as of `source_of`.

    steps : of batches, how many make an epoch
    """
    if not are_batches(expected, x, y):
        if y is None:
            raise TypeError(f"fit got no y{_as_x(x)}; expected fit(x, y), or batches (x, y) to iterate over as x alone")
        return source_of(expected, x, y, sample_weight, class_weight)
    if sample_weight is not None:
        raise ValueError("sample_weight was given beside batches, expected it in them: (x, y, sample_weight)")
    return source_of_batches(expected, x, steps, class_weight)


def _as_x(x: Any) -> str:
    """What messages say of an x without y that is no batches, but may have been meant as batches; or nothing."""
    if callable(x):
        name = getattr(x, "__name__", type(x).__name__)
        return f", and x is {name} itself: call it, fit({name}())"
    if not isinstance(x, list | tuple):
        return ""
    if not x:
        return f", and x is an empty {type(x).__name__}"
    if isinstance(x[0], list | tuple) and any(hasattr(part, "__array__") for part in x[0]):
        return f", and x begins with {told(x[0])}"
    return ""


def validation_source(expected: Expected, data: Any, epochs: int) -> Source | None:
    """The source of `validation_data`, None if there are none. DataError for data that do not last for all epochs."""
    if data is None:
        return None
    if are_batches(expected, data, None):
        batches = source_of_batches(expected, data, argument="validation_data")
        if batches.comes_once and epochs > 1:
            raise DataError(
                f"validation_data can be iterated over only once, but is needed after each of {epochs} epochs; "
                "give a list or a loader that begins anew"
            )
        return batches
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        hint = ": call it" if callable(data) else ""
        raise DataError(f"validation_data is {told(data)}{hint}, expected (x, y) or (x, y, sample_weight)")
    x, y, weights = (*data, None)[:3]
    return source_of(expected, x, y, weights, names=("validation x", "validation y"))


def split_apart(
    expected: Expected, source: Source, validated: Source | None, fraction: Any
) -> tuple[Source, Source | None]:
    """What trains and what validates, where `validation_split` is this fraction; as they are, if it is 0 or None.

    Raises ValueError for batches, which cannot be cut, and beside validation data.
    """
    if fraction is None or not validation.real_number("validation_split", fraction):
        return source, validated
    if isinstance(source, BatchSource):
        raise ValueError("validation_split cuts arrays and streams, not batches: give validation_data")
    train, rest = source.cut(validation.training_count(source.samples, fraction, validated is not None))
    warn_of_split(expected, train, rest)
    return train, rest
