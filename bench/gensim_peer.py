"""Words a second beside gensim's word2vec (CBOW): `pip install gensim`, then `python -m bench.gensim_peer`.

Both learn vectors of one width, from 3 words, over as many words as ids, by plain SGD on as many threads. What differs:
gensim has no layer between its vectors. For each word it takes the mean of the words on both sides and moves vectors
along a few dot products, with negatives of its own, its threads writing into one table as they come. fastnn predicts
the next word through 256 hidden units, with negatives that a batch of 200 shares, and gives the same bits each time.
So a word is far more arithmetic here, and a model that gives probabilities of the next word.

gensim stands there with its usual 5 negatives, too, beside as many as fastnn draws.
"""

import tempfile
import time
from pathlib import Path

import click
import numpy as np

import fastnn as fn
from bench.interleave import clock, steps_a_turn
from bench.sampled_softmax import system
from bench.systems import fastnn_runner
from fastnn.engine.threads import threads_at_hand

WIDTH, CONTEXT, BATCH = 64, 3, 200  # of `system`
USUAL = 5  # negatives of gensim
SENTENCE = 20  # words


def write_corpus(path: Path, words: int, tokens: int) -> int:
    """Write sentences of words that are drawn log-uniformly, as `system` draws them; how many words they are."""
    u = np.random.default_rng(0).random((tokens // SENTENCE, SENTENCE))
    ids = (np.exp(u * np.log(words + 1)) - 1).astype(int)
    path.write_text("\n".join(" ".join(map(str, row)) for row in ids), encoding="ascii")
    return ids.size


def gensim_turn(corpus: Path, tokens: int, negatives: int, threads: int):
    """A function that trains for an epoch and gives words a second."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=WIDTH,
        window=CONTEXT,
        shrink_windows=False,
        negative=negatives,
        workers=threads,
        min_count=1,
        sample=0,
        sg=0,
    )
    model.build_vocab(corpus_file=str(corpus))

    def turn() -> float:
        begin = time.perf_counter()
        model.train(corpus_file=str(corpus), total_examples=model.corpus_count, total_words=tokens, epochs=1)
        return tokens / (time.perf_counter() - begin)

    return turn


def fastnn_turn(words: int, negatives: int):
    """A function that trains for a while and gives words a second."""
    run = fastnn_runner(system(words, negatives, fn.SGD(0.1)))[1]
    steps = 5 * steps_a_turn(run, 10)
    return lambda: steps * BATCH / clock(run, steps)


@click.command(help=__doc__)
@click.option("--words", default=10_000, show_default=True, help="Different words.")
@click.option("--negatives", default=256, show_default=True, help="Words that are drawn: by fastnn for a batch.")
@click.option("--tokens", default=400_000, show_default=True, help="Words of the corpus.")
@click.option("--rounds", default=5, show_default=True, help="Turns of each, one after the other.")
def main(words: int, negatives: int, tokens: int, rounds: int) -> None:
    threads = threads_at_hand()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        count = write_corpus(corpus, words, tokens)
        turns = {f"fastnn, {negatives} for {BATCH} words": fastnn_turn(words, negatives)}
        for own in (USUAL, negatives):
            turns[f"gensim CBOW, {own} for each word"] = gensim_turn(corpus, count, own, threads)
        found = {name: np.median(rates) for name, rates in _in_turns(turns, rounds).items()}
    for name, rate in found.items():
        print(f"{words:,} words, {WIDTH} numbers, {threads} threads  {name:32} {rate:11,.0f} words/s")


def _in_turns(turns, rounds: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            rates[name].append(turn())
    return rates


if __name__ == "__main__":
    main()
