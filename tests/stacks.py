"""Random stacks of layers, of every kind, for tests of what holds for any net."""

import fastnn as fn

ACTIVATIONS = ("identity", *fn.kernels.ACTIVATIONS)


def random_stack(draw):
    """Layers that end in a few scores, and the shape of a sample that they take."""
    start = (words, images, numbers, sequences, columns)[draw.integers(5)]
    layers, shape = start(draw)
    for _ in range(draw.integers(0, 4)):
        bound = 1.0 if draw.random() < 0.3 else None
        layers.append(fn.Dense(int(draw.integers(2, 80)), activation(draw), max_norm=bound))
        layers += extras(draw, fn.LayerNorm())
    return [*layers, fn.Dense(int(draw.integers(2, 9)), use_bias=bool(draw.integers(2)))], shape


def activation(draw):
    return str(draw.choice(ACTIVATIONS))


def extras(draw, norm):
    """Normalisation, dropout, both or neither."""
    return [layer for layer in (norm, fn.BatchNorm(), fn.Dropout(rate=0.2)) if draw.random() < 0.3]


def words(draw):
    count, width, l2 = int(draw.integers(1, 5)), int(draw.integers(1, 20)), float(draw.choice([0.0, 0.1]))
    if draw.random() < 0.2:
        return recurrent(draw, fn.Embedding(30, width, l2=l2)), (count,)
    return [fn.Embedding(30, width, l2=l2), fn.Sum() if draw.random() < 0.4 else fn.Flatten()], (count,)


def numbers(draw):
    return extras(draw, fn.LayerNorm()), (int(draw.integers(1, 60)),)


def images(draw):
    shape = tuple(int(n) for n in (*draw.integers(6, 13, 2), draw.integers(1, 4)))
    layers = []
    for _ in range(draw.integers(1, 3)):
        stride, padding = int(draw.integers(1, 3)), str(draw.choice(["same", "valid"]))
        layers.append(fn.Conv2D(int(draw.integers(1, 20)), 2, activation(draw), stride=stride, padding=padding))
        layers += extras(draw, fn.BatchNorm())
    if draw.random() < 0.5:
        layers.append((fn.MaxPool2D, fn.AveragePool2D)[draw.integers(2)](2, padding="same"))
    return [*layers, fn.Flatten() if draw.random() < 0.6 else fn.GlobalAveragePool()], shape


def sequences(draw):
    length, channels = (int(n) for n in draw.integers(4, 20, 2))
    if draw.random() < 0.3:
        return recurrent(draw, fn.Dropout(rate=0.2)), (length, channels)
    filters, stride, padding = int(draw.integers(1, 20)), int(draw.integers(1, 3)), ("same", "causal")[draw.integers(2)]
    layers = [fn.Conv1D(filters, 3, activation(draw), stride=stride, padding=padding)]
    if draw.random() < 0.4:
        layers.append((fn.MaxPool1D, fn.AveragePool1D)[draw.integers(2)](2, padding="same"))
    layers += [fn.Dense(int(draw.integers(1, 40)), activation(draw)), *extras(draw, fn.LayerNorm())]
    return [*layers, fn.Reshape((-1,)) if draw.random() < 0.6 else fn.GlobalAveragePool()], (length, channels)


def recurrent(draw, first):
    """From sequences to vectors: by the last state, or by those of all steps."""
    units, kind = int(draw.integers(1, 40)), (fn.GRU, fn.LSTM)[draw.integers(2)]
    if draw.random() < 0.5:
        return [first, kind(units)]
    return [first, kind(units, return_sequences=True), fn.Flatten() if draw.random() < 0.5 else kind(3)]


def columns(draw):
    numbers, counts = int(draw.integers(0, 5)), draw.integers(1, 30, draw.integers(1, 4))
    categories = {numbers + 1 + i: int(count) for i, count in enumerate(counts)}
    return [fn.Columns(range(numbers), categories, int(draw.integers(1, 20)))], (numbers + 1 + len(counts),)
