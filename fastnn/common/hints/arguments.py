"""What Keras, PyTorch and scikit-learn call things, and what a user of fastnn writes instead.

Each hint ends a message such as "Dense has no argument 'kernel_regularizer'; ...". Tables are by owner: a class, whose
rows hold for its subclasses too, or a method. A name that is near one of ours needs no row: `names.near` finds it.
"""

from collections.abc import Mapping

_SHAPE = "the shape of a sample is an argument of the model: Sequential([...], input_shape=(20,))"
_LOSS_OF_MODEL = "the loss is an argument of the model: Sequential([...], loss=...)"
_OPTIMIZER_OF_FIT = "the optimizer is an argument of fit: model.fit(x, y, optimizer=fn.Adam(0.001))"
_LR = "the optimizer takes it: model.fit(x, y, optimizer=fn.Adam(lr=0.001))"
_LR_OF_TEXT = "the optimizer takes it: model.fit(optimizer=fn.Adam(lr=0.001))"
_DECAY = "use fn.AdamW(weight_decay=...), or l2= of a layer or of Sequential, a part of the loss"
_SCHEDULE = "give a schedule as the learning rate, such as lr=fn.ExponentialDecay(0.1, 0.95)"
_CPU = "fastnn runs on the CPU; `with fn.threads(2):` limits its threads"
_PENALTY = "use l1= or l2= (l2 is ½·l2·Σw²: twice the number that Keras takes)"

_BEST = (
    "fn.SaveBest(path, 'val_loss') writes the best epoch's model; fn.EarlyStopping(restore_best=True) beside a "
    "Checkpoint puts the best parameters into its file"
)
_GROUPS = "all layers have one rate; in a loop of your own, step a part of the parameters by an optimizer of its own"

_CONVOLUTION = {
    "in_channels": "channels are counted from the layer before: give the filters alone, Conv2D(filters)",
    "out_channels": "use filters=",
    "strides": "use stride=",
    "data_format": "images are (N, H, W, C)",
    "window": "use kernel_size=",
    "dilation": "fastnn's windows have no gaps",
    "dilation_rate": "fastnn's windows have no gaps",
    "groups": "every filter sees all channels",
}
_LAID_OUT = "images are (N, H, W, C), sequences (N, L, C)"
_POOLING = {"kernel_size": "use pool_size=", "strides": "use stride=", "data_format": _LAID_OUT}


def _recurrent(layer: str) -> Mapping[str, str]:
    return {
        "input_size": f"the inputs are counted from the layer before: give the states alone, {layer}(units)",
        "hidden_size": "use units=",
        "num_layers": f"put layers one after another: {layer}(units, return_sequences=True), {layer}(units)",
        "batch_first": "sequences are (N, T, C)",
        **dict.fromkeys(("activation", "recurrent_activation"), "its gates are sigmoids, what is new a tanh, as usual"),
        "return_state": "the output is the last state; return_sequences=True gives all of them",
        "stateful": "the state is 0 before each sample",
        **dict.fromkeys(("unroll", "time_major"), "leave it out: sequences are (N, T, C), of one length T"),
        "mask_zero": "there is no masking: put zeros before short sequences",
        "bidirectional": f"it reads in one direction; a second {layer} may read x[:, ::-1], and fn.Concatenate() join "
        "both",
        "go_backwards": "reverse the sequences: x[:, ::-1]",
        **dict.fromkeys(("dropout", "recurrent_dropout"), "put fn.Dropout before or behind it"),
        **dict.fromkeys(("bias", "use_bias"), "both biases, b and c, are always learned"),
    }


