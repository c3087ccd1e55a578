"""A recipe's training in eager PyTorch, as a practised user writes it for small data: tensors in memory, no DataLoader.

The network and the optimizer are translated by `torch_peer`; an L2 penalty becomes weight decay, which is its gradient.
Each epoch has a new permutation, each step gathers its batch; a step that takes all samples gathers nothing. The same
figures come out: the loss of every step (fastnn's has the penalty in it), accuracy, loss and accuracy of all splits
before the first step, after each epoch of those that the recipe evaluates then, at the end of those that this leaves,
and the best weights if the recipe keeps them. Images have channels last or first.
"""

import itertools
import math
import time
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import torch
from torch import nn

import fastnn as fn
from bench.peers import Absent
from bench.peers.torch_peer import by_name, channels_first, data_loss, laid_out, make_optimizer, network, tensors
from bench.training import Outcome, Stage, Training
from fastnn.data import Dataset
from fastnn.experiment.recipe import Recipe, first_held_out
from fastnn.experiment.train_one import fewer_samples, stopping_of
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import CosineDecay, ExponentialDecay, Schedule
from fastnn.training.callbacks import EarlyStopping

EVALUATION_BATCH = 1_000

Pair = tuple[torch.Tensor, torch.Tensor]  # inputs, targets


def torch_training(training: Training, stage: Stage, traits: frozenset[str] = frozenset()) -> Outcome:
    """From loaded arrays to the figures of the trained model, starting from the weights that fastnn starts from.

    `traits` may have "channels first" and "one thread".
    """
    recipe, settings, data = training.task(stage)
    start = recipe.build(settings, data)
    torch.set_num_threads(1 if "one thread" in traits else numba.get_num_threads())
    begin = time.perf_counter()
    steps, metrics = train(recipe, settings, data, *start, traits)
    return Outcome(time.perf_counter() - begin, steps, metrics, len(data.train), data.meta["source"])


def train(
    recipe: Recipe,
    settings: Any,
    data: Dataset,
    model: fn.Sequential,
    optimizer: Optimizer,
    traits: frozenset[str] = frozenset(),
) -> tuple[int, dict[str, float]]:
    """How many steps were made, and loss and accuracy on each split after them."""
    net = network(model)
    measured = first_held_out(fewer_samples(data, recipe.measured_on(data)), recipe.judged)
    splits = {name: _tensors(net, model, split.x, split.y, traits) for name, split in measured.splits().items()}
    arguments = recipe.fit_arguments(settings, data.train)
    of_a_split = arguments["x"] is measured.train.x
    pair = splits["train"] if of_a_split else _tensors(net, model, arguments["x"], arguments["y"], traits)
    trainer, best = Trainer(model, optimizer, net), Best(stopping_of(recipe, settings))
    if not recipe.measured:
        _figures(trainer, splits)
    for epoch in range(1, settings.epochs + 1):
        size, passes = arguments["batch_size"] or len(pair[0]), arguments.get("steps_per_epoch", 1)
        logs = trainer.epoch(pair, size, arguments.get("shuffle", True), passes)
        logs |= _figures(trainer, {name: splits[name] for name in evaluated_after(recipe, epoch) & splits.keys()})
        best.look(logs, trainer.net)
    best.restore(trainer.net)
    left = {name: pair for name, pair in splits.items() if f"{name}_loss" not in best.logs}
    known = {name: value for name, value in best.logs.items() if name.partition("_")[0] in splits}
    return trainer.steps, known | _figures(trainer, left)


def evaluated_after(recipe: Recipe, epoch: int) -> set[str]:
    """The splits whose figures a recipe's training has after an epoch."""
    names = {"val", *recipe.after_epoch}
    return names - {"train"} if epoch > recipe.train_until > 0 else names


def _tensors(net: nn.Sequential, model: fn.Sequential, x: Any, y: Any, traits: frozenset[str]) -> Pair:
    inputs, targets = tensors(model, x, y)
    return (channels_first(net, inputs)[1] if "channels first" in traits else inputs), targets


def _figures(trainer: "Trainer", splits: dict[str, Pair]) -> dict[str, float]:
    return {
        f"{split}_{name}": value for split, pair in splits.items() for name, value in trainer.evaluate(*pair).items()
    }


def batches(x: torch.Tensor, y: torch.Tensor, size: int, shuffle: bool) -> Iterator[Pair]:
    """The batches of one epoch, the last one maybe shorter."""
    if not shuffle or size >= len(x):
        yield from zip(x.split(size), y.split(size), strict=True)
        return
    for rows in torch.randperm(len(x)).split(size):
        yield x.index_select(0, rows), y.index_select(0, rows)


