"""The language model of a large vocabulary in PyTorch: sampled or full softmax, by autograd or written out by hand.

By hand is the fastest form that was found: no graph, gradients used where they arise (`index_add_`, `addmm_`). Each
form computes all draws, or distinct classes once, with how often each was drawn in its score: the same mathematics.
"""

import math
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numba
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import fastnn as fn
from bench.peers.order import Order
from bench.system import System

Draw = Callable[[], torch.Tensor]  # the classes of a step, (S,) int64


class Net:
    """The parameters of a model: embedding, hidden layer with tanh, output rows and biases."""

    def __init__(self, model: fn.Sequential, system: System):
        torch.set_num_threads(numba.get_num_threads())
        copies = {name: torch.from_numpy(np.array(array)) for name, array in model.parameters.items()}
        self.embedding, self.hidden, self.hidden_b, self.w, self.b = copies.values()
        self.lr = float(system.optimizer.lr)  # type: ignore[arg-type]
        output: Any = system.layers[-1]
        self.samples, q = getattr(output, "samples", 0), model.buffers.get("sampled_softmax.q")
        self.log_q = None if q is None else torch.from_numpy(np.log(self.samples * np.array(q)))
        self.x, self.y = (torch.from_numpy(array).long() for array in system.data())
        self.system = system

    def draw(self) -> torch.Tensor:
        """Log-uniform classes, by the inverse of their distribution."""
        return torch.rand(self.samples).mul_(math.log(len(self.w) + 1)).exp_().long().sub_(1).clamp_(0, len(self.w) - 1)

    def counted(self, drawn: torch.Tensor, distinct: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """The drawn classes, each once if they are to be distinct, and what is subtracted from the score of each."""
        assert self.log_q is not None
        if not distinct:
            return drawn, self.log_q.index_select(0, drawn)
        classes, times = torch.unique(drawn, sorted=False, return_counts=True)
        return classes, self.log_q.index_select(0, classes).sub_(times.log())

    def runner(self, step: Callable[..., torch.Tensor], draw: Draw | None = None, shuffle: bool = True):
        """run(steps) -> losses; `draw` gives the classes instead of the net's own."""
        order = Order(self.system, shuffle)

        def run(steps: int) -> list[torch.Tensor]:
            losses = []
            for rows in torch.from_numpy(order.take(steps)).long():
                losses.append(step(self.x[rows], self.y[rows], (draw or self.draw)() if self.samples else None))
            return losses

        return run


def sampled_scores(h, w_rows, targets, shifts, hits):
    """(B, S + 1) scores of the drawn classes, −∞ where one is the target, and then of the target."""
    scores = torch.addmm(shifts, h, w_rows.t()).masked_fill_(hits, -math.inf)
    return torch.cat([scores, targets[:, None]], 1)


def by_autograd(net: Net, distinct: bool = False) -> Callable[..., torch.Tensor]:
    """A step with sparse gradients of both tables, or of the embedding alone and a full softmax."""
    sampled = net.samples > 0
    embedding = nn.Embedding.from_pretrained(net.embedding, freeze=False, sparse=True)
    hidden = nn.Linear(*net.hidden.shape)
    hidden.weight.data, hidden.bias.data = net.hidden.t().contiguous(), net.hidden_b
    if sampled:
        w = nn.Embedding.from_pretrained(net.w, freeze=False, sparse=True)
        b = nn.Embedding.from_pretrained(net.b[:, None], freeze=False, sparse=True)
        output: Any = nn.ModuleList([w, b])
    else:
        output = nn.Linear(*net.w.shape)
        output.weight.data, output.bias.data = net.w.t().contiguous(), net.b
    tables = [*embedding.parameters(), *(output.parameters() if sampled else ())]
    dense = [*hidden.parameters(), *(() if sampled else output.parameters())]
    optimizers = [torch.optim.SGD(tables, lr=net.lr), torch.optim.SGD(dense, lr=net.lr, fused=True)]

    def scores_of(h, y, drawn):
        if not sampled:
            return output(h), y
        classes, expected = net.counted(drawn, distinct)
        ids, S = torch.cat([classes, y]), len(classes)
        rows, biases = w(ids), b(ids).squeeze(1)
        targets = (h * rows[S:]).sum(1) + biases[S:]
        shifts = biases[:S] - expected
        return sampled_scores(h, rows[:S], targets, shifts, classes == y[:, None]), torch.full_like(y, S)

    def step(x, y, drawn):
        for optimizer in optimizers:
            optimizer.zero_grad()
        h = torch.tanh(hidden(embedding(x).flatten(1)))
        loss = cross_entropy(*scores_of(h, y, drawn))
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss.detach()

    return step


def by_hand(net: Net, distinct: bool = False) -> Callable[..., torch.Tensor]:
    """A step of which every derivative is written out, and used in place."""
    if net.samples:
        return torch.no_grad()(lambda x, y, drawn: _step(net, x, y, *_sampled(net, *net.counted(drawn, distinct))))
    return torch.no_grad()(lambda x, y, drawn: _step(net, x, y, *_full(net)))


def _step(net: Net, x, y, scores_of, gradients_of):
    B = len(x)
    e = net.embedding.index_select(0, x.view(-1)).view(B, -1)
    h = torch.addmm(net.hidden_b, e, net.hidden).tanh_()
    scores, column = scores_of(h, y)
    log_p = torch.log_softmax(scores, 1)
    rows = torch.arange(B)
    loss = -log_p[rows, column].mean()
    d = log_p.exp_()
    d[rows, column] -= 1
    d.mul_(1 / B)
    dh = gradients_of(h, y, d)
    dh.mul_(1 - h * h)
    de = dh @ net.hidden.t()
    net.hidden.addmm_(e.t(), dh, alpha=-net.lr)
    net.hidden_b.sub_(dh.sum(0), alpha=net.lr)
    net.embedding.index_add_(0, x.view(-1), de.view(-1, net.embedding.shape[1]), alpha=-net.lr)
    return loss


def _sampled(net: Net, classes, expected):
    S, kept = len(classes), {}

    def scores_of(h, y):
        ids = torch.cat([classes, y])
        rows, biases = net.w.index_select(0, ids), net.b.index_select(0, ids)
        kept.update(ids=ids, rows=rows)
        targets = (h * rows[S:]).sum(1).add_(biases[S:])
        shifts = biases[:S] - expected
        return sampled_scores(h, rows[:S], targets, shifts, classes == y[:, None]), torch.full_like(y, S)

    def gradients_of(h, y, d):
        ids, rows = kept["ids"], kept["rows"]
        own, target = d[:, :S], d[:, S:]
        dh = torch.addcmul(own @ rows[:S], target, rows[S:])
        net.w.index_add_(0, ids, torch.cat([own.t() @ h, target * h]), alpha=-net.lr)
        net.b.index_add_(0, ids, torch.cat([own.sum(0), target[:, 0]]), alpha=-net.lr)
        return dh

    return scores_of, gradients_of


def _full(net: Net):
    def scores_of(h, y):
        return torch.addmm(net.b, h, net.w), y

    def gradients_of(h, y, d):
        dh = d @ net.w.t()
        net.w.addmm_(h.t(), d, alpha=-net.lr)
        net.b.sub_(d.sum(0), alpha=net.lr)
        return dh

    return scores_of, gradients_of


def given(draws: list[np.ndarray]) -> Draw:
    """Draws that were made elsewhere, one after the other."""
    left: Iterator[np.ndarray] = cycle(draws)
    return lambda: torch.from_numpy(next(left).astype(np.int64))
