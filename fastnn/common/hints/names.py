"""Names and values of Keras, PyTorch and scikit-learn, and what a user of fastnn writes instead.

Each hint ends a message such as "module 'fastnn' has no attribute 'Linear'; ...". A name that is near one of ours needs
no row: `names.nearest` finds it.
"""

from collections.abc import Mapping

_LOSS = "the loss is an argument of the model: Sequential([...], loss=...)"
_MODE = "it is never needed: fit trains, predict and evaluate do not"
_ARRAYS = 'the arrays are in model.parameters, by name: model.parameters["dense.w"]'
_LAYER_ARRAYS = f"a layer is a description; {_ARRAYS}"
_STEP = "fit takes the steps: model.fit(x, y, optimizer=...); by hand: model.loss_and_gradients and optimizer.step"
_OF_TORCH = "PyTorch's dicts: fn.interop.to_torch(model) and fn.interop.from_torch(state, model)"
_PREDICT = "use model.predict(x)"
_PREPROCESSING = "use model.preprocessing: fn.Pixels((28, 28), divide=255), fn.Words(vocabulary), or None"
_PIXELS = "it is done with a model's data: Sequential([...], preprocessing=fn.Pixels((28, 28), divide=255))"
_WORDS = "it is done with a model's data: Sequential([...], preprocessing=fn.Words(vocabulary))"
_LR = "use lr, which may be assigned"
_RATE = "the rate is the optimizer's: fit(optimizer=fn.Adam(1e-3))"
_SGD = "fn.SGD(0.1, momentum=0.9) has it"
_DECAY = "fn.AdamW(1e-3, weight_decay=0.01) has it; l2= of a model or a layer is a penalty"
_CLIP = "use clip_norm= or clip_value="
_FIGURES = 'use history["loss"], history["val_loss"], ...'
_CPU = "fastnn runs on the CPU; `with fn.threads(2):` limits its threads"

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
        "count_params": "use model.summary(), which counts them",
        "partial_fit": "use model.fit(x, y, optimizer=optimizer) again: it goes on where it ended",
        "fit_generator": "use model.fit",
        "state_dict": f"use model.snapshot(), or model.save(path) for a file; {_OF_TORCH}",
        "load_state_dict": f"use model.restore(snapshot), or fn.load(path) for a file; {_OF_TORCH}",
        "save_weights": "use model.save(path)",
        "load_weights": "use fn.load(path)",
        "load_model": "use fn.load(path)",
        "get_weights": _ARRAYS,
        "set_weights": 'use model.set_parameters({"dense.w": ...})',
        "weights": _ARRAYS,
        "trainable_weights": _ARRAYS,
        "coefs_": f"{_ARRAYS}; as scikit-learn has them: fn.interop.to_sklearn(model)",
        "named_parameters": "use model.parameters.items()",
        "zero_grad": "gradients are never added up: model.loss_and_gradients gives those of one batch",
        "get_layer": "use model.layers, the descriptions, and model.outputs_of(name, x) for what one of them gives",
        "add_module": "give all layers at once: Sequential([...], input_shape=...)",
        "optimizer": "fit takes optimizer=",
        **{name: f"fit takes {name}=" for name in ARGUMENTS_OF_FIT},
        "lr": _RATE,
        "learning_rate": _RATE,
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
        "to": _CPU,
        "cuda": _CPU,
        "cpu": _CPU,
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
        "param_groups": _LR,
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

_EXCHANGE = "use fn.interop.to_onnx(model), fn.interop.to_torch(model), ..."
_RECURRENT = "the recurrent layer of fastnn is fn.GRU(units)"
_ACTIVATION = 'use Activation("{0}"), or activation="{0}" of a layer'
_CROSS_ENTROPY = 'use Sequential([...], loss="softmax_cross_entropy"), which applies softmax itself'
_BINARY = 'use Sequential([...], loss="binary_cross_entropy"), which applies the sigmoid itself'
_TORCH = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"}
_TORCH |= {"tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus", "identity": "Identity"}

