"""What training a language model of a very long text takes of memory: `python -m bench.text_memory`.

A file of generated ids, their ranks by Zipf's law, stands for the text; it is made once. The default network of a text,
or that of a window of words (`--net window`), trains on it for some seconds, and is validated once, in a process of its
own. Its peak of memory (VmHWM, Linux) is printed, as it was at some points of the training, with the words a second
and the largest buffers of the steps.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
import numpy as np

from fastnn.data.formats.text_ids import VERSION, Part, Spool, write_ids
from fastnn.text.vocabulary import END, START, UNKNOWN

HELD_OUT = 1_000_000  # ids of the validation and the test text each, as of texts that are cut
SENTENCE = 20
BLOCK = 1 << 22


def _numbers(words: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers whose frequency falls as that of words does; 2 ends each sentence."""
    found = (np.exp(rng.random(count) * np.log(words - 3)) + 2).astype(np.int32)
    found[SENTENCE - 1 :: SENTENCE] = 2
    return found


def written(path: Path, words: int, tokens: int) -> None:
    """Write the file of ids unless it is there."""
    if path.exists():
        return
    rng, parts = np.random.default_rng(0), {}
    with ExitStack() as until:
        for name, count in (("train", tokens), ("val", HELD_OUT), ("test", HELD_OUT)):
            spool = Spool(path.parent, until)
            for low in range(0, count, BLOCK):
                spool.add(_numbers(words, min(BLOCK, count - low), rng))
            parts[name] = Part(spool)
        table = np.arange(words, dtype=np.uint16)
        names = [UNKNOWN, START, END, *(f"w{i}" for i in range(3, words))]
        rules = {"kind": "words", "lower": True, "sentences_end": "punctuation", "rules": ""}
        meta = {"words": names, "tokenizer": rules, "source": "generated"}
        write_ids(path, parts, table, {"version": VERSION, "made_of": {}, "meta": meta, "start": 1, "end": 2})


@click.command(help=__doc__)
@click.option("--net", type=click.Choice(["gru", "window"]), default="gru", show_default=True)
@click.option("--words", default=50_000, show_default=True)
@click.option("--tokens", default=100_000_000, show_default=True)
@click.option("--seconds", default=12.0, show_default=True)
@click.option("--sgd", is_flag=True, help="Instead of Adam.")
@click.option("--held-out", default=500, show_default=True, help="Validation samples that are judged.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="The file of ids; one in the temporary folder.")
def main(net: str, words: int, tokens: int, seconds: float, sgd: bool, held_out: int, path: Path | None) -> None:
    file = path or Path(tempfile.gettempdir()) / f"fastnn-ids-{words}-{tokens}.h5"
    written(file, words, tokens)
    # A process of its own, which has not imported what only this one needs.
    given = {"path": str(file), "net": net, "seconds": seconds, "sgd": sgd, "held_out": held_out}
    raise SystemExit(subprocess.call([sys.executable, "-m", "bench.text_memory_child", json.dumps(given)]))


if __name__ == "__main__":
    main()
