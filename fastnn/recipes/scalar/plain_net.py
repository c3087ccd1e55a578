"""Backpropagation with nothing hidden: a small net as plain Python loops over lists of floats.

    a = x·W + b     h = 1 / (1 + exp(−a))     z = h·V + c     y = softmax(z)     loss = −Σₖ tₖ·log yₖ

The net uses no arrays, so every sum of the forward and the backward pass can be read, or done on paper.
`points.as_model` makes the same net with fastnn; tests compare the two.
"""

import math
from collections.abc import Sequence

Vector = Sequence[float]
Matrix = Sequence[Vector]

# The initial weights of the report's training on points in the plane; biases are 0.
START_W = ((2.8684894, -7.6767074, 6.6785715), (-1.6898393, -2.0112816, -7.7109503))
START_V = ((-7.2348454, 1.1665972), (1.9808355, -7.8209344), (5.7780672, -8.5619845))


def sigmoid(a: float) -> float:
    """1 / (1 + exp(−a)), written with exp(−|a|), which cannot overflow."""
    e = math.exp(-abs(a))
    return (e if a < 0 else 1.0) / (1.0 + e)


def softmax(z: Vector) -> list[float]:
    """exp(zₖ) / Σ exp(z), after subtracting the largest z, so that no exponent is above 0."""
    largest = max(z)
    e = [math.exp(value - largest) for value in z]
    total = sum(e)
    return [value / total for value in e]


def affine(x: Vector, W: Matrix, b: Vector) -> list[float]:
    """x·W + b: element j is Σᵢ xᵢ·Wᵢⱼ + bⱼ."""
    out = []
    for j in range(len(b)):
        total = 0.0
        for i in range(len(x)):
            total += x[i] * W[i][j]
        out.append(total + b[j])
    return out


def outer(u: Vector, v: Vector) -> list[list[float]]:
    """uᵢ·vⱼ at [i][j]."""
    return [[left * right for right in v] for left in u]


class ScalarNet:
    """Inputs, sigmoid hidden units, softmax outputs; one sample at a time: `forward`, then `backward`, then `step`.

    W : (inputs, hidden), b : (hidden) — into the hidden units
    V : (hidden, outputs), c : (outputs) — into the outputs
    dW, db, dV, dc — the gradient of the last sample's loss by each, after `backward`
    x, a, h, z, y — of the last sample: inputs, sums into the hidden units, their outputs, scores, probabilities
    """

    def __init__(self, W: Matrix = START_W, V: Matrix = START_V):
        """A net with these weights, by default the report's initial ones, and biases 0."""
        self.W = [[float(w) for w in row] for row in W]
        self.b = [0.0] * len(W[0])
        self.V = [[float(v) for v in row] for row in V]
        self.c = [0.0] * len(V[0])
        # Of the last sample: the values of the formulas above, and the gradients.
        self.x: list[float] = []
        self.a, self.h, self.z, self.y = [0.0], [0.0], [0.0], [0.0]
        self.dW, self.db, self.dV, self.dc = [[0.0]], [0.0], [[0.0]], [0.0]

    def forward(self, x: Vector) -> list[float]:
        """The probability of each class for one sample."""
        if len(x) != len(self.W):
            raise ValueError(f"x holds {len(x)} numbers, expected {len(self.W)}")
        self.x = [float(value) for value in x]
        self.a = affine(self.x, self.W, self.b)
        self.h = [sigmoid(a) for a in self.a]
        self.z = affine(self.h, self.V, self.c)
        self.y = softmax(self.z)
        return self.y

    def loss(self, target: Vector) -> float:
        """−Σₖ tₖ·log yₖ of the last sample, as log Σₖ exp(zₖ) − Σₖ tₖ·zₖ: finite even where some yₖ rounds to 0."""
        largest = max(self.z)
        total = sum(math.exp(z - largest) for z in self.z)
        return math.log(total) + sum(t * (largest - z) for t, z in zip(target, self.z, strict=True))

    def backward(self, target: Vector) -> tuple[list[list[float]], list[float], list[list[float]], list[float]]:
        """dW, db, dV, dc for the last sample; `target` is the probability each class should have.

        dz = y − t                          softmax and cross-entropy together
        dV = h ⊗ dz,  dc = dz
        dhⱼ = Σₖ Vⱼₖ·dzₖ                    the loss by the output of each hidden unit
        daⱼ = dhⱼ · hⱼ·(1 − hⱼ)             the slope of the sigmoid
        dW = x ⊗ da,  db = da
        """
        dz = [y - t for y, t in zip(self.y, target, strict=True)]
        self.dV, self.dc = outer(self.h, dz), dz
        da = []
        for j in range(len(self.h)):
            dh = 0.0
            for k in range(len(dz)):
                dh += self.V[j][k] * dz[k]
            da.append(dh * self.h[j] * (1.0 - self.h[j]))
        self.dW, self.db = outer(self.x, da), da
        return self.dW, self.db, self.dV, self.dc

    def step(self, lr: float) -> None:
        """θ −= lr·dθ for every weight and bias θ."""
        for j in range(len(self.b)):
            self.b[j] -= lr * self.db[j]
            for i in range(len(self.W)):
                self.W[i][j] -= lr * self.dW[i][j]
        for k in range(len(self.c)):
            self.c[k] -= lr * self.dc[k]
            for j in range(len(self.V)):
                self.V[j][k] -= lr * self.dV[j][k]


def one_hot(label: int, classes: int) -> list[float]:
    """Probability 1 for the class `label`, 0 for the others."""
    return [1.0 if k == label else 0.0 for k in range(classes)]


def train_epoch(net: ScalarNet, points: Matrix, labels: Sequence[int], lr: float = 0.01) -> list[float]:
    """One pass in the order given, a step after each sample; the loss of each, before its step.

    Lists are faster here than arrays: `train_epoch(net, x.tolist(), y.tolist())`.
    """
    losses = []
    for x, label in zip(points, labels, strict=True):
        target = one_hot(label, len(net.c))
        net.forward(x)
        losses.append(net.loss(target))
        net.backward(target)
        net.step(lr)
    return losses


def evaluate(net: ScalarNet, points: Matrix, labels: Sequence[int]) -> dict[str, float]:
    """Mean loss, and the fraction of points whose label has the highest probability."""
    loss, correct = 0.0, 0
    for x, label in zip(points, labels, strict=True):
        y = net.forward(x)
        loss += net.loss(one_hot(label, len(y)))
        correct += y.index(max(y)) == label
    return {"loss": loss / len(labels), "accuracy": correct / len(labels)}
