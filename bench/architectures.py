"""Nets for a text, by perplexity and seconds: `pip install torch`, then `python -m bench.architectures --text FILE`.

fastnn's networks of a text, the recurrent one (GRU) and that of a window, which has a residual block, stand beside
three in PyTorch: the same block, so that libraries and nets are told apart, a block of which the inner layer has a gate
(GLU), and a GRU whose state goes on from step to step, where fastnn's begins with each row of words. All read the same
tokens, with the same ids, in the same splits, and predict every token of a sentence and its end. All draw 512 words
for the softmax of a step, have the same dropout, and Adam whose rate rises in the first twentieth of the steps and
falls along half a cosine.

Seconds are those of the training steps alone: all nets' steps are timed in turns, before they are trained. So a
training may be disturbed. Perplexities are those over all words.
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import click
import numba

import fastnn as fn
from bench.interleave import clock, steps_a_turn
from bench.system import System
from bench.systems import fastnn_runner
from bench.word_batches import Streams, Windows
from fastnn.data import load_text
from fastnn.data.dataset import CompleteDataset
from fastnn.data.spans import in_spans
from fastnn.engine.threads import threads_at_hand
from fastnn.language.network import LENGTH, ROWS_A_STEP, WARMUP, network_of
from fastnn.nn.schedules import CosineDecay
from fastnn.text.vocabulary import START

BATCH, STREAMS, TIME = 250, 32, 32
ROUNDS = 5
KINDS = ("fastnn", "window", "residual", "gated", "recurrent")
OURS = ("fastnn", "window")  # the others are in PyTorch
RATES = {"fastnn": 0.008, "window": 0.002, "residual": 0.002, "gated": 0.004, "recurrent": 0.008}


@dataclass(frozen=True)
class Text:
    """A text as n-grams, and as pairs of words in their order: the same targets."""

    grams: CompleteDataset
    pairs: CompleteDataset

    @classmethod
    def read(cls, path: str, words: int, order: int) -> "Text":
        grams, pairs = (load_text(path, words, n, min_count=1) for n in (order, 2))
        assert grams.meta["words"] == pairs.meta["words"]
        assert len(grams.train) == len(pairs.train)
        return cls(grams, pairs)

    @property
    def words(self) -> int:
        """How many ids there are."""
        return len(self.grams.meta["words"])

    @property
    def start(self) -> int:
        """The id of `<s>`."""
        return self.grams.meta["words"].index(START)

    def batches(self, kind: str, split: str) -> Windows | Streams:
        if kind != "recurrent":
            return Windows(getattr(self.grams, split), BATCH)
        return Streams(getattr(self.pairs, split), self.start, STREAMS, TIME)


class Net(Protocol):
    """A net of one library, untrained.

    batch  targets of a step
    steps  of an epoch
    """

    batch: int
    steps: int

    def runner(self, rate: float) -> Callable[[int], Any]:
        """run(steps) trains for so many steps, from one epoch into the next."""

    def perplexities(self, schedule: CosineDecay, epochs: int) -> tuple[float, ...]:
        """Validation and test perplexity after a whole training."""


@dataclass(frozen=True)
class _Book(System):
    """fastnn's network of a text as a step that is timed."""

    made: Any = None
    split: Any = None

    def model(self):
        return self.made

    def data(self):
        return self.split.x, self.split.y


