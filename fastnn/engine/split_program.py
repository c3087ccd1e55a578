"""A program in two parts, between which something else happens: what other processes have computed is added."""

from collections.abc import Mapping

import numpy as np

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.program import Program


class SplitProgram(Program):
    """The first part of a builder's operations. `rest` is the program of the others, on the same buffers.

    inputs : as of `Program`
    cut    : the number of operations of the first part
    """

    def __init__(self, builder: Builder, inputs: tuple[Buffer, ...], cut: int):
        super().__init__(builder, inputs, ops=builder.ops[:cut])
        self.rest = Program(builder, inputs, ops=builder.ops[cut:], arena=self.arena)

    def bind(self, arrays: Mapping[Buffer, np.ndarray | int]) -> None:
        super().bind(arrays)
        self.rest.bind(arrays)

    def unbind(self) -> None:
        super().unbind()
        self.rest.unbind()
