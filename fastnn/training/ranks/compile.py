"""The training step of a rank: the gradients of its own rows of a batch, and the update by those of all ranks."""

from dataclasses import dataclass, replace

import numpy as np

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Axis
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.split_program import SplitProgram
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.row_list import LINE, RowList
from fastnn.ranks.group import Group
from fastnn.ranks.row_sums import RowSum
from fastnn.ranks.sums import FlatSum
from fastnn.training.steps.differentiate import differentiate
from fastnn.training.steps.step import Step
from fastnn.training.steps.update import emit_penalties, emit_penalty_gradients, emit_update
from fastnn.training.steps.ways import Request, Way


@dataclass(frozen=True, eq=False)
class Exchange:
    """What the ranks exchange between the two parts of a step, and what the runner writes for it.

    flat   the gradients, but for tables of which only some rows are not 0
    rows   such tables
    small  gradients of tables of which a step clears only the rows that it wrote: other ranks add to others
    scale  (1,) what a sample weight is multiplied with to be a loss weight; None: samples have none, or losses are sums
    none   where a sample counts by the number of its labels, one at each step: what stands for none of them; else None
    """

    flat: FlatSum
    rows: tuple[RowSum, ...]
    small: tuple[np.ndarray, ...]
    scale: Buffer | None
    none: int | None = None

    def begin(self) -> None:
        """Before a step."""
        for table in self.rows:
            table.clear()
        for gradient in self.small:
            gradient.fill(0)

    def add(self) -> None:
        """Replace this rank's gradients by the sums of all ranks' ones."""
        self.flat.add()
        for table in self.rows:
            table.add()


def compile_rank(
    group: Group,
    network: Network,
    state: State,
    batch: int,
    optimizer: Optimizer,
    *,
    shuffle: bool = False,
    weighted: bool = False,
    full_batch: bool = False,
) -> tuple[Step, Exchange]:
    """A training step as of `compile_train`, of which this rank takes its rows. `batch` : the samples of all ranks."""
    request = Request(network, state, batch, optimizer, shuffle, weighted, False, full_batch, block=1, layered=True)
    rows = max(len(group.rows_of(batch)), 1)
    begun = differentiate(request, Way(network), rows, is_part=True)
    build, gradients, output = begun.build, begun.gradients, network.outputs[0]
    if group.rank == 0 or group.sync_every > 1:
        emit_penalties(build, begun.inputs, network, state.parameters, None)
    begun.emit_record()
    cut, small = len(build.ops), [gradients.buffers[name] for name in build.sparse_gradients]
    lists = _lists_of_all(build, group, len(group.rows_of(batch, rank=0)))
    build.begin("update")
    emit_penalty_gradients(build, network, state.parameters, gradients)
    inputs = emit_update(begun, optimizer)
    program = SplitProgram(build, inputs.bound, cut)
    flat, tables = _sums(group, program, gradients, lists)
    exchange = Exchange(flat, tables, tuple(small), begun.scale, output.width if output.steps else None)
    return begun.step(program, inputs), exchange


def _lists_of_all(build: Builder, group: Group, most: int) -> list[tuple[RowList, RowList]]:
    """The lists of rows of this rank, and those of all ranks, by which updates go from here on.

    most : samples of the rank that has the most; a list is at most that many times as long as this one a sample

    Where a kernel asks which ids occur in the batch, those of other ranks would be missing: it looks at all rows.
    """
    if group.sync_every > 1:
        return []
    build.sparse_gradients.clear()
    found: dict[int, tuple[RowList, RowList]] = {}
    for name, own in list(build.row_lists.items()):
        if id(own) not in found:
            size = group.size * -(-own.heads.shape[0] * most // build.batch)
            heads = build.array("heads of all ranks", (size,), own.heads.dtype)
            found[id(own)] = own, replace(own, axis=Axis(size, LINE, size), heads=heads, places=heads)
        build.row_lists[name] = found[id(own)][1]
    return list(found.values())


def _sums(
    group: Group, program: SplitProgram, gradients: NamedArrays, lists: list[tuple[RowList, RowList]]
) -> tuple[FlatSum, tuple[RowSum, ...]]:
    """What adds up the gradients: those of listed rows by row, all others as one array."""
    tables = tuple(RowSum(group, _whole(own), program[own.heads], program[every.heads]) for own, every in lists)
    by_row = {name for own, _ in lists for name in own.gradients}
    others = [array for name, array in gradients.buffers.items() if name not in by_row]
    return FlatSum(group, others if by_row else [gradients.flat]), tables


def _whole(rows: RowList) -> list[np.ndarray]:
    """The gradients of listed rows, all as long as their tables: other ranks add to rows that are not listed here."""
    found = [one for one in rows.gradients.values() if isinstance(one, np.ndarray)]
    assert len(found) == len(rows.gradients)
    return found