class FastnnNet:
    """The network of `fn.LanguageModel.from_text`, or that of a window of words."""

    def __init__(self, kind: str, text: Text, width: int, hidden: int, seed: int):
        self.data = text.grams if kind == "window" else in_spans(text.pairs, LENGTH)
        self.samples = BATCH if kind == "window" else ROWS_A_STEP
        self.batch = self.samples if kind == "window" else self.samples * LENGTH
        self.model = network_of(self.data, width, hidden, None, seed)
        self.steps = Windows(self.data.train, self.samples).steps

    def runner(self, rate: float) -> Callable[[int], Any]:
        train = self.data.train.part(0, len(self.data.train) // self.samples * self.samples)
        sizes = {"input_shape": train.x.shape[1:], "batch": self.samples, "samples": len(train), "checked": 0}
        return fastnn_runner(_Book("book", (), optimizer=fn.Adam(rate), **sizes, made=self.model, split=train))[1]

    def perplexities(self, schedule: CosineDecay, epochs: int) -> tuple[float, ...]:
        x, y = self.data.train.x, self.data.train.y
        self.model.fit(x, y, optimizer=fn.Adam(schedule), epochs=epochs, batch_size=self.samples, verbose=False)
        return tuple(math.exp(self.model.evaluate(part.x, part.y)["loss"]) for part in (self.data.val, self.data.test))


class TorchNet:
    """One of the nets in PyTorch."""

    def __init__(self, kind: str, text: Text, width: int, hidden: int, seed: int):
        import torch

        from bench.peers.torch_language import Forward, Net, Recurrent

        torch.set_num_threads(numba.get_num_threads())
        torch.manual_seed(seed)
        context, batches = text.grams.train.x.shape[1], text.batches(kind, "train")
        body = Recurrent(width, hidden) if kind == "recurrent" else Forward(context, width, hidden, kind == "gated")
        self.net = Net(body, batches, text.words, width, hidden, seed)
        self.parts = [text.batches(kind, split) for split in ("val", "test")]
        self.batch, self.steps = batches.batch, batches.steps

    def runner(self, rate: float) -> Callable[[int], Any]:
        return self.net.runner(rate)

    def perplexities(self, schedule: CosineDecay, epochs: int) -> tuple[float, ...]:
        self.net.train(schedule, epochs)
        return tuple(map(self.net.perplexity, self.parts))


def net_of(kind: str, *rest: Any) -> Net:
    """An untrained net."""
    return FastnnNet(kind, *rest) if kind in OURS else TorchNet(kind, *rest)


def seconds_a_step(nets: dict[str, Net], rates: dict[str, float]) -> dict[str, float]:
    """The median of some turns, one net after the other."""
    runs = {kind: net.runner(rates[kind]) for kind, net in nets.items()}
    steps = {kind: steps_a_turn(run, 2) for kind, run in runs.items()}
    found: dict[str, list[float]] = {kind: [] for kind in nets}
    for kind in ROUNDS * [*nets]:
        runs[kind](steps[kind])  # until threads of the other library sleep
        found[kind].append(clock(runs[kind], steps[kind]) / steps[kind])
    return {kind: statistics.median(own) for kind, own in found.items()}


@click.command(help=__doc__)
@click.option("--text", "path", required=True, help="A file, or a folder.")
@click.option("--net", "kinds", multiple=True, type=click.Choice(KINDS), help="All of them.")
@click.option("--words", default=10_000, show_default=True, help="Ids, at most.")
@click.option("--order", default=6, show_default=True, help="Words of a sample, but for the recurrent net.")
@click.option("--sizes", default=(96, 256), show_default=True, type=(int, int), help="Width of vectors, hidden units.")
@click.option("--epochs", default=4, show_default=True)
@click.option("--rate", default=0.0, help="Of all nets; 0: each has the one that was best of those tried.")
@click.option("--threads", default=0, help="0: all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--only", type=click.Choice(["speed", "training"]), help="One half of the comparison.")
def main(path, kinds, words, order, sizes, epochs, rate, threads, seed, only) -> None:
    text = Text.read(path, words, order)
    rates = dict.fromkeys(KINDS, rate) if rate else RATES
    with fn.threads(threads or threads_at_hand()):
        nets = {kind: net_of(kind, text, *sizes, seed) for kind in kinds or KINDS}
        seconds = {} if only == "training" else seconds_a_step(nets, rates)
        for kind, net in nets.items():
            said = _speed(net, seconds[kind], epochs) if seconds else ""
            if only != "speed":
                own = net_of(kind, text, *sizes, seed) if seconds else net
                said += _quality(own, rates[kind], epochs)
            print(f"{kind:9} {sizes[0]}x{sizes[1]}  rate {rates[kind]}  {epochs} epochs{said}", flush=True)


def _speed(net: Net, seconds: float, epochs: int) -> str:
    total = seconds * net.steps * epochs
    return f"  {seconds * 1e3:6.2f} ms a step  {net.batch / seconds:7,.0f} words/s  {total:6.1f} s"


def _quality(net: Net, rate: float, epochs: int) -> str:
    steps = net.steps * epochs
    val, test = net.perplexities(CosineDecay(rate, steps, warmup=steps // WARMUP), epochs)
    return f"  perplexity {val:6.1f} (validation) {test:6.1f} (test)"


if __name__ == "__main__":
    main()
