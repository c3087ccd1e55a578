"""How helpers are compiled: to optimised code that is linked into their callers', and no further.

Numba translates each function to machine code, also one that only other compiled functions call. But their code has a
copy of it, and machine code of its own is never run. That was two fifths of the translations of a first run.

A helper is still optimised in full. With less, a first step of mnist-cnn took 15 s of processor time in place of 19
(and 22 with the machine code of all helpers). But some loops were no longer vectorised once they stood in their
callers: Adam took ten times as long without any optimisation of helpers, the mean of a batch four times as long without
their vectorisation.
"""

from numba import _dynfunc
from numba.core import codegen
from numba.core.compiler import Compiler


class _Library(codegen.JITCodeLibrary):
    """The code of one helper and of all that it calls, as a module of LLVM."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


def _entry_point(library, fndesc, env):
    """What Numba knows a compiled function by. It has no address: nothing may call it."""
    name = fndesc.qualname.rpartition(".")[2]
    return _dynfunc.make_function(fndesc.lookup_module(), name, "", 0, env, (library,))


class Linked(Compiler):
    """Numba's compiler, for functions that only compiled code calls."""

    def __init__(self, typing_context, target_context, library, *rest):
        super().__init__(typing_context, target_context, _Library(target_context.codegen(), "helper"), *rest)
        self.state.targetctx.get_executable = _entry_point  # of a copy of the context, for this function alone
