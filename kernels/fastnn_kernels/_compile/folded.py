"""How kernels are compiled that take one number at a time: stored tables of constants are constants again.

`_math.tables` says what a stored table is. It pays for loops over vectors. A net that takes one sample a step has none,
and there the numbers that wait on the stack only took registers from others: a step of `scalar` took 1.2 times as long.
"""

from numba.core import codegen
from numba.core.compiler import Compiler

STORED = "fastnn.constants."  # how the names of these variables begin


class _Library(codegen.JITCodeLibrary):
    """The code of one kernel and of all its helpers."""

    def _optimize_final_module(self) -> None:
        for variable in self._final_module.global_variables:
            if variable.name.startswith(STORED):
                variable.linkage = "internal"  # so LLVM sees that nothing writes it
        super()._optimize_final_module()


class Folded(Compiler):
    """Numba's compiler, for such kernels."""

    def __init__(self, typing_context, target_context, library, *rest):
        library = _Library(target_context.codegen(), "kernel")
        library.enable_object_caching()
        super().__init__(typing_context, target_context, library, *rest)
