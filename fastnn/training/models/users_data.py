"""What a model does with users' data before its network takes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from fastnn.common.hints.habits import Hinted
from fastnn.data.chunk import Expected
from fastnn.data.column_names import Columns, WithColumns, checked_columns
from fastnn.data.prepared import Prepared
from fastnn.data.preprocessing import Preprocessing, checked
from fastnn.nn.network import Network


class TakesData(Hinted):
    """Base of a model: its preprocessing, and the columns of the frames that it was trained on."""

    network: Network
    _preprocessing: Preprocessing | None = None
    _columns: Mapping[str, list[str]] = MappingProxyType({})

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What all methods do with data before the network takes them, such as `fn.Pixels`; None: nothing.

        It is saved, too.

        Raises:
            TypeError: When what is assigned is no preprocessing.
            ValueError: When it does not make what the network takes.
            ShapeError: When it makes samples of another shape.
        """
        return self._preprocessing

    @preprocessing.setter
    def preprocessing(self, given: Preprocessing | None) -> None:
        network = self.network
        inputs = list(network.graph.inputs)
        self._preprocessing = checked(given, inputs, network.input_shape, network.id_count(inputs[0]))

    @property
    def columns(self) -> Columns:
        """The names of the columns of the frames that it was trained on: {"x": ["age", "height"]}; {} without frames.

        All methods refuse a frame of pandas or polars, or a table of pyarrow, that has other columns, or these in
        another order: a network goes by positions. Arrays have no names and are taken as they come. Targets of several
        columns are under "y", those of several inputs or outputs under "x['left']". Assign {} to train on other
        columns. They are saved, too. With an `fn.Table` as preprocessing inputs are not listed: it finds its columns by
        their names.

        Raises:
            TypeError: When what is assigned is no mapping of lists of names.

        Examples:
            >>> import pandas as pd
            >>> history = model.fit(pd.DataFrame(x, columns=["a", "b", "c", "d"]), y)
            >>> model.columns
            {'x': ['a', 'b', 'c', 'd']}
        """
        return {side: list(names) for side, names in self._columns.items()}

    @columns.setter
    def columns(self, given: Mapping[str, list[str]]) -> None:
        self._columns = checked_columns(given)

    @property
    def expected(self) -> Expected:
        """What users' data must be."""
        return self._around(WithColumns(self.network, dict(self._columns)) if self._columns else self.network)

    @contextmanager
    def learning(self) -> Iterator[Expected]:
        """What the data of a training must be. Columns of new frames are those of the model, unless the block raises.

        Yields:
            The checks. Batches that come later are known to the model, too.
        """
        columns = dict(self._columns)
        yield self._around(WithColumns(self.network, columns, learns=True))
        self._columns = columns

    def _around(self, network: Expected) -> Expected:
        return network if self._preprocessing is None else Prepared(network, self._preprocessing)
