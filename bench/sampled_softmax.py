"""A step of the language model with a large vocabulary: `python -m bench.sampled_softmax`.

Three words' embeddings of 64 numbers, 256 hidden units with tanh, the next word; 200 samples a step; SGD. Ids are drawn
log-uniformly, as words come. fastnn's sampled softmax stands beside PyTorch's of the same classes' number and
distribution, and beside PyTorch's full softmax, each by autograd and written by hand; the sampled one computes all
draws, or each distinct class once. Losses of the first steps are compared before the clock starts, on the same drawn
classes. `--adaptive`: fastnn's adaptive softmax beside PyTorch's own, of the same cutoffs. `--growth`: fastnn alone,
over vocabularies.
"""

import zlib
from functools import partial

import click
import numpy as np

import fastnn as fn
import fastnn_kernels as k
from bench.interleave import compare, in_turns
from bench.system import CROSS_ENTROPY, System
from bench.systems import fastnn_runner

LAYER = "sampled_softmax"
CHECKED = 20
GROWTH = (1_000, 3_000, 10_000, 30_000, 100_000)


class Words(System):
    """A system whose ids are drawn log-uniformly, inputs and targets."""

    def data(self):
        u = np.random.default_rng(0).random((self.samples, 4))
        ids = (np.exp(u * np.log(self.ids + 1)) - 1).astype(np.int32)
        return np.ascontiguousarray(ids[:, :3]), np.ascontiguousarray(ids[:, 3])


def system(words: int, samples: int, optimizer: fn.SGD) -> System:
    """The network over so many words; samples: those of the softmax, 0: all."""
    return system_of(words, fn.SampledSoftmax(words, samples) if samples else fn.Dense(words), optimizer)


def system_of(words: int, output: fn.layers.Layer, optimizer: fn.SGD) -> System:
    """The network with this output."""
    small = fn.initializers.Normal(0.1)
    layers = (fn.Embedding(words, 64, small, sparse=True), fn.Flatten(), fn.Dense(256, "tanh"), output)
    return Words("words", layers, (3,), optimizer, 200, 20_000, CHECKED, CROSS_ENTROPY, ids=words)


def drawn(model: fn.Sequential, words: int, samples: int, steps: int) -> list[np.ndarray]:
    """The classes that the first steps draw, by the kernels alone."""
    thresholds, (aliases, pending) = np.zeros(words), np.zeros((2, words), np.int32)
    k.alias_table.serial(thresholds, aliases, pending, np.array(model.buffers[f"{LAYER}.q"]))
    found = np.zeros((steps, samples), np.int32)
    for step, ids in enumerate(found):
        where = (np.zeros(4, np.uint64), np.array([200 * step, step, step, 0]), zlib.crc32(LAYER.encode()))
        k.draw_classes.serial(ids, thresholds, aliases, *where)
    return list(found)


def check(one: System, words: int, samples: int, forms) -> None:
    """SystemExit unless all forms give fastnn's losses."""
    from bench.peers import torch_sampled

    model, run = fastnn_runner(one, shuffle=False)
    own_draws = torch_sampled.given(drawn(model, words, samples, CHECKED)) if samples else None
    nets = {name: (form, torch_sampled.Net(model, one)) for name, form in forms.items()}
    want = run(CHECKED)
    for name, (form, net) in nets.items():
        own = torch_sampled.given(drawn(model, words, samples, CHECKED)) if own_draws else None
        got = np.array([float(loss) for loss in net.runner(form(net), own, shuffle=False)(CHECKED)])
        if not np.allclose(got, want, rtol=1e-4):
            raise SystemExit(f"{name}: losses {got} are not fastnn's {want}")


def beside_torch(words: int, samples: int) -> None:
    """Print fastnn's step beside each form of PyTorch's."""
    from bench.peers import torch_sampled

    optimizer = fn.SGD(0.1)
    forms = {"by autograd": torch_sampled.by_autograd, "by hand": torch_sampled.by_hand}
    distinct = {f"{name}, distinct": partial(form, distinct=True) for name, form in forms.items()}
    sampled, full = system(words, samples, optimizer), system(words, 0, optimizer)
    check(sampled, words, samples, forms | distinct)
    model, ours = fastnn_runner(sampled)
    for what, one, own in ((f"sampled, {samples}", sampled, forms | distinct), ("full softmax", full, forms)):
        for name, form in own.items():
            other = model if one is sampled else one.model()
            net = torch_sampled.Net(other, one)
            found = compare(ours, net.runner(form(net)), 3, pairs=7)
            low, high = found.spread
            print(
                f"{words:7,} words  PyTorch {what:13} {name:21} {found.theirs * 1e6:9.0f} µs   "
                f"fastnn {found.ours * 1e6:6.0f} µs   {found.ratio:5.1f} ({low:.1f} to {high:.1f})",
                flush=True,
            )


def adaptive(words: int, cutoffs: list[int] | None) -> None:
    """Print fastnn's adaptive softmax beside PyTorch's own, after their losses were compared."""
    from bench.peers import torch_adaptive

    layer = fn.AdaptiveSoftmax(words, cutoffs)
    one = system_of(words, layer, fn.SGD(0.1))
    model, run = fastnn_runner(one, shuffle=False)
    net = torch_adaptive.Net(model, one)
    want, got = run(CHECKED), np.array([float(loss) for loss in net.runner(shuffle=False)(CHECKED)])
    if not np.allclose(got, want, rtol=1e-4):
        raise SystemExit(f"losses {got} are not fastnn's {want}")
    model, ours = fastnn_runner(one)
    found = compare(ours, torch_adaptive.Net(model, one).runner(), 3, pairs=7)
    low, high = found.spread
    print(
        f"{words:7,} words  PyTorch adaptive {layer.cutoffs}  {found.theirs * 1e6:9.0f} µs   "
        f"fastnn {found.ours * 1e6:6.0f} µs   {found.ratio:5.1f} ({low:.1f} to {high:.1f})",
        flush=True,
    )


def growth(samples: int, momentum: float) -> None:
    """Print the cost of a sample over vocabularies."""
    runs = {f"{words:,}": fastnn_runner(system(words, samples, fn.SGD(0.1, momentum)))[1] for words in GROWTH}
    found = in_turns(runs, 10)
    for words, seconds in found.items():
        print(f"{words:>8} words  {seconds * 1e9 / 200:7.0f} ns a sample  {seconds / found[f'{GROWTH[0]:,}']:5.2f}")


@click.command(help=__doc__)
@click.option("--words", default=10_000, show_default=True)
@click.option("--samples", default=256, show_default=True, help="Classes that a step draws.")
@click.option("--adaptive", "is_adaptive", is_flag=True, help="The adaptive softmax beside PyTorch's own.")
@click.option("--cutoff", "cutoffs", multiple=True, type=int, help="Of the adaptive softmax; the usual ones.")
@click.option("--growth", "alone", is_flag=True, help="fastnn alone, over vocabularies.")
@click.option("--momentum", default=0.0, show_default=True, help="Of SGD, with --growth.")
def main(words: int, samples: int, is_adaptive: bool, cutoffs: tuple[int, ...], alone: bool, momentum: float) -> None:
    if is_adaptive:
        adaptive(words, list(cutoffs) or None)
    else:
        growth(samples, momentum) if alone else beside_torch(words, samples)


if __name__ == "__main__":
    main()
