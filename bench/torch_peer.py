"""The trigram net in PyTorch, eager: what a practised user would write, with the batch gathered in the step."""

import numpy as np
import torch
from torch import nn


class Trigram(nn.Module):
    """Embedding, concatenation, sigmoid layer, scores."""

    def __init__(self, words: int, width: int, hidden: int):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.dense = nn.Linear(3 * width, hidden)
        self.dense_1 = nn.Linear(hidden, words)

    def forward(self, x):
        return self.dense_1(torch.sigmoid(self.dense(self.embedding(x).flatten(1))))


class Trainer:
    """Steps through the samples in their order, batch by batch, as `fastnn`'s plan does without shuffling."""

    def __init__(
        self, model: Trigram, parameters: dict, x: np.ndarray, y: np.ndarray, batch: int, lr: float, mu: float
    ):
        with torch.no_grad():
            for name, array in parameters.items():
                _target(model, name).copy_(
                    torch.from_numpy(array.T.copy() if name.startswith("dense") else array.copy())
                )
        self.model, self.batch, self.position = model, batch, 0
        self.x, self.y = torch.from_numpy(x.astype(np.int64)), torch.from_numpy(y.astype(np.int64))
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=mu)
        self.order = torch.arange(len(x))

    def run(self, steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            chosen = self.order[self.position : self.position + self.batch]
            self.position = (self.position + self.batch) % (len(self.order) // self.batch * self.batch)
            loss = nn.functional.cross_entropy(self.model(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return [float(loss) for loss in losses]


def _target(model: Trigram, name: str) -> torch.Tensor:
    layer, _, short = name.partition(".")
    return getattr(getattr(model, layer), "bias" if short == "b" else "weight")
