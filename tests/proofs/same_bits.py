"""The same bits at every number of threads, with every threading layer, and for a row alone and in a batch.

    python -m tests.proofs.same_bits --size 40 --seed 0

Each threading layer that is installed (workqueue, omp, tbb) trains and predicts with 1, 2, 3, 4 and 8 threads, whatever
the machine has, in a process for each; all must print the same digests. Then 10,000 rows are predicted in batches of
`size` random sizes from 1 to 10,000, and each row of a sample alone.
"""

import argparse
import functools
import hashlib
import json
import os
import subprocess
import sys

import numpy as np

import fastnn as fn
from tests.tiny import tiny_model, trigrams

LAYERS = ("workqueue", "omp", "tbb")
THREADS = (1, 2, 3, 4, 8)
ROWS = 10_000


class Numbers:
    """A stream: rows of an array, read in parts."""

    row_bytes, chunk_rows = 8 * 30, 64

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def read(self, first, last):
        return self.array[first:last].copy()

    def part(self, first, last):
        return Numbers(self.array[first:last])


def dense(rows, seed):
    layers = [fn.Dense(96, "gelu"), fn.LayerNorm(), fn.Dropout(0.2), fn.Dense(64, "tanh"), fn.Dense(5)]
    rng = np.random.default_rng(seed)
    return fn.Sequential(layers, input_shape=(30,), seed=seed), rng.normal(size=(rows, 30)), rng.integers(0, 5, rows)


def words(rows, seed):
    model = tiny_model(words=200, width=16, hidden=128, std=0.1, seed=seed)
    return model, *trigrams(rows, 200, seed)


def images(rows, seed):
    layers = [fn.Conv2D(9, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Dropout(0.2)]
    layers += [fn.Conv2D(12, 3, "relu"), fn.GlobalAveragePool(), fn.Dense(4)]
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, 10, 10, 2)).astype(np.float32), rng.integers(0, 4, rows)
    return fn.Sequential(layers, input_shape=(10, 10, 2), seed=seed), x, y


def branches(rows, seed):
    word, number = fn.Input((3,), name="word"), fn.Input((20,), name="number")
    table = fn.Embedding(50, 8, name="table")
    first = fn.Dense(64, "relu")(fn.Concatenate()(fn.Flatten()(table(word)), number))
    hidden = fn.Add()(first, fn.Dense(64, "tanh")(first))
    outputs = {
        "label": fn.Dense(3)(hidden),
        "size": fn.Dense(2)(hidden),
        "word": fn.Dense(50, tied_to="table")(fn.Dense(8)(hidden)),
    }
    losses = {"label": "softmax_cross_entropy", "size": "mse", "word": "softmax_cross_entropy"}
    rng = np.random.default_rng(seed)
    x = {"word": rng.integers(0, 50, (rows, 3)), "number": rng.normal(size=(rows, 20))}
    y = {"label": rng.integers(0, 3, rows), "size": rng.normal(size=(rows, 2)), "word": rng.integers(0, 50, rows)}
    return fn.Model([word, number], outputs, loss=losses, seed=seed), x, y


def narrow(rows, seed):
    layers = [fn.Dense(9, "tanh"), fn.Dense(5, "tanh"), fn.Dense(2)]
    rng = np.random.default_rng(seed)
    return fn.Sequential(layers, input_shape=(3,), seed=seed), rng.normal(size=(rows, 3)), rng.integers(0, 2, rows)


def stream(rows, seed):
    model, x, y = dense(rows, seed)
    return model, Numbers(x), y


NETS = {net.__name__: net for net in (dense, words, images, branches, narrow, stream)}
OPTIMIZERS = {"adam": lambda: fn.Adam(1e-3), "momentum": lambda: fn.SGD(0.05, momentum=0.8, clip_norm=1.0)}


def digest(arrays):
    """The first hex digits of a hash of the arrays' bytes, nested in dicts or not."""
    found = hashlib.sha256()

    def add(value):
        if hasattr(value, "items"):
            for name in sorted(value):
                found.update(name.encode())
                add(value[name])
        else:
            found.update(np.asarray(value).tobytes())

    add(arrays)
    return found.hexdigest()[:16]


