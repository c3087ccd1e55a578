"""Training steps of any model in PyTorch: of the module that `fn.interop.to_torch_module` makes, eager."""

from collections.abc import Callable

import numba
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import fastnn as fn
from bench.peers import Absent, Run
from bench.peers.order import Order
from bench.peers.torch_peer import make_optimizer
from bench.system import System
from fastnn.nn.losses import Loss
from fastnn.nn.optimizers import Optimizer


def runner(traits: frozenset[str], system: System, model: fn.Model, shuffle: bool) -> Run:
    """run(steps) -> losses, one tensor each, of `model`'s step. `traits` among "not fused" and "channels first"."""
    is_fused, has_images = "not fused" not in traits, len(system.input_shape) == 3
    if is_fused and isinstance(system.optimizer, fn.RMSProp):
        raise Absent("PyTorch's RMSprop is not fused")
    if "channels first" in traits and not has_images:
        raise Absent("there are no images")
    torch.set_num_threads(numba.get_num_threads())
    module, (x, y) = fn.interop.to_torch_module(model).train(), tensors(model, *system.data())
    if has_images and "channels first" not in traits:
        module, x = module.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = optimizer_of(system.optimizer, module, is_fused)
    loss_of, bound = loss_function(model.network.loss), system.optimizer.clip_norm
    order = Order(system, shuffle)

    def step(rows: torch.Tensor) -> torch.Tensor:
        batch = (x, y) if system.whole else (x[rows], y[rows])
        loss = loss_of(module(batch[0]), batch[1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if bound is not None:
            nn.utils.clip_grad_norm_(module.parameters(), bound)
        optimizer.step()
        return loss.detach()

    return lambda steps: [step(rows) for rows in torch.from_numpy(order.take(steps)).long()]


def tensors(model: fn.Model, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets as the module takes them: ids and labels as int64, channels first."""
    first = model.network.calls[0].layer
    given = (torch.from_numpy(one) for one in (x, y))
    inputs, targets = (one if one.is_floating_point() else one.long() for one in given)
    if x.ndim == 4 or isinstance(first, fn.Conv1D):
        inputs = inputs.movedim(-1, 1).contiguous()
    return inputs, targets


def loss_function(ours: Loss) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The loss of a batch, as fastnn defines it."""
    if isinstance(ours, fn.SoftmaxCrossEntropy):
        return nn.CrossEntropyLoss(label_smoothing=ours.label_smoothing)
    if isinstance(ours, fn.Huber):
        return nn.HuberLoss(delta=ours.delta)
    return functional.mse_loss if isinstance(ours, fn.MSE) else functional.binary_cross_entropy_with_logits


def optimizer_of(ours: Optimizer, module: nn.Module, is_fused: bool) -> torch.optim.Optimizer:
    """The same optimizer."""
    how = {"fused": True} if is_fused else {"foreach": True}
    if type(ours) is fn.AdamW:
        decay, betas = ours.weight_decay, (ours.beta1, ours.beta2)
        return torch.optim.AdamW(module.parameters(), lr=ours.lr, betas=betas, eps=ours.eps, weight_decay=decay, **how)
    if type(ours) is fn.RMSProp:
        return torch.optim.RMSprop(module.parameters(), lr=ours.lr, alpha=ours.decay, eps=ours.eps, foreach=True)
    return make_optimizer(ours, module.parameters(), is_fused)
