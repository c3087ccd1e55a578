"""Training steps agree with another framework's."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import tiny_model, trigrams

torch = pytest.importorskip("torch")
STEPS, BATCH = 10, 8


def torch_training(start, x, y, summed, momentum, nesterov):
    """Ten steps from the same parameters: the losses and the parameters after them."""
    p = {name: torch.tensor(np.array(value), requires_grad=True) for name, value in start.items()}
    losses = []
    opt = torch.optim.SGD(p.values(), lr=0.15, momentum=momentum, nesterov=nesterov)
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        vectors = p["embedding.w"][torch.tensor(x[batch])]
        hidden = torch.sigmoid((vectors.sum(1) if summed else vectors.flatten(1)) @ p["dense.w"] + p["dense.b"])
        scores = hidden @ p["dense_1.w"] + p["dense_1.b"]
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y[batch]))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses, {name: value.detach().numpy() for name, value in p.items()}


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.85, False), (0.85, True)])
def test_ten_steps(summed, momentum, nesterov):
    x, y = trigrams(STEPS * BATCH)
    model = tiny_model(dtype="float64", summed=summed)
    losses, want = torch_training(model.parameters.copy(), x, y, summed, momentum, nesterov)
    opt = fn.SGD(0.15, momentum=momentum, nesterov=nesterov)
    model.fit(x, y, optimizer=opt, batch_size=BATCH, shuffle=False, verbose=False)
    np.testing.assert_allclose(model.history.steps["loss"], losses, rtol=0, atol=1e-10)
    for name, value in model.parameters.items():
        np.testing.assert_allclose(value, want[name], rtol=0, atol=1e-10, err_msg=name)
