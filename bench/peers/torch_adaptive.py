"""The language model with PyTorch's own adaptive softmax, `nn.AdaptiveLogSoftmaxWithLoss`, by autograd."""

import numba
import numpy as np
import torch
from torch import nn

import fastnn as fn
from bench.peers.order import Order
from bench.system import System


class Net(nn.Module):
    """The layers of a model, with the model's numbers; a table whose gradients are sparse."""

    def __init__(self, model: fn.Sequential, system: System):
        super().__init__()
        torch.set_num_threads(numba.get_num_threads())
        p = {name: torch.from_numpy(np.array(array)) for name, array in model.parameters.items()}
        own = {name.rpartition(".")[2]: array for name, array in p.items() if name.startswith("adaptive_softmax.")}
        layer = model.layers[-1]
        self.embedding = nn.Embedding.from_pretrained(p["embedding.w"], freeze=False, sparse=True)
        self.hidden = nn.Linear(*p["dense.w"].shape)
        self.hidden.weight.data, self.hidden.bias.data = p["dense.w"].t().contiguous(), p["dense.b"]
        arguments = len(p["dense.b"]), layer.units, list(layer.cutoffs)
        self.output = nn.AdaptiveLogSoftmaxWithLoss(*arguments, div_value=layer.div_value)
        self.output.head.weight.data = own["w"].t().contiguous()
        for i, tail in enumerate(self.output.tail, 1):
            tail[0].weight.data, tail[1].weight.data = own[f"p{i}"].t().contiguous(), own[f"w{i}"]
        self.x, self.y = (torch.from_numpy(array).long() for array in system.data())
        self.system = system

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.output(torch.tanh(self.hidden(self.embedding(x).flatten(1))), y).loss

    def runner(self, shuffle: bool = True):
        """run(steps) -> losses."""
        order, lr = Order(self.system, shuffle), float(self.system.optimizer.lr)  # type: ignore[arg-type]
        table = list(self.embedding.parameters())
        dense = [one for one in self.parameters() if one is not table[0]]
        optimizers = [torch.optim.SGD(table, lr=lr), torch.optim.SGD(dense, lr=lr, fused=True)]

        def run(steps: int) -> list[torch.Tensor]:
            losses = []
            for rows in torch.from_numpy(order.take(steps)).long():
                for optimizer in optimizers:
                    optimizer.zero_grad()
                loss = self(self.x[rows], self.y[rows])
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                losses.append(loss.detach())
            return losses

        return run