# A foreign name of a module -> what to write.
MODULE: Mapping[str, str] = {
    **{theirs: _ACTIVATION.format(ours) for ours, theirs in _TORCH.items()},
    "Linear": 'use fn.Dense(units, "relu"); the inputs are counted from the layer before',
    "Softmax": _CROSS_ENTROPY,
    "LogSoftmax": _CROSS_ENTROPY,
    "softmax": "use fn.ops.softmax(x) for an array; a model's loss applies it itself",
    "CrossEntropyLoss": _CROSS_ENTROPY,
    "NLLLoss": _CROSS_ENTROPY,
    "CategoricalCrossentropy": _CROSS_ENTROPY,
    "SparseCategoricalCrossentropy": _CROSS_ENTROPY,
    "BCELoss": _BINARY,
    "BCEWithLogitsLoss": _BINARY,
    "BinaryCrossentropy": _BINARY,
    "MSELoss": "use fn.MSE()",
    "MeanSquaredError": "use fn.MSE()",
    "L1Loss": "use fn.MAE()",
    "MeanAbsoluteError": "use fn.MAE()",
    "SmoothL1Loss": "use fn.Huber()",
    "AvgPool2d": "use fn.AveragePool2D(2)",
    "AdaptiveAvgPool2d": "use fn.GlobalAveragePool()",
    "Unflatten": "use fn.Reshape(shape)",
    "Rescaling": _PIXELS,
    "ToTensor": _PIXELS,
    "TextVectorization": _WORDS,
    "StringLookup": _WORDS,
    "Normalization": "use fn.Columns(numbers=[0, 1, ...]), which standardises them",
    "LSTM": _RECURRENT,
    "RNN": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "Bidirectional": "fn.GRU(units) reads sequences in one direction",
    "BatchNorm1d": "use fn.BatchNorm()",
    "BatchNorm2d": "use fn.BatchNorm()",
    "BatchNormalization": "use fn.BatchNorm()",
    "LayerNormalization": "use fn.LayerNorm()",
    "InputLayer": "the shape of a sample is an argument of the model: Sequential([...], input_shape=(20,))",
    "Module": "use fn.Sequential([...], input_shape=...)",
    "optim": "optimizers are names of fastnn: fn.SGD, fn.Adam, ...",
    "optimizer": "optimizers are names of fastnn: fn.SGD, fn.Adam, ...",
    "models": "use fn.Sequential or fn.Model, and fn.load for a file",
    "keras": "layers are names of fastnn: fn.Dense, fn.Conv2D, ...",
    "functional": "layers are names of fastnn: fn.Dense, fn.Conv2D, ...; fn.ops has kernels as functions",
    "F": "fn.ops has kernels as functions on arrays",
    "load_model": "use fn.load(path)",
    "save": "use model.save(path)",
    "tensor": "fastnn takes NumPy arrays",
    "Tensor": "fastnn takes NumPy arrays",
    "DataLoader": "give x and y to model.fit(x, y, batch_size=32): it shuffles and cuts batches",
    "TensorDataset": "give x and y to model.fit(x, y, batch_size=32): it shuffles and cuts batches",
    "ModelCheckpoint": "use fn.Checkpoint(path)",
    "ReduceLROnPlateau": "use fn.ReduceOnPlateau()",
    "LearningRateScheduler": "give a schedule as the learning rate: fn.Adam(fn.CosineDecay(0.01, steps=1000))",
    "CosineAnnealingLR": "use fn.CosineDecay as the learning rate: fn.Adam(fn.CosineDecay(0.01, steps=1000))",
    "StepLR": "use fn.StepDecay as the learning rate: fn.SGD(fn.StepDecay(0.1, every=10))",
    "OneCycleLR": "use fn.CosineDecay(lr, steps=1000, warmup=300) as the learning rate",
    "LambdaLR": "the learning rate may be fn.StepDecay, fn.ExponentialDecay or fn.CosineDecay",
    "to_categorical": "labels are whole numbers from 0; one-hot rows are not needed",
    "one_hot": "labels are whole numbers from 0; one-hot rows are not needed",
    "clip_grad_norm_": "use clip_norm= of an optimizer: fn.Adam(clip_norm=1.0)",
    "TimeDistributed": "fn.Dense on a sequence (T, C) works at each of its steps",
    "train_test_split": "use that of sklearn.model_selection, or fit(validation_split=0.2)",
    "set_num_threads": "use `with fn.threads(2):`",
    "manual_seed": "use Sequential(seed=)",
    "set_seed": "use Sequential(seed=)",
    "no_grad": "predict and evaluate compute no gradients",
    "cuda": _CPU,
    "device": _CPU,
    "MLPClassifier": "use `from fastnn.sklearn import MLPClassifier`, which takes scikit-learn's arguments",
    "MLPRegressor": "use `from fastnn.sklearn import MLPRegressor`, which takes scikit-learn's arguments",
    "sklearn": "use `from fastnn.sklearn import MLPClassifier`",
    "onnx": _EXCHANGE,
    "export": _EXCHANGE,
}

