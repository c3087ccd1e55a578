"""How a system divides a data set into training, validation and test set."""

from dataclasses import dataclass

from fastnn.common.errors import DataError
from fastnn.common.validation import whole_number
from fastnn.data.dataset import Dataset


@dataclass(frozen=True)
class Use:
    """How a system divides a data set.

    A split that the data lack is taken from the end of the training set, and never more than a third of it.

    Args:
        val: The most samples to validate on; None: as the data come.
        test: The most samples to test on, likewise.
        shuffled: Whether the training set is first put into a fixed random order, for files that are sorted by class.
        needs: The splits that the system cannot do without.

    Raises:
        TypeError: If a number of samples is no whole number.
        ValueError: If it is below 0.

    Examples:
        >>> data, source = fn.data.find_data("moons", use=fn.data.Use(val=20, test=20, shuffled=True))
        >>> len(data.val)
        20
    """

    val: int | None = None
    test: int | None = None
    shuffled: bool = False
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("val", "test"):
            if (most := getattr(self, name)) is not None:
                whole_number(name, most, 0)


def divide(data: Dataset, use: Use) -> Dataset:
    """Cut validation and test set as `use` says; a validation set that the file has stays."""
    if use.val is None and use.test is None:
        return data
    count = len(data.train)
    val = min(use.val or 0, count // 3) if data.val is None else 0
    if data.test is None:
        test = min(use.test or 0, count // 3)
        train = count - val - test
    else:
        test, train = min(use.test or len(data.test), len(data.test)), count - val
    cut = data.cut(train, val, test, seed=0 if use.shuffled and data.meta["source"] != "generated" else None)
    if missing := [part for part in use.needs if part not in cut.splits()]:
        found = ", ".join(f"{part} ({len(split):,})" for part, split in data.splits().items())
        raise DataError(
            f"{data.meta['source']!r} holds {found}, which leaves none for {' and '.join(missing)}; "
            f"expected train, {' and '.join(use.needs)}, or more samples to divide"
        )
    return cut
