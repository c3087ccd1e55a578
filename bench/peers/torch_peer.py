"""Training steps in PyTorch, eager or compiled, images with channels last or first.

Channels last is fastnn's own order in memory, and what PyTorch's documentation recommends on a CPU, as it does fused
optimizers. One that is not fused takes several tensors an operation (`foreach`), no slower for some small networks.
Gathering, forward and backward are compiled; the fused optimizer is one kernel already.
"""

import functools
from collections.abc import Iterator

import numba
import numpy as np
import torch
from torch import nn

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.system import System
from fastnn.nn.losses import Loss
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import Schedule

ACTIVATIONS = {"identity": None, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class FlattenImages(nn.Module):
    """(N, C, H, W) to (N, H·W·C), without a copy for channels-last images."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def module(layer, shape: tuple[int, ...]) -> nn.Module:
    """The module that does what a fastnn layer does to samples of `shape`."""
    match layer:
        case fn.Embedding():
            return nn.Embedding(layer.rows, layer.width)
        case fn.Dense():
            return nn.Linear(shape[0], layer.units)
        case fn.Conv2D():
            return nn.Conv2d(shape[2], layer.filters, layer.kernel_size, padding=_padding(layer))
        case fn.BatchNorm():
            return nn.BatchNorm2d(shape[2], layer.eps, 1 - layer.momentum)
        case fn.MaxPool2D():
            return nn.MaxPool2d(layer.pool_size)
        case fn.Flatten():
            return FlattenImages() if len(shape) == 3 and shape[2] > 1 else nn.Flatten()
        case fn.Dropout():
            return nn.Dropout(1 - layer.kept)
    raise Absent(f"no module here for {layer}")


def _padding(layer: fn.Conv2D) -> int:
    return layer.kernel_size // 2 if layer.padding == "same" else 0


def laid_out(array: np.ndarray, owner: nn.Module) -> torch.Tensor:
    """A layer's array in PyTorch's order: w is (inputs, outputs) or (KH, KW, C, filters) there, outputs first here."""
    if not isinstance(owner, nn.Embedding) and array.ndim > 1:
        array = array.T if array.ndim == 2 else array.transpose(3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))


def by_name(net: nn.Sequential, model: fn.Sequential) -> Iterator[tuple[str, nn.Module, nn.Parameter]]:
    """Each parameter of `model`: its name in fastnn, and its module and tensor in PyTorch."""
    for full in model.parameters:
        layer, _, short = full.rpartition(".")
        owner = net.get_submodule(layer)
        yield full, owner, owner.bias if short in ("b", "beta") else owner.weight


def network(model: fn.Sequential) -> nn.Sequential:
    """The same network with the same parameters; modules have the names of the layers."""
    net = nn.Sequential()
    for layer, name, shape in zip(model.layers, model.network.names, model.network.shapes, strict=False):
        net.add_module(name, module(layer, shape))
        if activation := ACTIVATIONS[getattr(layer, "activation", "identity")]:
            net.add_module(f"{name}_activation", activation())
    net.to(dtype=getattr(torch, model.dtype.name), memory_format=torch.channels_last)
    with torch.no_grad():
        for full, owner, parameter in by_name(net, model):
            parameter.copy_(laid_out(model.parameters[full], owner))
    return net


def make_optimizer(ours: Optimizer, parameters, fused: bool = True) -> torch.optim.Optimizer:
    """The same optimizer, at the rate that a schedule starts from; `parameters` may be groups with weight decay."""
    how = {"fused": True} if fused else {"foreach": True}
    lr = ours.lr.lr if isinstance(ours.lr, Schedule) else ours.lr
    if type(ours) is fn.Adam:
        return torch.optim.Adam(parameters, lr=lr, betas=(ours.beta1, ours.beta2), eps=ours.eps, **how)
    if type(ours) is fn.SGD:
        return torch.optim.SGD(parameters, lr=lr, momentum=ours.momentum, nesterov=ours.nesterov, **how)
    raise Absent(f"no optimizer here for {ours}")


def data_loss(ours: Loss, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss of a batch without penalties, as fastnn defines it."""
    if isinstance(ours, fn.MSE):
        return ours.scale * nn.functional.mse_loss(scores, y, reduction=ours.reduction)
    return nn.functional.cross_entropy(scores, y, reduction=ours.reduction)


def loss_function(system: System, net: nn.Sequential):
    """(x, y) -> the loss of a batch, penalty included, as fastnn defines it."""
    weights = [m.weight for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)]

    def loss(x, y):
        total = data_loss(system.loss, net(x), y)
        return total + 0.5 * system.l2 * sum(w.square().sum() for w in weights) if system.l2 else total

    return loss


def tensors(model: fn.Sequential, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets for `model`: ids and labels as int64, images as (N, C, H, W) in channels-last memory."""
    numbers = getattr(torch, model.dtype.name)
    inputs = torch.from_numpy(x).to(torch.int64 if model.network.is_ids("input") else numbers)
    labels = model.network.loss.takes_labels
    targets = torch.from_numpy(y).to(torch.int64) if labels else torch.from_numpy(y).to(numbers).reshape(len(y), -1)
    return inputs.permute(0, 3, 1, 2) if len(model.network.input_shape) == 3 else inputs, targets


@functools.cache
def why_not_compiled() -> str | None:
    """Why torch.compile does not work here, often for lack of a C++ compiler; None if it works."""
    try:
        torch.compile(lambda a: a + 1)(torch.zeros(1))
    except Exception as error:  # whatever the compiler or its absence raises
        return f"torch.compile fails here, {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
    return None


def runner(traits: frozenset[str], system: System, model: fn.Sequential, shuffle: bool) -> Run:
    """run(steps) -> losses, one tensor each.

    `traits` among "compiled", "called from C++", "channels first", "not fused" and "one thread".
    """
    if "compiled" in traits and (reason := why_not_compiled()):
        raise Absent(reason)
    torch.set_num_threads(1 if "one thread" in traits else numba.get_num_threads())
    net, (x, y) = network(model), tensors(model, *system.data())
    if "channels first" in traits:
        net, x = channels_first(net, x)
    optimizer = make_optimizer(system.optimizer, net.parameters(), fused="not fused" not in traits)
    loss_of = loss_function(system, net)
    order = Order(system, shuffle)

    def batch_loss(rows):
        return loss_of(x, y) if system.whole else loss_of(x[rows], y[rows])

    if "compiled" in traits:
        # Its kernels are called one after the other from Python, or from C++.
        batch_loss = torch.compile(batch_loss, options={"cpp_wrapper": "called from C++" in traits})

    def step(rows):
        loss = batch_loss(rows)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda steps: [step(rows) for rows in torch.from_numpy(order.take(steps))]


def channels_first(net: nn.Sequential, images: torch.Tensor) -> tuple[nn.Sequential, torch.Tensor]:
    """Both in PyTorch's own order in memory."""
    if images.dim() != 4:
        raise Absent("there are no channels")
    return net.to(memory_format=torch.contiguous_format), images.contiguous()