def trained(name, optimizer, rows, seed):
    """Digests of parameters, of losses and of predictions after two epochs."""
    model, x, y = NETS[name](rows, seed)
    history = model.fit(x, y, optimizer=OPTIMIZERS[optimizer](), batch_size=150, epochs=2, verbose=False)
    losses = np.array(history.steps["loss"])
    return [digest(part) for part in (model.snapshot(), losses, model.predict(x), model.evaluate(x, y))]


def with_threads(counts, rows, seed):
    """{"net optimizer": {threads: digests}} in this process."""
    found = {}
    for count in counts:
        with fn.threads(count):
            for name in NETS:
                for optimizer in OPTIMIZERS:
                    found.setdefault(f"{name} {optimizer}", {})[count] = trained(name, optimizer, rows, seed)
    return found


def rows_of(x, chosen):
    return {name: one[chosen] for name, one in x.items()} if isinstance(x, dict) else x[chosen]


def different_rows(name, rows, sizes, seed):
    """Messages of batch sizes by which predictions of the rows have other bits than all at once."""
    model, x, _ = NETS[name](rows, seed)
    predict = functools.partial(model.predict, logits=True)
    want, wrong = predict(x), []
    for size in sizes:
        for first in range(0, rows, size) if size > 1 else range(0, rows, max(1, rows // 500)):
            part = slice(first, first + size)
            if digest(predict(rows_of(x, part))) != digest(rows_of(want, part)):
                wrong.append(f"{name}: rows {first} to {first + size}")
                break
    return wrong


def layer_installed(layer):
    code = "import fastnn_kernels as k, numba, numpy as np; k.zero.parallel(np.ones(9)); print(numba.threading_layer())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=_environment(layer), capture_output=True, text=True, check=False
    )
    return done.stdout.strip() == layer


def _environment(layer):
    wanted = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": str(max(THREADS)), "OMP_WAIT_POLICY": "passive"}
    return os.environ | wanted


def digests_with(layer, rows, seed):
    """What a process with this threading layer finds."""
    command = [sys.executable, "-m", "tests.proofs.same_bits", "--child", str(rows), "--seed", str(seed)]
    done = subprocess.run(command, env=_environment(layer), capture_output=True, text=True, check=False)
    if done.returncode:
        return {f"{layer} ended with {done.returncode}: {done.stderr[-500:]}": {0: layer}}
    return json.loads(done.stdout)


def main(size, seed, rows):
    found, failures = {}, []
    for layer in LAYERS:
        if not layer_installed(layer):
            print(f"{layer}: not installed")
            continue
        for name, by_threads in digests_with(layer, rows, seed).items():
            found.setdefault(name, []).extend((layer, threads, *parts) for threads, parts in by_threads.items())
        print(f"{layer}: {', '.join(map(str, THREADS))} threads", flush=True)
    failures += [] if found else ["no threading layer is installed"]
    for name, runs in found.items():
        kinds = {tuple(parts) for _, _, *parts in runs}
        print(f"{name:20} {len(runs)} trainings, {len(kinds)} different")
        failures += [f"{name}: {runs}"] if len(kinds) > 1 or len(runs) % len(THREADS) else []
    sizes = [1, 2, 3, 127, 128, 129, 499, 500, 501, ROWS, *np.random.default_rng(seed).integers(1, ROWS, size).tolist()]
    for name in NETS:
        if name != "stream":
            wrong = different_rows(name, ROWS, sizes, seed)
            print(f"{name:20} {ROWS:,} rows in batches of {len(sizes)} sizes: {len(wrong)} different", flush=True)
            failures += wrong
    print(*failures, f"{len(failures)} failures", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1000, help="that are trained on")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(with_threads(THREADS, given.child, given.seed)))
    else:
        sys.exit(main(given.size, given.seed, given.rows))