_SOFTMAX = (
    "softmax_cross_entropy applies it itself: leave the last layer's activation out; predict gives the probabilities"
)
_SOFTMAX_LOSS = 'use "softmax_cross_entropy", with labels and scores: it applies softmax itself'
_BINARY_LOSS = 'use "binary_cross_entropy", with scores: it applies the sigmoid itself'
_OWN_METRIC = (
    "give a function such as scikit-learn's: metrics=[('{0}', lambda y, p: {0}_score(y, p.argmax(axis=1)))], with "
    "average='macro' where there are more than two classes"
)
_OF_SCORES = "give a function such as scikit-learn's: metrics=[('auc', lambda y, p: roc_auc_score(y, p[:, 1]))]"
_NO_REDUCTION = 'a step needs one number: use "mean" or "sum"'

# The kind of a value -> a foreign value, in small letters -> what to write.
VALUES: Mapping[str, Mapping[str, str]] = {
    "activation": {
        "softmax": _SOFTMAX,
        "log_softmax": _SOFTMAX,
        "linear": 'use "identity"',
        "none": 'use "identity"',
        "logistic": 'use "sigmoid"',
        "swish": 'use "silu"',
        "leakyrelu": 'use "leaky_relu"',
    },
    "loss": {
        **dict.fromkeys(("cross_entropy", "crossentropy", "nll", "nll_loss", "log_loss", "softmax"), _SOFTMAX_LOSS),
        "sparse_categorical_crossentropy": _SOFTMAX_LOSS,
        "categorical_crossentropy": f"{_SOFTMAX_LOSS}; of one-hot rows y the labels are y.argmax(axis=1)",
        **dict.fromkeys(
            ("bce", "binary_crossentropy", "bce_with_logits", "sigmoid_cross_entropy", "binary"), _BINARY_LOSS
        ),
        **dict.fromkeys(("mean_squared_error", "squared_error", "l2"), 'use "mse"'),
        **dict.fromkeys(("mean_absolute_error", "absolute_error", "l1"), 'use "mae"'),
        **dict.fromkeys(("smooth_l1", "smooth_l1_loss", "huber_loss"), 'use "huber"'),
        "rmse": 'use "mse", which has the same minimum',
    },
    "initializer": {
        "kaiming_normal": 'use "he_normal"',
        "kaiming_uniform": 'use "he_uniform"',
        "xavier_uniform": 'use "glorot_uniform"',
        "xavier_normal": 'use "glorot_normal"',
        "random_normal": 'use "normal"',
        "random_uniform": 'use "uniform"',
        "lecun_normal": "use fn.initializers.Scaled(1.0, average=False, uniform=False)",
        "lecun_uniform": "use fn.initializers.Scaled(1.0, average=False, uniform=True)",
    },
    "metric": {
        **{name: _OWN_METRIC.format(name) for name in ("f1", "precision", "recall")},
        **{f"{name}_score": _OWN_METRIC.format(name) for name in ("f1", "precision", "recall")},
        **dict.fromkeys(("auc", "roc_auc", "roc_auc_score"), _OF_SCORES),
    },
    "reduction": {
        "none": _NO_REDUCTION,
        "sum_over_batch_size": 'use "mean"',
        "batchmean": 'use "mean"',
        "auto": 'use "mean"',
    },
}

# A method of others' callbacks -> ours.
FOREIGN_EVENTS: Mapping[str, str] = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_start": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_train_epoch_start": "on_epoch_begin",
    "on_train_epoch_end": "on_epoch_end",
    "on_epoch_start": "on_epoch_begin",
    "on_fit_start": "on_train_begin",
    "on_fit_end": "on_train_end",
    "on_train_start": "on_train_begin",
}
