"""Numbers at the axes, written as in texts, 12,000, and only as many as have room. Importing it imports matplotlib."""

import re
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator, ScalarFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOUR_DIGITS = re.compile(r"(?<![\d.,])\d{4,}(?!\d*e)")
SHORT = 4  # letters of a number; matplotlib leaves room for these
LETTER = 0.62  # the width of a letter, in font sizes
SPACE = 3  # what `get_tick_space` reckons a label's width to be, in font sizes
APART = 2  # letters between two labels
MOST = 9


class WithCommas(ScalarFormatter):
    """Numbers from 1,000 on with commas between thousands."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return FOUR_DIGITS.sub(lambda found: f"{int(found[0]):,}", super().__call__(x, pos), count=1)


class WithRoom(MaxNLocator):
    """Ticks at round numbers, fewer where the numbers are long."""

    most: Any = MOST

    def set_params(self, **given: Any) -> None:
        """As of MaxNLocator; nbins is the most intervals that there are, where all numbers have room."""
        self.most = given.get("nbins", self.most)
        super().set_params(**given)

    def __call__(self) -> Any:
        axis: Any = self.axis
        letters = max(len(f"{value:,.0f}") for value in axis.get_view_interval())
        room = axis.get_tick_space() * (SPACE / LETTER / (letters + APART) if letters > SHORT else 1)
        super().set_params(nbins=max(1, min(int(room), MOST if self.most == "auto" else self.most)))
        return super().__call__()


def prepare(axes: "Axes | Any") -> None:
    """Write the numbers of both axes so, unless they have a way of their own, as a user's may have."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.isDefault_majfmt:
            axis.set_major_formatter(WithCommas())
            axis.isDefault_majfmt = True  # so that a scale of another kind writes its numbers in its way
    if axes.xaxis.isDefault_majloc:
        axes.xaxis.set_major_locator(WithRoom(nbins="auto", steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.isDefault_majloc = True


def at_whole_numbers(axes: "Axes | Any") -> None:
    """Put the ticks of x at whole numbers, one alone where there is one epoch: there is no epoch 2.5."""
    axes.xaxis.set_major_locator(WithRoom(nbins=8, integer=True, min_n_ticks=1))