class Trainer:
    """A network with its optimizer and schedule, translated; `steps` counts the steps it has made."""

    def __init__(self, model: fn.Sequential, ours: Optimizer, net: nn.Sequential):
        self.net, self.loss, self.steps = net, model.network.loss, 0
        self.penalties = _penalties(self.net, model)
        self.optimizer = make_optimizer(ours, _groups(self.net, self.penalties))
        _start_velocities(self.optimizer, ours, self.net, model)
        gamma = _decay(ours)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma) if gamma else None
        self.by_step = ours.lr if isinstance(ours.lr, CosineDecay) else None

    def epoch(self, pair: Pair, size: int, shuffle: bool, passes: int = 1) -> dict[str, float]:
        """Train one epoch of `passes` passes over the data; its loss, without penalties, and accuracy."""
        self.net.train()
        # Figures are written into one tensor: 60,000 small tensors would fragment the heap, memory of freed gradients
        # would not be reused, and the process would grow beyond 20 GB.
        losses, right = torch.empty(2, -(-len(pair[0]) // size) * passes)
        rates = self.by_step(np.arange(self.steps, self.steps + len(losses)), 0).tolist() if self.by_step else None
        for step, (x, y) in enumerate(itertools.chain(*(batches(*pair, size, shuffle) for _ in range(passes)))):
            scores = self.net(x)
            loss = data_loss(self.loss, scores, y)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if rates:
                self._set_rate(rates[step])
            self.optimizer.step()
            losses[step], right[step] = loss.detach(), _right(scores, y)
        self.steps += len(losses)
        if self.schedule:
            self.schedule.step()
        samples = len(pair[0]) * passes
        sizes = torch.full((len(losses),), float(size))
        sizes[-1] = samples - size * (len(losses) - 1)  # the last batch; with several passes all batches are equal
        total = (losses * (sizes if self.loss.reduction == "mean" else 1)).sum()
        return {"loss": total.item() / samples, "accuracy": right.sum().item() / samples}

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    @torch.inference_mode()
    def evaluate(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """Mean loss, penalties included as fastnn includes them, and accuracy."""
        self.net.eval()
        mean = self.loss.reduction == "mean"
        total, right = 0.0, 0
        for batch, targets in batches(x, y, EVALUATION_BATCH, shuffle=False):
            scores = self.net(batch)
            total += data_loss(self.loss, scores, targets).item() * (len(batch) if mean else 1)
            right += _right(scores, targets).item()
        penalty = sum(0.5 * l2 * w.square().sum().item() for w, l2 in self.penalties)
        return {"loss": total / len(x) + penalty / (1 if mean else len(x)), "accuracy": right / len(x)}


def _right(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """How many are right: the largest score at the label; for a single output, its sign."""
    return ((scores > 0) == (y > 0)).sum() if scores.shape[1] == 1 else (scores.argmax(1) == y).sum()


def _penalties(net: nn.Sequential, model: fn.Sequential) -> list[tuple[nn.Parameter, float]]:
    """The weights that have an L2 penalty, and how large it is."""
    known = model.network.penalties()
    if model.network.max_norms() or any(l1 for l1, _ in known.values()):
        raise Absent("an L1 penalty, or a bound on norms, is not translated")
    return [(parameter, known[name][1]) for name, _, parameter in by_name(net, model) if name in known]


def _groups(net: nn.Sequential, penalties: list[tuple[nn.Parameter, float]]) -> list[dict[str, Any]]:
    """The parameters by their weight decay."""
    of = {id(parameter): l2 for parameter, l2 in penalties}
    found: dict[float, list[nn.Parameter]] = {}
    for parameter in net.parameters():
        found.setdefault(of.get(id(parameter), 0.0), []).append(parameter)
    return [{"params": parameters, "weight_decay": l2} for l2, parameters in found.items()]


def _start_velocities(theirs: torch.optim.Optimizer, ours: Optimizer, net: nn.Sequential, model: fn.Sequential) -> None:
    """Initial velocities, if they are not 0: fastnn's velocity is PyTorch's times −lr."""
    for name, owner, parameter in by_name(net, model):
        if velocity := ours.state.get(name):
            buffer = -laid_out(velocity["velocity"], owner) / ours.lr
            theirs.state[parameter]["momentum_buffer"] = buffer.clone(memory_format=torch.preserve_format)


def _decay(ours: Optimizer) -> float | None:
    """The factor of the learning rate after each epoch, if it changes by epoch."""
    if not isinstance(ours.lr, Schedule):
        return None
    if getattr(ours, "momentum", 0.0):
        raise Absent(f"{ours.lr} is not translated with momentum: velocities would hold other rates")
    if isinstance(ours.lr, ExponentialDecay) and ours.lr.per == "epoch":
        return ours.lr.decay
    if isinstance(ours.lr, CosineDecay):
        return None
    raise Absent(f"{ours.lr} is not translated")


class Best:
    """The weights of the best epoch, where fastnn would keep them, and the figures of the epoch that is kept."""

    def __init__(self, stopping: EarlyStopping | None):
        self.monitor = stopping.monitor if stopping else ""
        self.score, self.state, self.logs = math.inf, None, {}

    def look(self, logs: dict[str, float], net: nn.Sequential) -> None:
        if not self.monitor:
            self.logs = logs
            return
        score = -logs[self.monitor] if self.monitor.endswith("accuracy") else logs[self.monitor]
        if score < self.score:
            self.score, self.logs = score, logs
            self.state = {name: value.clone() for name, value in net.state_dict().items()}

    def restore(self, net: nn.Sequential) -> None:
        if self.state is not None:
            net.load_state_dict(self.state)
