"""What the registry gives a kernel, and so what tests and benchmarks run, is of the dtypes that trainings give it."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.engine import table
from fastnn_kernels.registry import REGISTRY
from tests.tiny import jit_only

WORDS = 5_000  # of a table whose rows are listed
OPTIMIZERS = {
    "sgd": fn.SGD,
    "momentum": lambda: fn.SGD(momentum=0.9),
    "nesterov": lambda: fn.SGD(momentum=0.9, nesterov=True),
} | {kind.name: kind for kind in (fn.RMSProp, fn.AdaGrad, fn.Adam, fn.AdamW)}


def ids(count, *shape):
    return np.random.default_rng(0).integers(0, count, shape)


def run(model, x, y, optimizer="sgd", batch_size=4):
    model.fit(x, y, optimizer=optimizer, batch_size=batch_size, verbose=False)
    model.evaluate(x, y)
    model.predict(x)


def texts(output, count=WORDS, **arguments):
    """A model of words, trained."""
    embedding = fn.Embedding(count, 8, sparse=count == WORDS)
    run(fn.Sequential([embedding, fn.Flatten(), output], input_shape=3), ids(count, 9, 3), ids(count, 9), **arguments)


def train_all_kinds():
    """Trainings of all kinds that have ids, labels or places of samples."""
    for optimizer in OPTIMIZERS.values():
        texts(fn.SampledSoftmax(WORDS, samples=5), optimizer=optimizer())
    texts(fn.AdaptiveSoftmax(WORDS))
    texts(fn.Dense(30), count=30)
    layers = [fn.Embedding(30, 8), fn.GRU(8, return_sequences=True), fn.Dense(7)]
    run(fn.Sequential(layers, input_shape=5), ids(30, 9, 5), ids(8, 9, 5) - 1)
    smooth = fn.SoftmaxCrossEntropy(label_smoothing=0.1)
    run(fn.Sequential([fn.Dense(90)], input_shape=2, loss=smooth), np.ones((9, 2)), ids(90, 9))
    for units, batch_size in ((3, 1), (9, 1), (3, None)):
        narrow = [fn.Dense(units, "tanh"), fn.Dense(2)]
        run(fn.Sequential(narrow, input_shape=2), np.ones((9, 2), np.float32), ids(2, 9), batch_size=batch_size)
    run(fn.Sequential([fn.Columns([0], {1: 4}, 3), fn.Dense(2)], input_shape=2), np.ones((9, 2)), ids(2, 9))


@pytest.fixture(scope="module")
def given():
    """(kernel, number of an operand) -> the dtypes that trainings gave it."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_adapters", {})
        train_all_kinds()
        for kernel, _, kinds in table._adapters:
            for number, kind in enumerate(kinds):
                found.setdefault((kernel.name, number), set()).update(kind[:1] if kind else ())
    return found


@jit_only
@pytest.mark.parametrize("name", REGISTRY)
def test_whole_numbers_are_of_the_dtypes_of_trainings(given, name):
    spec = REGISTRY[name]
    args = spec.inputs(np.random.default_rng(0), np.float32, list(spec.shapes.values())[-1])
    for number, (operand, array) in enumerate(zip(spec.kernel.operands, args, strict=False)):
        kinds = given.get((name, number))
        if kinds and isinstance(array, np.ndarray) and array.dtype.kind in "iu":
            assert array.dtype in kinds, f"{operand} is {array.dtype}, trainings give {kinds}"


@jit_only
def test_the_trainings_have_most_kernels_of_ids(given):
    kernels = {name for name, _ in given}
    wanted = "embedding_forward list_rows group_by_row draw_classes cluster_rows step_labels softmax_cross_entropy "
    assert kernels.issuperset([*wanted.split(), *(f"{name}_update_listed" for name in OPTIMIZERS)])
    assert kernels.issuperset(["narrow_sgd", "narrow_sgd_two", "narrow_cross_entropy"])
