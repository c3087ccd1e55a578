"""The picture of a sweep: the judged figure of its trials over their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastnn.common.figures import label_of, scale_of
from fastnn.common.names import near
from fastnn.plots.searches import search_panel
from fastnn.search.ranking import is_number


def picture_of(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], monitor: str, *, higher: bool, ax: Any = None
) -> Any:
    """Dots, a panel for each setting; what was drawn into if `ax` was given. ValueError for an unknown setting."""
    from fastnn import plots

    known = list(dict.fromkeys(name for row in rows for name in list(row)[: list(row).index("status")]))
    for name in names:
        if name not in known:
            raise ValueError(f"the sweep has no setting {name!r}; {near(name, known)}")
    figures = [_figure(row, monitor) * scale_of(monitor) for row in rows]
    axes = {name: [row.get(name) for row in rows] for name in names}
    label = label_of(monitor)
    if ax is None:
        return plots.search_dots(axes, figures, f"{label} of {len(rows)} trials", label, lowest=not higher)
    if len(axes) > 1:
        raise ValueError(f"ax holds one panel, but there are {len(axes)} settings: name one of {', '.join(axes)}")
    ((name, values),) = axes.items()
    return search_panel(ax, name, values, figures, label, lowest=not higher)


def _figure(row: Mapping[str, Any], monitor: str) -> float:
    value: Any = row.get(monitor)
    is_known = row.get("status") == "finished" and is_number(value)
    return float(value) if is_known else float("nan")
