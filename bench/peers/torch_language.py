"""Language models in PyTorch: a hidden layer with a residual block, the same with a gate, and a recurrent layer (GRU).

All have what fastnn's network of a text has: a table of word vectors, a softmax over a sample of the words, dropout,
biases that start at the words' shares, and Adam that moves only rows that occur. So they differ in what lies between
the two tables, and, for the recurrent layer, in how the words come.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, dropout, embedding, silu

from bench.peers.torch_sampled import sampled_scores
from bench.word_batches import NO_TARGET, Streams, Windows
from fastnn.language.network import DROPOUT, INPUT_DROPOUT, SAMPLES, VECTORS, log_shares
from fastnn.nn.schedules import Schedule

BETAS, EPS = (0.9, 0.999), 1e-8  # of Adam
ROWS = 2_000  # targets that are evaluated at once


class Rows:
    """A table of which a step takes some rows, and Adam's means of each row: the others stay as they are."""

    def __init__(self, table: torch.Tensor):
        self.table = table
        self.means, self.squares = torch.zeros_like(table), torch.zeros_like(table)

    def take(self, ids: torch.Tensor) -> torch.Tensor:
        """The rows of these ids, each gathered once."""
        self.ids, places = torch.unique(ids, return_inverse=True)
        self.rows = self.table[self.ids].requires_grad_()
        return embedding(places, self.rows)

    def update(self, rate: float, step: int) -> None:
        """A step of Adam on the rows that were taken last."""
        gradient, ids = self.rows.grad, self.ids
        means = self.means[ids].lerp_(gradient, 1 - BETAS[0])
        squares = self.squares[ids].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        self.means[ids], self.squares[ids] = means, squares
        size = (squares / (1 - BETAS[1] ** step)).sqrt_().add_(EPS)
        self.table[ids] = self.rows.detach().addcdiv_(means, size, value=-rate / (1 - BETAS[0] ** step))


class Forward(nn.Module):
    """Word vectors side by side, a hidden layer, a residual block of two layers, whose inner one may have a gate."""

    def __init__(self, context: int, width: int, hidden: int, is_gated: bool):
        super().__init__()
        self.first, self.norm = nn.Linear(context * width, hidden), nn.LayerNorm(hidden)
        self.inner, self.outer = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.gate = nn.Linear(hidden, hidden) if is_gated else None
        self.apply(_glorot)

    def restart(self) -> None:
        """There is no state."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """(N, context, width) to (N, hidden)."""
        h = silu(self.first(vectors.flatten(1)))
        normal = self.norm(h)
        made = silu(self.inner(normal))
        if self.gate is not None:
            made = made * self.gate(normal)
        h = h + self.outer(dropout(made, DROPOUT, self.training))
        return dropout(h, DROPOUT, self.training)


class Recurrent(nn.Module):
    """A GRU; gradients go back to the begin of the piece (truncated backpropagation through time)."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gru = nn.GRU(width, hidden)
        self.restart()

    def restart(self) -> None:
        """Forget the words before."""
        self.state: torch.Tensor | None = None

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """(time, streams, width) to (time · streams, hidden)."""
        h, state = self.gru(vectors, self.state)
        self.state = state.detach()
        return dropout(h.flatten(0, 1), DROPOUT, self.training)


def _glorot(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


class Net:
    """A body between the two tables, and its training on batches."""

    def __init__(self, body: nn.Module, batches: Windows | Streams, words: int, width: int, hidden: int, seed: int):
        torch.manual_seed(seed)
        self.body, self.batches, self.words = body, batches, words
        scores = nn.init.xavier_uniform_(torch.empty(words, hidden))
        biases = torch.from_numpy(log_shares(words)).float()
        self.vectors = Rows(torch.randn(words, width) * VECTORS)
        self.output = Rows(torch.cat([scores, biases[:, None]], 1))
        self.log_drawn = biases + math.log(SAMPLES)  # how often a word is drawn is its share, too
        self.optimizer = torch.optim.Adam(body.parameters(), betas=BETAS, eps=EPS, fused=True)
        self.done, self.rng = 0, np.random.default_rng(seed)

    def step(self, x: torch.Tensor, y: torch.Tensor, rate: float) -> torch.Tensor:
        """One step of Adam; the loss among the sampled words."""
        vectors = dropout(self.vectors.take(x), INPUT_DROPOUT)
        loss = self._loss(self.body(vectors), y.flatten())
        loss.backward()
        self.done += 1
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        for table in (self.vectors, self.output):
            table.update(rate, self.done)
        return loss.detach()

    def _loss(self, h: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        drawn = torch.rand(SAMPLES).mul_(math.log(self.words + 1)).exp_().long().sub_(1).clamp_(0, self.words - 1)
        rows = self.output.take(torch.cat([drawn, y]))
        own, target = rows[:SAMPLES], rows[SAMPLES:]
        targets = (h * target[:, :-1]).sum(1) + target[:, -1]
        shifts = own[:, -1] - self.log_drawn[drawn]
        scores = sampled_scores(h, own[:, :-1], targets, shifts, drawn == y[:, None])
        return cross_entropy(scores, torch.full_like(y, SAMPLES))

    def train(self, schedule: Schedule, epochs: int) -> None:
        """All steps of these epochs."""
        rates = schedule(np.arange(epochs * self.batches.steps), 0)
        for _ in range(epochs):
            self._start()
            for x, y in self.batches.epoch(self.rng):
                self.step(*_tensors(x, y), float(rates[self.done]))

    def runner(self, rate: float) -> Callable[[int], None]:
        """run(steps), from one epoch into the next."""
        left = self._forever()

        def run(steps: int) -> None:
            for _ in range(steps):
                self.step(*_tensors(*next(left)), rate)

        return run

    def _forever(self):
        while True:
            self._start()
            yield from self.batches.epoch(self.rng)

    def _start(self) -> None:
        self.body.train()
        self.body.restart()

    @torch.no_grad()
    def perplexity(self, batches: Windows | Streams) -> float:
        """Over all words, of all targets."""
        self.body.eval()
        self.body.restart()
        total, count, table = 0.0, 0, self.output.table
        for x, y in (_tensors(*batch) for batch in batches.in_order()):
            hidden, targets = self.body(embedding(x, self.vectors.table)), y.flatten()
            for h, own in zip(hidden.split(ROWS), targets.split(ROWS), strict=True):
                scores = torch.addmm(table[:, -1], h, table[:, :-1].t())
                total += float(cross_entropy(scores, own, ignore_index=NO_TARGET, reduction="sum"))
            count += int((targets != NO_TARGET).sum())
        return math.exp(total / count)


def _tensors(x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(x.astype(np.int64)), torch.from_numpy(y.astype(np.int64))
