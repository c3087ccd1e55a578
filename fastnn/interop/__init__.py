"""Models to other libraries and back: PyTorch, safetensors, ONNX, scikit-learn.

Each package is imported when a function needs it: `pip install "fastnn[torch]"`, `"fastnn[onnx]"`,
`"fastnn[safetensors]"`, `"fastnn[sklearn]"`. `fn.interop` itself is imported when it is first asked for.

Which file to read for what:

- PyTorch: `torch_state` (state dicts), `torch_arrays` (the names and shapes in them), `torch_net` and `torch_layers`
  (modules), `torch_layout` (where channels stand)
- ONNX: `onnx_file`, `onnx_graph` (layers as nodes), `onnx_nodes` (the graph that is being made)
- others: `safetensors_file`, `sklearn_nets`
- what several of them use: `packages` (imported when needed), `windows` (of convolutions and pools)
"""

from fastnn.interop.onnx_file import to_onnx
from fastnn.interop.safetensors_file import load_safetensors, save_safetensors
from fastnn.interop.sklearn_nets import from_sklearn, to_sklearn
from fastnn.interop.torch_state import from_torch, to_torch, to_torch_module

__all__ = [
    "from_sklearn",
    "from_torch",
    "load_safetensors",
    "save_safetensors",
    "to_onnx",
    "to_sklearn",
    "to_torch",
    "to_torch_module",
]
