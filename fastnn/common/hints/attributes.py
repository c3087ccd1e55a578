"""Attributes of Keras, PyTorch and scikit-learn, and what a user of fastnn writes instead.

Each hint ends a message such as "a Dense has no attribute 'kernel'; ...". A name that is near one of ours needs no
row: `names.nearest` finds it.
"""

from collections.abc import Mapping

_MODE = "it is never needed: fit trains, predict and evaluate do not"
_ARRAYS = 'the arrays are in model.parameters, by name: model.parameters["dense.w"]'
_LAYER_ARRAYS = f"a layer is a description; {_ARRAYS}"
_STEP = "fit takes the steps: model.fit(x, y, optimizer=...); by hand: model.loss_and_gradients and optimizer.step"
_OF_TORCH = "PyTorch's dicts: fn.interop.to_torch(model) and fn.interop.from_torch(state, model)"
_PREDICT = "use model.predict(x)"
_PREPROCESSING = "use model.preprocessing: fn.Pixels((28, 28), divide=255), fn.Words(vocabulary), or None"
_LR = "use lr, which may be assigned"
_RATE = "the rate is the optimizer's: fit(optimizer=fn.Adam(1e-3))"
_SGD = "fn.SGD(0.1, momentum=0.9) has it"
_DECAY = "fn.AdamW(1e-3, weight_decay=0.01) has it; l2= of a model or a layer is a penalty"
_CLIP = "use clip_norm= or clip_value="
_FIGURES = 'use history["loss"], history["val_loss"], ...'
CPU = "fastnn runs on the CPU; `with fn.threads(2):` limits its threads"

# What fit takes is no attribute of a model. A user's own class may well have attributes of these names.
ARGUMENTS_OF_FIT = (
    "batch_size",
    "epochs",
    "callbacks",
    "verbose",
    "class_weight",
    "validation_data",
    "validation_split",
)

# Owner -> an attribute that cannot be assigned -> what to do instead.
ASSIGNED: Mapping[str, Mapping[str, str]] = {
    "Model": {
        "layers": "a model keeps its layers: make another one, Sequential([...], input_shape=...)",
        "parameters": 'use model.set_parameters({"dense.w": ...}), or write into an array of them',
        "buffers": 'write into an array of them: model.buffers["batch_norm.mean"][...] = 0',
    },
    "LanguageModel": {"vectors": "write into the array: model.vectors[...] = ..."},
    "Run": {"stop": 'call it: run.stop("why")'},
}

