"""Models to PyTorch's state dicts and back."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.engine.parameters import NamedArrays
from fastnn.interop.packages import checked_model, package
from fastnn.interop.torch_arrays import Entry, batch_norms, entries, tied_keys
from fastnn.models import Model


def to_torch(model: Model, *, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The arrays of a model as a PyTorch state dict: copies, in PyTorch's names, shapes and order.

    | fastnn                        | PyTorch                                                      |
    |-------------------------------|--------------------------------------------------------------|
    | Dense w (in, out)             | Linear weight (out, in)                                      |
    | Conv1D w (K, C, filters)      | Conv1d weight (filters, C, K)                                |
    | Conv2D w (KH, KW, C, filters) | Conv2d weight (filters, C, KH, KW)                           |
    | Embedding w (rows, width)     | Embedding weight, the same                                   |
    | GRU, LSTM w, u (…, gates)     | weight_ih_l0, weight_hh_l0 (gates, …), in the same order     |
    | GRU, LSTM b, c                | bias_ih_l0, bias_hh_l0                                       |
    | b                             | bias                                                         |
    | BatchNorm gamma, beta         | weight, bias                                                 |
    | BatchNorm mean, var           | running_mean, running_var; num_batches_tracked is 0          |
    | LayerNorm gamma, beta         | weight, bias                                                 |
    | Columns w, mean, std          | weight, mean, std: PyTorch has no such layer                 |

    PyTorch has channels first: (N, C, H, W), (N, C, L). A Flatten of those lines the numbers up in another order than
    fastnn's, and the weight of the Dense that follows has its columns in that order. A tied Dense has its bias alone.

    Args:
        model: The model, which stays as it is.
        names: By layer, what comes before the dot of its keys, where that is not the layer's name.

    Returns:
        Tensors by key.

    Raises:
        ValueError: For a layer of your own that has arrays, a SampledSoftmax or an AdaptiveSoftmax.
        MissingPackageError: Without PyTorch.

    Examples:
        >>> model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
        >>> {key: tuple(tensor.shape) for key, tensor in fn.interop.to_torch(model).items()}
        {'dense.weight': (8, 4), 'dense.bias': (8,), 'dense_1.weight': (3, 8), 'dense_1.bias': (3,)}
    """
    torch = package("torch", "to_torch")
    checked_model(model, "to_torch")
    names = names or {}
    arrays = {entry.key: entry.there(_block_of(model, entry)[entry.name]) for entry in entries(model.network, names)}
    state = {key: torch.from_numpy(array) for key, array in arrays.items()}
    return state | {key: torch.tensor(0) for key in batch_norms(model.network, names)}


def from_torch(state_dict: Mapping[str, Any], model: Model, *, names: Mapping[str, str] | None = None) -> Model:
    """Load a PyTorch state dict into a model, which is returned. Its arrays must be those that `to_torch` would make.

    All is checked before anything is loaded.

    Args:
        state_dict: Tensors or arrays by key.
        model: The model that gets them.
        names: By layer, what comes before the dot of its keys, where that is not the layer's name.

    Returns:
        The model.

    Raises:
        ValueError: For a key that is missing or belongs to nothing.
        ShapeError: For another shape.
        DataError: For NaN or infinity.
        TypeError: For a value that is neither a tensor nor an array.

    Examples:
        >>> import torch
        >>> module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
        >>> model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
        >>> fn.interop.from_torch(module.state_dict(), model, names={"dense": "0", "dense_1": "2"})
        <Sequential of 2 layers, 67 parameters>
    """
    checked_model(model, "from_torch")
    if not isinstance(state_dict, Mapping):
        hint = ": give its state_dict()" if hasattr(state_dict, "state_dict") else ""
        raise TypeError(f"state_dict is {type(state_dict).__name__}, expected a dict of tensors by key{hint}")
    names = names or {}
    known, tied = entries(model.network, names), tied_keys(model.network, names)
    _check_keys(state_dict, known, {*tied, *batch_norms(model.network, names)})
    found = {entry.name: _loaded(state_dict[entry.key], entry, model.dtype) for entry in known}
    for key, name in tied.items():
        if key in state_dict and not np.array_equal(_numbers(state_dict[key], key), found[name]):
            raise ValueError(f"{key} differs from {name}, to which the model ties it; expected equal weights")
    for entry in known:
        _block_of(model, entry).assign(entry.name, found[entry.name])
    return model


def to_torch_module(model: Model) -> Any:
    """The model as a `torch.nn.Module` in evaluation mode, with copies of its arrays; its keys are those of `to_torch`.

    It takes the inputs in order, or a dict of them by name: pictures (N, C, H, W), sequences over which a window slides
    (N, C, L). It gives scores, a dict of them by name if there are several outputs; its `predict` gives what the
    model's `predict` gives. The model's preprocessing is not in it. Parameters of frozen layers require no gradient.

    Args:
        model: The model, which stays as it is.

    Raises:
        ValueError: For a layer of your own, a SampledSoftmax, an AdaptiveSoftmax; for a loss of your own that makes
            predictions in a way of its own.
        MissingPackageError: Without PyTorch.

    Examples:
        >>> import torch
        >>> model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
        >>> module = fn.interop.to_torch_module(model)
        >>> module.predict(torch.ones(2, 4)).shape
        torch.Size([2, 3])
    """
    torch = package("torch", "to_torch_module")
    checked_model(model, "to_torch_module")
    net = import_module("fastnn.interop.torch_net").Net(model.network).to(getattr(torch, model.dtype.name))
    net.load_state_dict(to_torch(model))
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(not model.network.owners[name.partition(".")[0]].freeze)
    return net.eval()


def _block_of(model: Model, entry: Entry) -> NamedArrays:
    return model.buffers if entry.is_buffer else model.parameters


def _check_keys(state_dict: Mapping[str, Any], known: list[Entry], beside: set[str]) -> None:
    """ValueError for a key that is missing, or that belongs to nothing."""
    for entry in known:
        if entry.key not in state_dict:
            raise ValueError(
                f"the state dict has no {entry.key!r}, expected {entry.shape} for {entry.name}; "
                f"{near(entry.key, map(str, state_dict))}; other names are told by names={{layer: name}}"
            )
    keys = {entry.key for entry in known} | beside
    if unknown := [key for key in state_dict if key not in keys]:
        raise ValueError(f"the state dict holds {unknown[0]!r}, which belongs to no layer of the model")


def _loaded(given: Any, entry: Entry, dtype: np.dtype) -> np.ndarray:
    """The array of an entry in fastnn's shape and order."""
    array = _numbers(given, entry.key)
    if array.shape != entry.shape:
        raise ShapeError(f"{entry.key} has shape {array.shape}, expected {entry.shape} for {entry.name}")
    return entry.back(validation.finite(array, entry.key, dtype))


def _numbers(given: Any, key: str) -> np.ndarray:
    """A tensor, wherever it is, or an array as an array of numbers."""
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        if given.is_floating_point() and given.element_size() < 4:
            given = given.float()  # NumPy has no bfloat16
        given = given.numpy()
    return validation.as_array(given, key)
