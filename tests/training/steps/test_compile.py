"""From a network to the operations of a step."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.training.steps.compile import compile_evaluate, compile_predict, compile_train


def parts(**keywords):
    layers = [fn.Dense(4, "relu"), fn.Dropout(keep=0.5), fn.Dense(3)]
    network = fn.Sequential(layers, input_shape=(5,), **keywords).network
    return network, network.initial_state(np.float32, 0)


def names(step):
    return [op.kernel.name for op in step.program.ops]


def owners(step, kernel):
    return [op.owner for op in step.program.ops if op.kernel.name == kernel]


def test_a_prediction_needs_no_loss_and_no_dropout():
    ran = names(compile_predict(*parts(), 8, logits=False))
    assert not {"dropout_forward", "record_step", "softmax_cross_entropy"} & set(ran)
    assert "softmax_forward" in ran
    assert "softmax_forward" not in names(compile_predict(*parts(), 8, logits=True))


@pytest.mark.parametrize("training", [False, True])
def test_an_evaluation_records_but_computes_no_gradient(training):
    step = compile_evaluate(*parts(), 8, training=training)
    ran = names(step)
    assert "record_step" in ran
    assert ("dropout_forward" in ran) == training == step.trains
    assert not [name for name in ran if name.endswith(("_backward", "_update")) or name.startswith("matmul_xt")]
    assert step.gradients is None


@pytest.mark.parametrize(("smoothing", "kernel"), [(0, "softmax_cross_entropy"), (0.1, "softmax_cross_entropy_smooth")])
def test_an_evaluation_of_64_scores_and_more_writes_no_gradient_of_them(smoothing, kernel):
    for scores, wanted in ((63, kernel), (64, f"{kernel}_value"), (250, f"{kernel}_value")):
        loss = fn.SoftmaxCrossEntropy(label_smoothing=smoothing)
        model = fn.Sequential([fn.Dense(scores)], input_shape=(5,), loss=loss)
        assert wanted in names(compile_evaluate(model.network, model.state, 8))
        x, y = np.random.default_rng(0).normal(size=(8, 5)), np.arange(8)
        assert model.evaluate(x, y)["loss"] == model.loss_and_gradients(x, y)[0]  # the same bits


def test_a_training_without_an_optimizer_changes_nothing_and_keeps_its_gradients():
    step = compile_train(*parts(), 8)
    assert not [name for name in names(step) if name.endswith("_update")]
    assert list(step.gradients) == ["dense.w", "dense.b", "dense_1.w", "dense_1.b"]
    assert not step.fused


@pytest.mark.parametrize("fused", [False, True])
def test_an_optimizer_updates_each_parameter_once(fused):
    network, state = parts()
    step = compile_train(network, state, 8, fn.SGD(0.1, momentum=0.5), fused=fused)
    arrays = [op.operands[0] for op in step.program.ops if op.kernel.name == "momentum_update"]
    assert sum(getattr(array, "array", array).size for array in arrays) == state.parameters.flat.size
    assert step.fused == fused


def test_the_first_layer_computes_no_gradient_of_its_input():
    assert owners(compile_train(*parts(), 8), "relu_backward") == ["dense"]
    wanted = [op.owner for op in compile_train(*parts(), 8).program.ops if op.kernel.name.startswith("matmul")]
    assert wanted.count("dense") == 2  # the output, and the weight's gradient
    assert wanted.count("dense_1") == 3


def test_penalties_belong_to_the_weights_and_are_emitted_where_asked_for():
    assert not {"penalty_l1", "penalty_l2", "add_l1", "add_l2"} & set(names(compile_train(*parts(), 8)))
    ran = names(compile_train(*parts(l2=0.1), 8))
    assert ran.count("penalty_l2") == ran.count("add_l2") == 2
    assert "penalty_l1" not in ran


def test_samples_are_put_in_order_and_gathered_in_each_step_unless_it_takes_all():
    each = compile_train(*parts(), 8, shuffle=True)
    assert names(each)[0] == "permuted_indices"
    assert {"gather_rows", "gather_labels"} <= set(names(each))
    whole = compile_train(*parts(), 8, full_batch=True)
    assert "permuted_indices" not in names(whole)
    assert not {"gather_rows", "gather_labels"} & set(names(whole))
    once = [op.kernel.name for op in whole.program.prologue]
    assert once == ["sequential_indices", "gather_rows", "gather_labels"]


@pytest.mark.parametrize(
    ("batch", "optimizer", "network", "fused", "outer"),
    [
        (1, fn.SGD(0.1), {}, True, 2),
        (1, fn.SGD(0.1), {}, False, 0),  # somebody reads the gradients
        (2, fn.SGD(0.1), {}, True, 0),
        (1, fn.SGD(0.1, momentum=0.9), {}, True, 0),
        (1, fn.SGD(0.1, clip_norm=1.0), {}, True, 0),
        (1, fn.SGD(0.1, clip_value=1.0), {}, True, 0),
        (1, fn.SGD(0.1), {"l2": 0.1}, True, 0),
    ],
)
def test_the_gradient_of_one_sample_is_stored_only_where_more_than_an_sgd_step_needs_it(
    batch, optimizer, network, fused, outer
):
    ran = names(compile_train(*parts(**network), batch, optimizer, fused=fused))
    assert ran.count("sgd_outer_update") == outer
    assert ran.count("matmul_xt_prefetch") == 2 - outer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whether_the_gradient_of_one_sample_is_stored_changes_no_bit(dtype):
    class Reads(fn.Callback):
        reads_gradients = True

    x, y = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 3
    x[::4] = 0
    trained = []
    for callbacks in ([], [Reads()]):
        layers = [fn.Dense(21, "relu", max_norm=1.0), fn.Dropout(keep=0.5), fn.Dense(3, use_bias=False)]
        model = fn.Sequential(layers, input_shape=(5,), dtype=dtype)
        model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=1, epochs=2, callbacks=callbacks, verbose=False)
        trained.append((model.parameters.flat.tobytes(), model.history.steps["loss"]))
    assert trained[0] == trained[1]
