"""The names of the columns of frames: those that come later must be those of the training, in the same order.

An array has none, and a network goes by positions. Without this, a frame with the same columns in another order would
give other predictions, and nobody would be told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.shown import in_line
from fastnn.data import frames
from fastnn.data.chunk import Expected
from fastnn.data.prepared import Forwarding

Columns = dict[str, list[str]]


class WithColumns(Forwarding):
    """The `Expected` of frames whose columns must be those of the training.

    columns  their names by "x" and "y"; of several inputs by "x['left']", as messages call them
    learns   whether the names of frames that are not known yet are put into `columns`
    """

    def __init__(self, network: Expected, columns: Columns, learns: bool = False):
        super().__init__(network)
        self._columns, self._learns = columns, learns

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]:
        return self._looked_at(super().inputs_in(x, what), what, "x")

    def targets_in(self, y: Any, what: str) -> dict[str, Any]:
        return self._looked_at(super().targets_in(y, what), what, "y")

    def _looked_at(self, data: dict[str, Any], what: str, side: str) -> dict[str, Any]:
        """The data, unchanged. DataError for a frame whose columns are others."""
        for name, one in data.items():
            if found := _names(one):
                key = side + name.removeprefix(what) if len(data) > 1 else side
                known = self._columns.setdefault(key, found) if self._learns else self._columns.get(key, found)
                if found != known:
                    other = "; to train on other columns, set model.columns = {} first" if self._learns else ""
                    raise DataError(f"{name} {_difference(found, known, key)}{other}")
        return data


def _names(one: Any) -> list[str]:
    """The names of the columns of a frame; none if there is no order to mistake, or a name that is no text."""
    names = frames.names_of(one) if frames.is_frame(one) and not isinstance(one, Mapping) else []
    return list(map(str, names)) if len(names) > 1 and all(isinstance(name, str) for name in names) else []


def _difference(found: list[str], known: list[str], key: str) -> str:
    """In words how the columns that were found differ from those of the training, and what to give."""
    if missing := lacking(found, known):
        return missing
    give = f"give frame[model.columns[{key!r}]]"
    known_names = set(known)  # there may be tens of thousands
    if further := [name for name in found if name not in known_names]:
        return f"has a column {in_line(further[0])} that the frame of the training had not; {give}"
    if len(found) != len(known):
        return f"has {len(found)} columns, the frame of the training had {len(known)}: some have the same name"
    place = next(i for i, (one, other) in enumerate(zip(found, known, strict=True)) if one != other)
    return (
        f"has its columns in another order than the frame of the training: column {place} is {in_line(found[place])}, "
        f"expected {in_line(known[place])}; {give}"
    )


def lacking(found: Sequence[str], known: Sequence[str]) -> str:
    """In words the first column of the training that was not found; "" if there are all."""
    names = set(found)
    missing = next((name for name in known if name not in names), None)
    if missing is None:
        return ""
    return f"has no column {in_line(missing)}, which the frame of the training had; {near(missing, found)}"


def of_features(estimator: Any) -> Columns:
    """Those of the frame that an estimator of scikit-learn was fitted on; none if it was an array."""
    names = list(map(str, getattr(estimator, "feature_names_in_", ())))
    return {"x": names} if len(names) > 1 else {}


def checked_columns(given: Any) -> Columns:
    """Names of columns as a user or a file gives them. TypeError for what is no mapping of lists of texts."""
    if not isinstance(given, Mapping):
        raise TypeError(f"columns is {in_line(given)}, expected the names of columns by 'x' and 'y', or {{}} for none")
    for key, names in given.items():
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"columns[{in_line(key)}] is {in_line(names)}, expected a list of names")
    return {str(key): list(names) for key, names in given.items()}
