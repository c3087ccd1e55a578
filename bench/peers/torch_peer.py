"""Training steps in PyTorch, eager and compiled.

Images are kept in PyTorch's channels-last format, which is fastnn's own order in memory, and optimizers are the
fused ones: both are what its documentation recommends for speed on a CPU. (Channels first took 1.05 times as long
for mnist-cnn.) What is compiled is gathering, forward and backward; the fused optimizer is one kernel already.
"""

import functools

import numba
import numpy as np
import torch
from torch import nn

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.systems import System

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
            return nn.Conv2d(shape[2], layer.filters, layer.kernel_size, padding=layer.kernel_size // 2)
        case fn.BatchNorm():
            return nn.BatchNorm2d(shape[2], layer.eps, 1 - layer.momentum)
        case fn.MaxPool2D():
            return nn.MaxPool2d(layer.pool_size)
        case fn.Flatten():
            return FlattenImages() if len(shape) == 3 else nn.Flatten()
    raise Absent(f"no module here for {layer}")


@torch.no_grad()
def fill(target: nn.Module, name: str, array: np.ndarray) -> None:
    """Copy one parameter: w is (inputs, outputs) or (KH, KW, C, filters) there, outputs first here."""
    if name == "w" and not isinstance(target, nn.Embedding):
        array = array.T if array.ndim == 2 else array.transpose(3, 2, 0, 1)
    parameter = target.bias if name in ("b", "beta") else target.weight
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def network(model: fn.Sequential) -> nn.Sequential:
    """The same network with the same parameters."""
    stack = []
    for layer, name, shape in zip(model.layers, model.network.names, model.network.shapes, strict=False):
        stack.append(module(layer, shape))
        for full, array in model.parameters.items():
            owner, _, short = full.rpartition(".")
            if owner == name:
                fill(stack[-1], short, array)
        if activation := ACTIVATIONS[getattr(layer, "activation", "identity")]:
            stack.append(activation())
    return nn.Sequential(*stack).to(memory_format=torch.channels_last)


def make_optimizer(system: System, parameters) -> torch.optim.Optimizer:
    ours = system.optimizer
    if isinstance(ours, fn.Adam):
        betas = (ours.beta1, ours.beta2)
        return torch.optim.Adam(parameters, lr=ours.lr, betas=betas, eps=ours.eps, fused=True)
    return torch.optim.SGD(parameters, lr=ours.lr, momentum=ours.momentum, fused=True)


def loss_function(system: System, net: nn.Sequential):
    """(x, y) -> the loss of a batch, penalty included, as fastnn defines it."""
    weights = [m.weight for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)]

    def data_loss(scores, y):
        if isinstance(system.loss, fn.MSE):
            return system.loss.scale * nn.functional.mse_loss(scores, y, reduction=system.loss.reduction)
        return nn.functional.cross_entropy(scores, y, reduction=system.loss.reduction)

    def loss(x, y):
        total = data_loss(net(x), y)
        return total + 0.5 * system.l2 * sum(w.square().sum() for w in weights) if system.l2 else total

    return loss


def tensors(system: System) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets: ids and labels as int64, images as (N, C, H, W) in channels-last memory."""
    x, y = (torch.from_numpy(array.astype(np.int64) if array.dtype.kind == "i" else array) for array in system.data())
    return x.permute(0, 3, 1, 2) if len(system.input_shape) == 3 else x, y


@functools.cache
def why_not_compiled() -> str | None:
    """What keeps torch.compile from working here, often the lack of a C++ compiler; None if it works."""
    try:
        torch.compile(lambda a: a + 1)(torch.zeros(1))
    except Exception as error:  # whatever the compiler or its absence raises
        return f"torch.compile fails here, {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
    return None


def runner(form: str, system: System, model: fn.Sequential, shuffle: bool) -> Run:
    """run(steps) -> losses, one tensor each; `form` is "eager" or "compiled"."""
    if form == "compiled" and (reason := why_not_compiled()):
        raise Absent(reason)
    torch.set_num_threads(numba.get_num_threads())
    net = network(model)
    optimizer, loss_of = make_optimizer(system, net.parameters()), loss_function(system, net)
    x, y = tensors(system)
    order = Order(system, shuffle)

    def batch_loss(rows):
        return loss_of(x, y) if system.whole else loss_of(x[rows], y[rows])

    if form == "compiled":
        torch.compiler.reset()  # what is compiled again too often it leaves eager, without a word
        batch_loss = torch.compile(batch_loss)

    def step(rows):
        loss = batch_loss(rows)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda steps: [step(rows) for rows in torch.from_numpy(order.take(steps))]
