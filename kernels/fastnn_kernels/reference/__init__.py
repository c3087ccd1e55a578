"""What every kernel must compute, as the shortest clear NumPy: same names, same arguments, no kernel imported.

Users read this specification; tests and benchmarks compare kernels with it. Given float64 arrays a function computes
in float64. Outputs come first and are written in place. Columns past the logical width are left as the kernel leaves
them. Each family file lists its functions in `__all__`.
"""

from types import FunctionType as _Function

from fastnn_kernels.reference.activation import *
from fastnn_kernels.reference.adaptive import *
from fastnn_kernels.reference.adaptive_update import *
from fastnn_kernels.reference.average_pool import *
from fastnn_kernels.reference.batch import *
from fastnn_kernels.reference.bfloat16_update import *
from fastnn_kernels.reference.bias import *
from fastnn_kernels.reference.col2im import *
from fastnn_kernels.reference.columns import *
from fastnn_kernels.reference.conv import *
from fastnn_kernels.reference.draws import *
from fastnn_kernels.reference.dropout import *
from fastnn_kernels.reference.embedding import *
from fastnn_kernels.reference.few_channels import *
from fastnn_kernels.reference.join import *
from fastnn_kernels.reference.listed import *
from fastnn_kernels.reference.listed_update import *
from fastnn_kernels.reference.losses import *
from fastnn_kernels.reference.matmul import *
from fastnn_kernels.reference.metrics import *
from fastnn_kernels.reference.narrow import *
from fastnn_kernels.reference.narrow_losses import *
from fastnn_kernels.reference.narrow_many import *
from fastnn_kernels.reference.narrow_sgd import *
from fastnn_kernels.reference.narrow_sgd_two import *
from fastnn_kernels.reference.narrow_softmax import *
from fastnn_kernels.reference.norm import *
from fastnn_kernels.reference.outer_product import *
from fastnn_kernels.reference.penalty import *
from fastnn_kernels.reference.pool import *
from fastnn_kernels.reference.recurrent import *
from fastnn_kernels.reference.sampled import *
from fastnn_kernels.reference.softmax import *
from fastnn_kernels.reference.sparse import *
from fastnn_kernels.reference.sparse_conv import *
from fastnn_kernels.reference.time_steps import *
from fastnn_kernels.reference.update import *

__all__ = [name for name, one in list(globals().items()) if isinstance(one, _Function)]
