"""Explicit-loop kernels on raw arrays: the arithmetic of fastnn.

Outputs come first, then inputs, then sizes. Matrices are C-contiguous and may have padding columns, which are 0 and
stay 0. Kernels trust their arguments: `fastnn.ops` checks arrays before it calls them. `kernel.serial(...)` and
`kernel.parallel(...)` are the two compiled versions of `kernel.body`. Each family file lists its kernels in `__all__`.

Families are made of what stands in files and folders with an underscore; each folder says what is in it. Which of these
to read for what, in a good order:

- how kernels are compiled: `_jit` (Numba's options), `_compile/` (kept on disk, in several processes)
- how they are run: `_run/` (a table of calls, by a team of threads)
- numbers that were measured: `_tuning`
- one number: `_math/`
- sixteen numbers, as in a vector register: `_lanes/`
- products of matrices and of windows: `_products/`
- nets of few units: `_narrow/`
- memory: `_memory/` (a part of an array, on the stack, into a cache)
- names that go: `_former`
"""

from fastnn_kernels._compile.collection import no_collection
from fastnn_kernels._former import former_names

with no_collection():  # it was a quarter of the time, with Numba's import, where scikit-learn was there already
    from fastnn_kernels._jit import Kernel as _Kernel  # the first to import Numba

    # isort: split
    from fastnn_kernels.activation import *
    from fastnn_kernels.activation import ACTIVATIONS
    from fastnn_kernels.adaptive import *
    from fastnn_kernels.adaptive_update import *
    from fastnn_kernels.average_pool import *
    from fastnn_kernels.batch import *
    from fastnn_kernels.bfloat16_update import *
    from fastnn_kernels.bias import *
    from fastnn_kernels.col2im import *
    from fastnn_kernels.columns import *
    from fastnn_kernels.conv import *
    from fastnn_kernels.draws import *
    from fastnn_kernels.dropout import *
    from fastnn_kernels.embedding import *
    from fastnn_kernels.few_channels import *
    from fastnn_kernels.join import *
    from fastnn_kernels.listed import *
    from fastnn_kernels.listed_update import *
    from fastnn_kernels.losses import *
    from fastnn_kernels.matmul import *
    from fastnn_kernels.metrics import *
    from fastnn_kernels.narrow import *
    from fastnn_kernels.narrow_losses import *
    from fastnn_kernels.narrow_many import *
    from fastnn_kernels.narrow_sgd import *
    from fastnn_kernels.narrow_sgd_two import *
    from fastnn_kernels.narrow_softmax import *
    from fastnn_kernels.norm import *
    from fastnn_kernels.outer_product import *
    from fastnn_kernels.penalty import *
    from fastnn_kernels.pool import *
    from fastnn_kernels.recurrent import *
    from fastnn_kernels.sampled import *
    from fastnn_kernels.softmax import *
    from fastnn_kernels.sparse import *
    from fastnn_kernels.sparse_conv import *
    from fastnn_kernels.time_steps import *
    from fastnn_kernels.update import *

# What the families list: of all that is here the kernels, and the table of activations.
__all__ = ["ACTIVATIONS", *(name for name, one in list(globals().items()) if isinstance(one, _Kernel))]

_FORMER = {
    "clear": ("zero", "0.3"),
    "scale_by_norm": ("clip_by_global_norm", "0.3"),
    "select_rates": ("select_scalars", "0.3"),
}
__getattr__ = former_names(__name__, globals(), _FORMER)