# Owner -> a foreign argument -> what to write.
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Pixels": {
        "scale": "use divide=255",
        "rescale": "use divide=255",
        "mean": "use subtract=, a mean picture",
        "flatten": "use flat=True",
        "size": "use shape=, (height, width)",
    },
    "Layer": {
        **dict.fromkeys(("input_shape", "input_dim", "batch_input_shape"), _SHAPE),
        "trainable": "use freeze=True for a layer that does not train",
        "dtype": "dtype is an argument of the model: Sequential([...], dtype='float64')",
        **dict.fromkeys(("lr", "learning_rate", "lr_multiplier", "lr_mult", "lr_scale"), _GROUPS),
        "device": _CPU,
        "inplace": "leave it out: memory is laid out when a step is compiled",
        "seed": "the seed is the model's: Sequential([...], seed=0)",
    },
    "Penalised": {
        **dict.fromkeys(("kernel_initializer", "weight_initializer", "embeddings_initializer"), "use initializer="),
        "kernel_regularizer": _PENALTY,
        "bias_regularizer": "penalties are of weights alone, l1= or l2=; biases have none",
        "activity_regularizer": "penalties are of weights: l1= or l2=",
        "embeddings_regularizer": _PENALTY,
        "kernel_constraint": "use max_norm=",
        "weight_decay": "use l2=",
        "bias": "use use_bias=",
        "regularizer": _PENALTY,
        "init": "use initializer=",
        "weights": 'give them to the model: model.set_parameters({"dense.w": ...})',
        **dict.fromkeys(("act", "nonlinearity", "activation_fn"), "use activation="),
        "dropout": "put fn.Dropout(0.5) behind it",
    },
    "Dense": {
        "in_features": "the inputs are counted from the layer before: give the outputs alone, Dense(units)",
        "out_features": "use units=",
        "input_size": "the inputs are counted from the layer before: give the outputs alone, Dense(units)",
        "output_dim": "use units=",
        "n_units": "use units=",
    },
    "AdaptiveSoftmax": {
        "in_features": "leave it out: it is counted from the layer before",
        "n_classes": "use units=, the number of classes",
        "head_bias": "use use_bias=",
    },
    "SampledSoftmax": {
        "num_sampled": "use samples=",
        "num_classes": "use units=, the number of classes",
    },
    "GRU": {**_recurrent("GRU"), "reset_after": "the reset gate always acts after the product with the state"},
    "LSTM": {**_recurrent("LSTM"), "proj_size": "the output is the whole state; put fn.Dense behind it"},
    "Conv1D": _CONVOLUTION,
    "Conv2D": _CONVOLUTION,
    **dict.fromkeys(("MaxPool1D", "MaxPool2D", "AveragePool1D", "AveragePool2D"), _POOLING),
    "Dropout": {"p": "use rate=", "prob": "use rate=", "keep_prob": "use keep="},
    "Embedding": {
        **dict.fromkeys(("input_dim", "num_embeddings", "vocab_size"), "use rows=, the number of ids"),
        "output_dim": "use width=",
        "embedding_dim": "use width=",
        "input_length": "the number of ids in a sample is the model's: Sequential([...], input_shape=(3,))",
        "padding_idx": "every id has a row that is learned, also that of padding",
        "mask_zero": "every id has a row that is learned, also that of padding; put it before short sequences",
    },
    "BatchNorm": {
        "epsilon": "use eps=",
        "num_features": "features are counted from the layer before",
        "axis": "it normalises each channel, the last axis",
        **dict.fromkeys(("affine", "center", "scale"), "the scale γ and the shift β are always learned"),
        "track_running_stats": "it always keeps running statistics, and predicts by them",
    },
    "LayerNorm": {
        "epsilon": "use eps=",
        "normalized_shape": "features are counted from the layer before",
        "axis": "it normalises the features of each sample",
        **dict.fromkeys(("elementwise_affine", "center", "scale"), "the scale γ and the shift β are always learned"),
    },
    "Flatten": {
        **dict.fromkeys(("start_dim", "end_dim"), "all axes of a sample become one; fn.Reshape((28, -1)) keeps some"),
    },
    "GlobalAveragePool": {"keepdims": "put fn.Reshape((1, 1, -1)) behind it"},
    "Sum": {"axis": "it adds up the first axis of a sample, as that of words", "dim": "it adds up the first axis"},
    "Input": {
        "dtype": "dtype is an argument of the model: Sequential([...], dtype='float64')",
        **dict.fromkeys(("batch_shape", "batch_size"), "shape= is that of one sample, without the sample axis"),
    },
    "Optimizer": {
        "learning_rate": "use lr=",
        "learning_rate_init": "use lr=",
        "params": "the optimizer gets the model's parameters from fit: give lr= alone",
        "betas": "use beta1= and beta2=",
        "beta_1": "use beta1=",
        "beta_2": "use beta2=",
        "epsilon": "use eps=",
        "clipnorm": "use clip_norm=, the bound on the norm of all gradients together",
        "global_clipnorm": "use clip_norm=",
        "clipvalue": "use clip_value=",
        "max_grad_norm": "use clip_norm=",
        "weight_decay": _DECAY,
        "decay": _SCHEDULE,
    },
    "RMSProp": {"rho": "use decay=", "alpha": "use decay=", "momentum": "fn.Adam keeps a velocity beside it"},
    "SGD": {"nesterovs_momentum": "use nesterov=True", "dampening": "the gradient is never dampened"},
    "Schedule": {
        "initial_learning_rate": "use lr=",
        "learning_rate": "use lr=",
        "gamma": "use decay= of ExponentialDecay, or factor= of StepDecay",
        "decay_rate": "use decay=",
        "step_size": "use every=",
        "decay_steps": "use steps=",
        "alpha": "use end=, the last learning rate",
        "T_max": "use steps=, which counts steps, not epochs",
        "eta_min": "use end=",
    },
    "BinaryCrossEntropy": {
        "pos_weight": "weights are arguments of fit: class_weight={1: 3.0} for one score, else sample_weight=",
        "label_smoothing": "targets are probabilities: give 0.05 and 0.95 instead of 0 and 1",
    },
    "Loss": {
        "from_logits": "the loss always takes the scores and applies its softmax or sigmoid itself",
        "weight": "weights are arguments of fit: class_weight=, sample_weight=",
        "size_average": 'use reduction="mean" or "sum"',
    },
    "EarlyStopping": {
        "restore_best_weights": "use restore_best=",
        "verbose": "why training ended is in history.stop_reason",
        "threshold": "use min_delta=",
        "tol": "use min_delta=",
        "n_iter_no_change": "use patience=",
    },
    "ReduceOnPlateau": {"threshold": "use min_delta=", "cooldown": "the count starts again after a reduction"},
    "Checkpoint": {
        "filepath": "use path=",
        "save_weights_only": "it saves the model with all that resuming needs",
        "save_best_only": _BEST,
        "monitor": _BEST,
    },
    "Concatenate": {"axis": "it joins the last axis", "dim": "it joins the last axis"},
    "TensorBoard": {"log_dir": "use folder=", "histogram_freq": "use histograms=True and every="},
    "CSVLogger": {"filename": "use path="},
    "Model": {
        "optimizer": _OPTIMIZER_OF_FIT,
        "metric": "use metrics=['mae']",
        "weighted_metrics": "use metrics=: they count samples by their weights where these have some",
        "learning_rate": _LR,
        "lr": _LR,
        "input_dim": "use input_shape=(20,)",
        "hidden_layer_sizes": "give the layers: Sequential([Dense(100, 'relu'), Dense(3)], input_shape=(20,))",
        "random_state": "use seed=",
        "epochs": "use fit(epochs=)",
        "max_iter": "use fit(epochs=)",
        "batch_size": "use fit(batch_size=)",
        "alpha": "use l2=",
        "weight_decay": "use l2=",
        "device": _CPU,
        "name": "a model has no name; a layer has: Dense(10, name='scores')",
    },
    "fit": {
        "loss": _LOSS_OF_MODEL,
        "metrics": "metrics are an argument of the model: Sequential([...], metrics=['mae'])",
        "learning_rate": _LR,
        "lr": _LR,
        "steps": "use epochs=, and where each step takes all samples steps_per_epoch=",
        **dict.fromkeys(("max_iter", "num_epochs", "n_epochs", "nb_epoch"), "use epochs="),
        "patience": "use callbacks=[fn.EarlyStopping(patience=3)]",
        "early_stopping": "use callbacks=[fn.EarlyStopping(patience=3)]",
        "eval_set": "use validation_data=(x, y)",
        "test_size": "use validation_split=",
        "validation_fraction": "use validation_split=",
        "sample_weights": "use sample_weight=",
        "random_state": "use Sequential(seed=)",
        "seed": "use Sequential(seed=)",
        "initial_epoch": "a second call of fit goes on where the first one ended",
        "workers": _CPU,
        "device": _CPU,
        "X": "x goes first: model.fit(x, y)",
    },
    "evaluate": {
        "verbose": "evaluate is silent",
        "batch_size": "it chooses the size itself: the result does not depend on it",
        "return_dict": 'it always returns {"loss": ..., "accuracy": ...}',
    },
    "predict": {
        "verbose": "predict is silent",
        "batch_size": "it chooses the size itself: the result does not depend on it",
    },
    "H5Stream": {
        "name": "use key=, the array in the file",
        "dataset": "use key=, the array in the file",
        **dict.fromkeys(("transform", "map", "function"), "use change=, a function of rows"),
    },
    "LanguageModel": {
        "path": "use fn.LanguageModel.from_text(path) for a text, fn.LanguageModel.load(path) for a saved model",
    },
    "LanguageModel.from_text": {
        "size": "use vocabulary=, the number of ids",
        "vocabulary_size": "use vocabulary=",
        "epochs": "fit takes it: model.fit(epochs=10)",
        "context": "use order=, one more than the words before the one that is predicted",
        "text": "use texts=, a text or a list of texts",
        "validation_data": "texts to validate on are given by their paths, val=, or as val_texts=",
    },
    "LanguageModel.fit": {
        "x": "texts are given by their paths, model.fit('book.txt'), or as texts=",
        "text": "texts are given by their paths, model.fit('book.txt'), or as texts=",
        "validation_data": "texts to validate on are given by their paths, val=, or as val_texts=",
        "lr": _LR_OF_TEXT,
        "learning_rate": _LR_OF_TEXT,
    },
    "LanguageModel.generate": {
        **dict.fromkeys(("length", "max_length", "max_new_tokens", "max_tokens", "n"), "use words="),
        "prompt": "use text=",
    },
    "LanguageModel.predict": {"top_k": "use n=", "top": "use n="},
    "LanguageModel.neighbours": {"topn": "use n=", "top": "use n="},
}
