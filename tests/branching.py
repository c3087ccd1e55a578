"""Random nets that branch: several inputs and outputs, sums, concatenations, shared, tied and frozen layers."""

import numpy as np

import fastnn as fn

SAMPLES, WORDS = 6, 9
SMOOTH = ("tanh", "sigmoid", "gelu", "silu", "softplus")
NORMAL = fn.initializers.Normal(0.4)


class Drawn:
    """Values of a net that is being drawn, all of them (N, features), and the data of its inputs."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.width = int(self.rng.integers(2, 7))
        self.inputs, self.data, self.values, self.shared = {}, {}, [], None

    def net(self, **settings):
        """The model, its inputs' data and its outputs' targets."""
        kinds = list(self.rng.permutation(["words", "table", "numbers"])[: self.rng.integers(1, 4)])
        for kind in kinds:
            getattr(self, f"add_{kind}")()
        for _ in range(self.rng.integers(2, 8)):
            self.values.append(self.branch())
        outputs, losses, targets = self.outputs("words" in kinds)
        weights = {name: float(self.rng.choice([1.0, 0.3])) for name in outputs if self.rng.random() < 0.5}
        net = fn.Model(self.inputs, outputs, loss=losses, loss_weights=weights, dtype="float64", **settings)
        return net, self.data, targets

    def add_words(self):
        self.inputs["words"] = ids = fn.Input((3,))
        table = fn.Embedding(WORDS, self.width, initializer=NORMAL, name="vectors")
        self.values.append(fn.Sum()(table(ids)) if self.rng.random() < 0.5 else self.dense(fn.Flatten()(table(ids))))
        self.data["words"] = self.rng.integers(0, WORDS, (SAMPLES, 3))
        if self.rng.random() < 0.3:  # the same table once more, for other words
            self.inputs["more words"] = more = fn.Input((2,))
            self.values.append(fn.Sum()(table(more)))
            self.data["more words"] = self.rng.integers(0, WORDS, (SAMPLES, 2))

    def add_table(self):
        self.inputs["table"] = table = fn.Input((5,))
        columns = fn.Columns([0, 3], {1: 4, 4: 2}, width=2, standardise=False, initializer=NORMAL)
        self.values.append(self.dense(columns(table)))
        numbers = self.rng.normal(size=(SAMPLES, 5))
        numbers[:, 1], numbers[:, 4] = self.rng.integers(0, 4, SAMPLES), self.rng.integers(0, 2, SAMPLES)
        self.data["table"] = numbers

    def add_numbers(self):
        self.inputs["numbers"] = x = fn.Input((3,))
        self.values += [self.dense(x), self.dense(x)]
        self.data["numbers"] = self.rng.normal(size=(SAMPLES, 3))

    def chosen(self):
        return self.values[self.rng.integers(len(self.values))]

    def dense(self, value, units=None, **settings):
        activation = str(self.rng.choice(SMOOTH))
        return fn.Dense(units or self.width, activation, initializer=NORMAL, bias_initializer=NORMAL, **settings)(value)

    def branch(self):
        """One more value of the common width."""
        kind = self.rng.choice(["dense", "residual", "concatenate", "shared", "norm", "frozen", "three"])
        value = self.chosen()
        if kind == "residual":
            return fn.Add()(value, self.dense(value))
        if kind == "concatenate":
            return self.dense(fn.Concatenate()(value, self.chosen()))
        if kind == "shared":
            self.shared = self.shared or fn.Dense(self.width, "tanh", initializer=NORMAL, name="shared")
            return self.shared(value)
        if kind == "norm":
            norm = fn.LayerNorm(eps=0.1)  # with less, two features bend too sharply for central differences
            return fn.Activation("tanh")(norm(value))
        if kind == "three":
            return fn.Add()(value, self.chosen(), self.chosen())
        return self.dense(value, freeze=kind == "frozen")

    def outputs(self, words):
        """Values by name, and their losses and targets: all that was drawn is in one of them."""
        last = self.values[0]
        for value in self.values[1:]:
            last = fn.Add()(last, value)
        found = {"label": fn.Dense(3, initializer=NORMAL, bias_initializer=NORMAL)(last)}
        losses = {"label": "softmax_cross_entropy"}
        targets = {"label": self.rng.integers(0, 3, SAMPLES)}
        if words and self.rng.random() < 0.7:
            found["word"] = fn.Dense(WORDS, tied_to="vectors", bias_initializer=NORMAL)(self.chosen())
            losses["word"] = "softmax_cross_entropy"
            targets["word"] = self.rng.integers(0, WORDS, SAMPLES)
        if self.rng.random() < 0.5:
            found["number"] = fn.Dense(2, initializer=NORMAL)(self.chosen())
            losses["number"] = "mse"
            targets["number"] = self.rng.normal(size=(SAMPLES, 2))
        return found, losses, targets


def drawn(seed, **settings):
    """A random model of float64, data by input and targets by output."""
    return Drawn(seed).net(seed=seed, **settings)
