"""Sixty random nets, drawn from all layers, losses, optimizers and penalties, step by step beside PyTorch, float64."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from tests.tiny import jit_only

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional

STEPS, SAMPLES, WORDS = 10, 6, 9
CLOSE, ROUNDING = 1e-5, 1e-10
START = {"initializer": Normal(0.4), "bias_initializer": Normal(0.4)}
ACTIVATIONS = {
    "identity": nn.Identity, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU,
}  # fmt: skip


class Channels(nn.Module):
    """Wraps a module that wants images (N, C, H, W)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.movedim(-1, 1)).movedim(1, -1)


def norm(features, images):
    ours = fn.BatchNorm(momentum=0.9, eps=1e-3)
    return ours, (nn.BatchNorm2d if images else nn.BatchNorm1d)(features, eps=1e-3, momentum=0.1)


def image_layers(rng, shape):
    """Pairs (ours, theirs) that take images (H, W, C) to a vector; and its length."""
    pairs, (H, W, C) = [], shape
    for _ in range(rng.integers(1, 3)):
        filters, size, name = int(rng.integers(1, 5)), int(rng.choice([1, 3])), str(rng.choice(list(ACTIVATIONS)))
        conv = nn.Conv2d(C, filters, size, padding=size // 2)
        pairs.append((fn.Conv2D(filters, size, name, **START), nn.Sequential(Channels(conv), ACTIVATIONS[name]())))
        C = filters
        if rng.random() < 0.5:
            ours, theirs = norm(C, True)
            pairs.append((ours, Channels(theirs)))
        if rng.random() < 0.5 and min(H, W) >= 2:
            ours, theirs = [(fn.MaxPool2D, nn.MaxPool2d), (fn.AveragePool2D, nn.AvgPool2d)][rng.integers(2)]
            pairs.append((ours(2), Channels(theirs(2))))
            H, W = H // 2, W // 2
    if rng.random() < 0.3:
        units = int(rng.integers(1, 6))
        pairs += [(fn.Dense(units, **START), nn.Linear(C, units)), (fn.GlobalAveragePool(), MeanOfPositions())]
        return pairs, units
    return [*pairs, (fn.Flatten(), nn.Flatten())], H * W * C


class MeanOfPositions(nn.Module):
    def forward(self, x):
        return x.flatten(1, -2).mean(1)


class Recurrent(nn.Module):
    """A GRU or an LSTM, and the last state or that of every step."""

    def __init__(self, kind, inputs, units, each):
        super().__init__()
        self.reads, self.each = kind(inputs, units, batch_first=True), each

    def forward(self, x):
        states, _ = self.reads(x)
        return states if self.each else states[:, -1]


def recurrent(rng, inputs, each):
    """The pair of a GRU or an LSTM; and how many units it has."""
    units, start = int(rng.integers(1, 6)), {"initializer": Normal(0.4), "recurrent_initializer": Normal(0.4)}
    ours, theirs = ((fn.GRU, nn.GRU), (fn.LSTM, nn.LSTM))[rng.integers(2)]
    return (ours(units, return_sequences=each, **start), Recurrent(theirs, inputs, units, each)), units


def step_layers(rng, shape, outputs):
    """Pairs that take sequences (L, C) to scores of each step."""
    pairs, C = [], shape[1]
    for _ in range(rng.integers(1, 3)):
        pair, C = recurrent(rng, C, True)
        pairs.append(pair)
    return [*pairs, (fn.Dense(outputs, **START), nn.Linear(C, outputs))]


def step_loss(rng, outputs, steps):
    """Labels of each step, some of which are none."""
    labels, smoothing = rng.integers(-1, outputs, (SAMPLES, steps)), float(rng.choice([0.0, 0.1]))
    labels[0, 0] = 0
    asked = torch.tensor(labels) >= 0
    y = torch.tensor(labels)[asked]
    return (
        fn.SoftmaxCrossEntropy(label_smoothing=smoothing),
        labels,
        lambda s: functional.cross_entropy(s[asked], y, label_smoothing=smoothing),
    )


def sequence_layers(rng, shape):
    """Pairs that take sequences (L, C) to a vector; and its length."""
    pairs, (L, C) = [], shape
    for _ in range(rng.integers(1, 3)):
        filters, size, name = int(rng.integers(1, 5)), int(rng.choice([1, 3])), str(rng.choice(list(ACTIVATIONS)))
        conv = nn.Conv1d(C, filters, size, padding=size // 2)
        pairs.append((fn.Conv1D(filters, size, name, **START), nn.Sequential(Channels(conv), ACTIVATIONS[name]())))
        C, units = filters, int(rng.integers(1, 5))
        if rng.random() < 0.5:
            pairs.append((fn.Dense(units, **START), nn.Linear(C, units)))
            C = units
    if (chance := rng.random()) < 0.3:
        return [*pairs, (fn.GlobalAveragePool(), MeanOfPositions())], C
    if chance < 0.7:
        pair, units = recurrent(rng, C, False)
        return [*pairs, pair], units
    return [*pairs, (fn.Reshape((-1,)), nn.Flatten())], L * C


class EmbeddedColumns(nn.Module):
    """Numbers of a table beside the vectors of its categories, which are rows of one table of weights."""

    def __init__(self, numbers, categories, width):
        super().__init__()
        self.numbers, self.columns = numbers, list(categories)
        self.begins = torch.tensor(np.cumsum([0, *categories.values()])[:-1])
        self.vectors = nn.Embedding(sum(categories.values()), width)

    def forward(self, x):
        vectors = self.vectors(x[:, self.columns].long() + self.begins)
        return torch.cat([x[:, self.numbers], vectors.flatten(1)], 1)


def table_layers(rng):
    """The pair that takes rows of five numbers, of which some are ids, to a vector; its length; ids of each column."""
    order, width = rng.permutation(5).tolist(), int(rng.integers(1, 6))
    numbers, categories = order[: rng.integers(0, 3)], {column: int(rng.integers(1, 7)) for column in order[3:]}
    ours = fn.Columns(numbers, categories, width, standardise=False, initializer=Normal(0.4))
    return [(ours, EmbeddedColumns(numbers, categories, width))], len(numbers) + 2 * width, categories


def vector_layers(rng, width, outputs):
    pairs = []
    for _ in range(rng.integers(1, 4)):
        units, name = int(rng.integers(2, 12)), str(rng.choice(list(ACTIVATIONS)))
        pairs.append((fn.Dense(units, **START), nn.Linear(width, units)))
        if (chance := rng.random()) < 0.3:
            pairs.append(norm(units, False))
        elif chance < 0.6:
            pairs.append((fn.LayerNorm(), nn.LayerNorm(units)))
        pairs.append((fn.Activation(name), ACTIVATIONS[name]()))
        width = units
    return [*pairs, (fn.Dense(outputs, **START), nn.Linear(width, outputs))]


class SumOfWords(nn.Module):
    def forward(self, x):
        return x.sum(1)


def word_layers(rng):
    """Pairs that take three word ids to a vector; and its length."""
    width, summed = int(rng.integers(1, 6)), rng.random() < 0.5
    embedding = fn.Embedding(WORDS, width, initializer=Normal(0.4)), nn.Embedding(WORDS, width)
    combine = (fn.Sum(), SumOfWords()) if summed else (fn.Flatten(), nn.Flatten())
    return [embedding, combine], width if summed else 3 * width


def loss_pair(rng, outputs):
    labels, values = rng.integers(0, outputs, SAMPLES), rng.random((SAMPLES, outputs))
    y, t = torch.tensor(labels), torch.tensor(values)
    smoothing = float(rng.choice([0.0, 0.1]))
    return [
        (fn.SoftmaxCrossEntropy(label_smoothing=smoothing), labels,
         lambda s: functional.cross_entropy(s, y, label_smoothing=smoothing)),
        (fn.BinaryCrossEntropy(), values, lambda s: functional.binary_cross_entropy_with_logits(s, t)),
        (fn.MSE(), values, lambda s: functional.mse_loss(s, t)),
        (fn.MAE(), values, lambda s: functional.l1_loss(s, t)),
        (fn.Huber(delta=0.4), values, lambda s: functional.huber_loss(s, t, delta=0.4)),
    ][rng.integers(5)]  # fmt: skip


def optimizer_pair(rng, parameters):
    return [
        (fn.SGD(0.05), torch.optim.SGD(parameters, 0.05)),
        (fn.SGD(0.02, momentum=0.8), torch.optim.SGD(parameters, 0.02, momentum=0.8)),
        (fn.SGD(0.02, momentum=0.8, nesterov=True), torch.optim.SGD(parameters, 0.02, momentum=0.8, nesterov=True)),
        (fn.RMSProp(0.003), torch.optim.RMSprop(parameters, 0.003)),
        (fn.AdaGrad(0.02), torch.optim.Adagrad(parameters, 0.02, eps=1e-8)),
        (
            fn.AdaGrad(0.02, initial_accumulator_value=0.1),
            torch.optim.Adagrad(parameters, 0.02, eps=1e-8, initial_accumulator_value=0.1),
        ),
        (fn.Adam(0.01), torch.optim.Adam(parameters, 0.01)),
        (fn.AdamW(0.01, weight_decay=0.1), torch.optim.AdamW(parameters, 0.01, weight_decay=0.1)),
    ][rng.integers(7)]


STARTS = ("images", "words", "sequences", "table", "numbers", "steps")


def build(seed):
    rng = np.random.default_rng(seed)
    outputs, start = int(rng.integers(2, 5)), STARTS[seed % len(STARTS)]
    shape, pairs = tuple(int(n) for n in (rng.integers(3, 7), rng.integers(3, 7), rng.integers(1, 4))), []
    x = rng.normal(size=(SAMPLES, *shape[:1]))
    if start == "images":
        pairs, width = image_layers(rng, shape)
        x = rng.normal(size=(SAMPLES, *shape))
    elif start == "words":
        pairs, width = word_layers(rng)
        x = rng.integers(0, WORDS, (SAMPLES, 3))
    elif start == "sequences":
        pairs, width = sequence_layers(rng, shape[1:])
        x = rng.normal(size=(SAMPLES, *shape[1:]))
    elif start == "steps":
        pairs, x = step_layers(rng, shape[1:], outputs), rng.normal(size=(SAMPLES, *shape[1:]))
    elif start == "table":
        pairs, width, categories = table_layers(rng)
        x = rng.normal(size=(SAMPLES, 5))
        for column, count in categories.items():
            x[:, column] = rng.integers(0, count, SAMPLES)
    else:
        width = shape[0]
    if start != "steps":
        pairs += vector_layers(rng, width, outputs)
    ours_loss, y, theirs_loss = step_loss(rng, outputs, shape[1]) if start == "steps" else loss_pair(rng, outputs)
    l1, l2 = (float(rng.choice([0.0, 0.01])) for _ in range(2))
    ours = fn.Sequential([a for a, _ in pairs], input_shape=x.shape[1:], loss=ours_loss, dtype="float64", l1=l1, l2=l2)
    theirs = nn.Sequential(*(b for _, b in pairs)).double()
    return rng, ours, theirs, x, y, theirs_loss, l1, l2


def in_their_form(name, array):
    if name.endswith((".w", ".u")) and not name.startswith(("embedding", "columns")):
        return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T  # (k, C, filters) to (filters, C, k)
    return array


def penalty(theirs, l1, l2):
    weights = [m.weight for m in theirs.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Conv1d | nn.Embedding)]
    for m in theirs.modules():
        weights += [m.weight_ih_l0, m.weight_hh_l0] if isinstance(m, nn.RNNBase) else []
    return sum(l1 * w.abs().sum() + 0.5 * l2 * (w**2).sum() for w in weights)


@jit_only
@pytest.mark.parametrize("seed", range(60))
def test_forward_backward_and_ten_steps(seed):
    rng, ours, theirs, x, y, theirs_loss, l1, l2 = build(seed)
    tensors = dict(zip(ours.parameters, theirs.parameters(), strict=True))
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.tensor(np.ascontiguousarray(in_their_form(name, ours.parameters[name]))))
    mine, other = optimizer_pair(rng, list(theirs.parameters()))
    inputs = torch.tensor(x)
    idle = set()  # a bias before a normalisation: its gradient is rounding, which adaptive optimizers make large
    for _ in range(STEPS):
        loss = theirs_loss(theirs(inputs)) + penalty(theirs, l1, l2)
        other.zero_grad()
        loss.backward()
        got, gradients = ours.loss_and_gradients(x, y)
        np.testing.assert_allclose(got, loss.item(), rtol=CLOSE)
        wanted = {name: tensor.grad.numpy() for name, tensor in tensors.items()}
        largest = max(abs(want).max() for want in wanted.values())
        idle |= {name for name, want in wanted.items() if abs(want).max() <= ROUNDING * max(largest, 1e-6)}
        assert_close(gradients, wanted, idle, 1e-6 * largest)
        other.step()
        ours.fit(x, y, optimizer=mine, batch_size=None, shuffle=False, verbose=False)
    assert len(idle) < len(tensors)
    assert_close(ours.parameters, {name: tensor.detach().numpy() for name, tensor in tensors.items()}, idle, 1e-6)


def assert_close(got, wanted, but, atol):
    for name, want in wanted.items():
        if name not in but:
            np.testing.assert_allclose(in_their_form(name, got[name]), want, rtol=CLOSE, atol=atol, err_msg=name)