# Owner -> a foreign attribute -> what to write.
ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "Model": {
        "compile": "Sequential takes loss= and metrics=, fit takes optimizer=",
        "add": "give all layers at once: Sequential([...], input_shape=...)",
        "pop": "give all layers at once: Sequential([...], input_shape=...)",
        "build": "a model has its arrays from the start",
        "score": "use model.evaluate(x, y), a dict of figures",
        "predict_proba": "use model.predict(x), which gives the probabilities",
        "predict_classes": "use model.predict(x).argmax(axis=1)",
        "decision_function": "use model.predict(x, logits=True)",
        "predict_on_batch": _PREDICT,
        "call": _PREDICT,
        "forward": "use model.predict(x), or with logits=True for raw scores",
        "backward": "use model.loss_and_gradients(x, y)",
        "train": _MODE,
        "eval": _MODE,
        "train_step": _STEP,
        "stop_training": 'a callback ends a training: run.stop("why") in yours, or fn.EarlyStopping()',
        "input_shape": "use model.network.input_shape",
        "output_shape": "model.summary() shows the shapes of all layers",
        "get_config": "use model.save(path), and fn.load(path)",
        "to_json": "use model.save(path), and fn.load(path)",
        "clone": "use copy.deepcopy(model)",
        "copy": "use copy.deepcopy(model)",
        "count_params": "use model.summary(), which counts them",
        "partial_fit": "use model.fit(x, y, optimizer=optimizer) again: it goes on where it ended",
        "fit_generator": "use model.fit",
        "state_dict": f"use model.snapshot(), or model.save(path) for a file; {_OF_TORCH}",
        "load_state_dict": f"use model.restore(snapshot), or fn.load(path) for a file; {_OF_TORCH}",
        "save_weights": "use model.save(path)",
        "load_weights": "use fn.load(path)",
        "load_model": "use fn.load(path)",
        "load": "use fn.load(path)",
        "get_weights": _ARRAYS,
        "set_weights": 'use model.set_parameters({"dense.w": ...})',
        "weights": _ARRAYS,
        **dict.fromkeys(("trainable_weights", "trainable_variables", "variables"), _ARRAYS),
        "coefs_": f"{_ARRAYS}; as scikit-learn has them: fn.interop.to_sklearn(model)",
        "named_parameters": "use model.parameters.items()",
        "zero_grad": "gradients are never added up: model.loss_and_gradients gives those of one batch",
        "get_layer": "use model.layers, the descriptions, and model.outputs_of(name, x) for what one of them gives",
        "add_module": "give all layers at once: Sequential([...], input_shape=...)",
        "optimizer": "fit takes optimizer=",
        "name": "a model has no name; its layers have: Dense(10, name='scores')",
        **{name: f"fit takes {name}=" for name in ARGUMENTS_OF_FIT},
        "lr": _RATE,
        "learning_rate": _RATE,
        **dict.fromkeys(("lr_find", "find_rate"), "use fn.find_rate(model, x, y)"),
        "training": _MODE,
        "loss": "use model.network.loss",
        "metrics": "use model.network.metrics",
        "metrics_names": "use list(model.evaluate(x, y))",
        "trainable": "use freeze=True of a layer",
        "preprocess": _PREPROCESSING,
        "preprocessor": _PREPROCESSING,
        "transform": _PREPROCESSING,
        "tokenizer": _PREPROCESSING,
        "classes": 'use model.meta["classes"], which a system\'s model has',
        "classes_": 'use model.meta["classes"], which a system\'s model has',
        "to": CPU,
        "cuda": CPU,
        "cpu": CPU,
        "half": "use Sequential(dtype='float32')",
        "double": "use Sequential(dtype='float64')",
        "float": "use Sequential(dtype='float32')",
    },
    "LanguageModel": {
        "train": "use model.fit()",
        "evaluate": "use model.score(text)",
        "perplexity": "use model.score(text).perplexity",
        "sample": "use model.generate(text)",
        "most_similar": "use model.neighbours(word)",
        "similar": "use model.neighbours(word)",
        "wv": "use model.vectors, one for each of model.vocabulary.words",
        "summary": "use model.model.summary()",
        "history": "use model.model.history",
        "parameters": "use model.model.parameters",
    },
    "Layer": {
        "get_weights": _LAYER_ARRAYS,
        "set_weights": 'use model.set_parameters({"dense.w": ...})',
        "weight": _LAYER_ARRAYS,
        "bias": _LAYER_ARRAYS,
        "kernel": _LAYER_ARRAYS,
        "trainable": 'use freeze=True, or of a model model.freeze("dense")',
        "requires_grad_": "use freeze=True",
    },
    "Optimizer": {
        "learning_rate": _LR,
        "param_groups": f"{_LR}; for a part of the parameters, step it by an optimizer of its own",
        "momentum": _SGD,
        "nesterov": _SGD,
        "weight_decay": _DECAY,
        "decay": _DECAY,
        "betas": "use beta1 and beta2",
        "beta_1": "use beta1",
        "beta_2": "use beta2",
        "epsilon": "use eps",
        "clipnorm": _CLIP,
        "clipvalue": _CLIP,
        "global_clipnorm": _CLIP,
        "lr_schedule": "give a schedule as lr: fn.Adam(fn.CosineDecay(0.01, steps=1000))",
        "zero_grad": "gradients are never added up: model.loss_and_gradients gives those of one batch",
        "apply_gradients": "use optimizer.step(model.parameters, gradients)",
        "minimize": _STEP,
        "state_dict": "use optimizer.state; a Checkpoint keeps it in a file",
        "load_state_dict": "assign optimizer.state; a Checkpoint keeps it in a file",
        "iterations": "use iteration",
    },
    "Run": {"stop_training": 'call run.stop("why")', "should_stop": 'call run.stop("why")'},
    "Loss": {"backward": "use model.loss_and_gradients(x, y)", "item": "use model.evaluate(x, y)"},
    "History": {
        "history": _FIGURES,
        "loss": _FIGURES,
        "val_loss": _FIGURES,
        "accuracy": _FIGURES,
        "last": 'use history["loss"][-1]',
        "epoch": "use epochs",
        "to_csv": "use history.to_frame().to_csv(path), or fn.CSVLogger(path) among the callbacks",
    },
}
