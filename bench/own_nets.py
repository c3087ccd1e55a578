"""Nets as users build them, a step beside one of PyTorch: `python -m bench.own_nets [WORD ...]`, some minutes.

Words choose the nets whose names hold one of them. PyTorch trains the module that `fn.interop.to_torch_module` makes,
from the same parameters, in the fastest of its eager forms: a fused optimizer or one over several tensors, images with
channels last or first; each in a process of its own. Before the clock starts the losses of the first steps are compared
in float64, without dropout, of which each library draws its own. `--threads 1`: both on one thread.
"""

import click
import numpy as np

import fastnn as fn
from bench.interleave import compare
from bench.nets import COMPARED, NETS, Net
from bench.peers import Form, Peer
from bench.peers.fastest import fastest
from bench.peers.process import Remote, own_process
from bench.systems import fastnn_runner
from fastnn.engine.threads import usable_threads


def peer(threads: int) -> Peer:
    """PyTorch on so many threads."""
    traits = {"several tensors": {"not fused"}, "fused": set(), "fused, channels first": {"channels first"}}
    forms = (Form(name, frozenset(own), {"NUMBA_NUM_THREADS": str(threads)}) for name, own in traits.items())
    return Peer("PyTorch", "torch", "bench.peers.torch_module", tuple(forms))


def check(one: Net, theirs: Peer) -> None:
    """SystemExit unless PyTorch's losses of the first steps are fastnn's."""
    same, form = COMPARED[one.id], theirs.forms[0]
    _, run = fastnn_runner(same, shuffle=False)
    with own_process(form.environment) as process:
        got = Remote(process, theirs, form, same).losses(same.checked)
    want = run(same.checked)
    if not np.allclose(got, want, rtol=same.rtol):
        raise SystemExit(f"{one.id}: losses {got} are not fastnn's {want}")


def beside(one: Net, theirs: Peer) -> str:
    """The row of a net: PyTorch's fastest form and both times."""
    _, ours = fastnn_runner(one)
    with fastest(theirs, one, check=lambda losses: None) as found:
        result = compare(ours, found.remote, one.checked)
    low, high = result.spread
    times = f"{result.theirs * 1e6:9,.0f} µs  fastnn {result.ours * 1e6:8,.1f} µs"
    return f"{one.id:52}  {found.remote.form.name:21} {times}  {result.ratio:6.2f} ({low:.2f} to {high:.2f})"


@click.command(help=__doc__)
@click.argument("words", nargs=-1)
@click.option("--threads", type=int, help="Of both; all that may be used.")
def main(words: tuple[str, ...], threads: int | None) -> None:
    theirs = peer(threads or usable_threads())
    with fn.threads(threads or usable_threads()):
        for one in (one for one in NETS if not words or any(word in one.id for word in words)):
            check(one, theirs)
            print(beside(one, theirs), flush=True)


if __name__ == "__main__":
    main()
