"""The figures that `plots` makes: notebooks show them, whether pyplot is imported or not.

IPython learns how to show a matplotlib Figure when pyplot is imported, which fastnn does not do: it would bring global
state, and figures that stay until somebody closes them. So these figures say themselves how they look.
"""

import io

from matplotlib.figure import Figure

from fastnn.plots.style import undisturbed


class ShownFigure(Figure):
    """A matplotlib Figure that is its own picture in a notebook."""

    @undisturbed
    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()
