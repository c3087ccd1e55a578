"""Two nets on small data, trained or compiled by each optimizer: for tests of phases, slices and runners."""

import numpy as np

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train

rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(90, 8, 9, 2)), rng.integers(0, 3, 90)
WORDS = rng.integers(0, 20, (90, 3)), rng.integers(0, 3, 90)
NETS = {
    "words": (lambda: [fn.Embedding(20, 5), fn.Flatten(), fn.Dense(70, "sigmoid"), fn.Dense(3)], WORDS),
    "images": (
        lambda: [
            *(
                fn.Conv2D(17, 3, "relu"),
                fn.BatchNorm(),
                fn.MaxPool2D(),
                fn.Conv2D(5, 3, "tanh", stride=2),
                fn.Flatten(),
            ),
            *(fn.Dropout(keep=0.7), fn.Dense(33, "elu", max_norm=1.0), fn.LayerNorm(), fn.Dense(3)),
        ],
        IMAGES,
    ),
}
OPTIMIZERS = {
    "momentum": lambda: fn.SGD(0.1, momentum=0.9),
    "nesterov": lambda: fn.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: fn.Adam(0.01),
    "adamw": lambda: fn.AdamW(0.01),
    "rmsprop": lambda: fn.RMSProp(0.01),
    "adagrad": lambda: fn.AdaGrad(0.1),
    "clipped": lambda: fn.SGD(0.1, clip_norm=0.5),
}


def trained(net, optimizer, threads, fused, one_by_one=False, steps=6):
    """The flat parameters after some steps of 37 samples."""
    layers, (x, y) = NETS[net]
    model = fn.Sequential(layers(), input_shape=x.shape[1:], l1=0.01, l2=0.02, seed=1)
    chunk = checked_batch(model.network, x, y)
    opt = OPTIMIZERS[optimizer]()
    runner = Runner(compile_train(model.network, model.state, 37, opt, fused=fused))
    program, key = runner.step.program, np.arange(4, dtype=np.uint64)
    runner.start(chunk, dropout_key=key)
    for step in range(steps):
        if runner.next_batch < 37:
            runner.start(chunk, dropout_key=key)
        runner.set_up_call(37, opt.scalars(np.array([step])))
        if one_by_one:
            list(program.trace(37))
        else:
            program.run(1, 37, threads)
    return model.parameters.flat.copy()


def compiled(net="images", optimizer="adam", fused=True):
    layers, (x, y) = NETS[net]
    model = fn.Sequential(layers(), input_shape=x.shape[1:], l2=0.02)
    runner = Runner(compile_train(model.network, model.state, 37, OPTIMIZERS[optimizer](), fused=fused))
    runner.start(checked_batch(model.network, x, y))
    return runner
