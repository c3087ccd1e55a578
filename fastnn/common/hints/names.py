"""Names of modules and methods of Keras, PyTorch and scikit-learn, and what a user of fastnn writes instead.

Each hint ends a message such as "module 'fastnn' has no attribute 'Linear'; ...". A name that is near one of ours needs
no row: `names.nearest` finds it.
"""

from collections.abc import Mapping

from fastnn.common.hints.attributes import CPU
from fastnn.common.hints.values import QUANTILE

_PIXELS = "it is done with a model's data: Sequential([...], preprocessing=fn.Pixels((28, 28), divide=255))"
_WORDS = "it is done with a model's data: Sequential([...], preprocessing=fn.Words(vocabulary))"
_EXCHANGE = "use fn.interop.to_onnx(model), fn.interop.to_torch(model), ..."
_RECURRENT = "the recurrent layers of fastnn are fn.GRU(units) and fn.LSTM(units)"
_ACTIVATION = 'use Activation("{0}"), or activation="{0}" of a layer'
_CROSS_ENTROPY = 'use Sequential([...], loss="softmax_cross_entropy"), which applies softmax itself'
_BINARY = 'use Sequential([...], loss="binary_cross_entropy"), which applies the sigmoid itself'
_PADDING = (
    "there is no masking: put zeros before short sequences, so that a recurrent layer ends with their last step; a "
    "label of -1 leaves a step out of the loss"
)
_NO_ATTENTION = "fastnn has no attention; of layers for sequences it has fn.GRU, fn.LSTM and fn.Conv1D"
_NORMS = "fastnn has fn.BatchNorm() and fn.LayerNorm()"
_TRANSPOSED = (
    "fastnn has no transposed convolution and enlarges no images; its convolutions are fn.Conv1D and fn.Conv2D"
)
# A net that is ported without this line trains, and is another one.
_PADDED_BY_DEFAULT = 'use fn.Conv{0}D(filters, kernel_size, padding="valid"): its default is "same"; {1}'
_GROUPED = "fastnn has fn.Conv1D and fn.Conv2D, in which every filter sees all channels"
_OWN_LAYER = 'a layer of your own is a class that emits kernels: "Adding a layer" in CONTRIBUTING.md'
_AUGMENTED = (
    "give fit a batch at a time: model.fit(batches, optimizer=...), where batches gives (x, y) each time that it is "
    "iterated over, changed as you like"
)
_DATA_SETS = (
    "fastnn data fetch mnist (a command) fetches one; fn.data.load_idx(folder), fn.data.load_npz(path), ... read it"
)
_FINDER = "use fn.find_rate(model, x, y), which gives a rate and a curve; fn.sweep compares whole trainings"
_PREPARED = "use NumPy and scikit-learn; a model keeps fn.Pixels, fn.Words or fn.Table"
_PADDED = 'use fn.Conv1D(..., padding="causal") or "same"'
_WINDOWS = (
    "use np.lib.stride_tricks.sliding_window_view(series, steps + 1): of each window the last number is y, the others "
    "are x"
)
_MOVED = "bring x into that shape with NumPy; fn.Reshape moves nothing"
_JOINS = "values are joined by fn.Add() and fn.Concatenate()"
_LARGEST = "use fn.MaxPool1D(length), a window as long as the sequence, and fn.Flatten()"
_LARGEST_OF_IMAGE = "use fn.MaxPool2D((height, width)), a window as large as the image, and fn.Flatten()"
_OWN_SCHEDULE = (
    "the learning rate may be fn.StepDecay, fn.ExponentialDecay or fn.CosineDecay(warmup=), or of your own: a subclass "
    "of fn.schedules.Schedule, or a callback that assigns run.optimizer.lr"
)
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
    **dict.fromkeys(("Quantile", "QuantileLoss", "PinballLoss"), QUANTILE),
    "AvgPool1d": "use fn.AveragePool1D(2)",
    "AvgPool2d": "use fn.AveragePool2D(2)",
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveAvgPool2d"), "use fn.GlobalAveragePool()"),
    "Conv1d": _PADDED_BY_DEFAULT.format("1", "sequences are (N, L, C)"),
    "Conv2d": _PADDED_BY_DEFAULT.format("2", "images are (N, H, W, C)"),
    "Unflatten": "use fn.Reshape(shape)",
    "Rescaling": _PIXELS,
    "ToTensor": _PIXELS,
    "TextVectorization": _WORDS,
    "StringLookup": _WORDS,
    "Normalization": "use fn.Columns(numbers=[0, 1, ...]), which standardises them",
    "HeNormal": 'use initializer="he_normal"',
    "HeUniform": 'use initializer="he_uniform"',
    "GlorotNormal": 'use initializer="glorot_normal"',
    "GlorotUniform": 'use initializer="glorot_uniform"',
    "RNN": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "Bidirectional": "fn.GRU(units) and fn.LSTM(units) read sequences in one direction",
    **dict.fromkeys(("Masking", "pad_sequence", "pad_sequences", "pack_padded_sequence"), _PADDING),
    **dict.fromkeys(("MultiHeadAttention", "MultiheadAttention", "Attention", "Transformer"), _NO_ATTENTION),
    **dict.fromkeys(("GroupNorm", "GroupNormalization", "InstanceNorm2d", "RMSNorm"), _NORMS),
    **dict.fromkeys(("Conv2DTranspose", "ConvTranspose2d", "UpSampling2D", "Upsample"), _TRANSPOSED),
    **dict.fromkeys(("DepthwiseConv2D", "SeparableConv2D", "Conv3D", "Conv3d"), _GROUPED),
    **dict.fromkeys(("GlobalMaxPool1D", "GlobalMaxPooling1D", "AdaptiveMaxPool1d"), _LARGEST),
    **dict.fromkeys(("GlobalMaxPool2D", "GlobalMaxPooling2D", "AdaptiveMaxPool2d"), _LARGEST_OF_IMAGE),
    "EmbeddingBag": "use fn.Embedding(rows, width), then fn.Sum() or fn.GlobalAveragePool()",
    **dict.fromkeys(("Multiply", "Subtract", "Average", "Dot"), _JOINS),
    **dict.fromkeys(("ZeroPadding2D", "ZeroPad2d"), 'use fn.Conv2D(..., padding="same")'),
    **dict.fromkeys(("ZeroPadding1D", "ConstantPad1d", "CausalConv1D"), _PADDED),
    **dict.fromkeys(("Permute", "RepeatVector", "Transpose"), _MOVED),
    **dict.fromkeys(("ImageDataGenerator", "RandomFlip", "RandomRotation", "augment"), _AUGMENTED),
    **dict.fromkeys(("Tokenizer", "tokenizer"), _WORDS),
    "Lambda": _OWN_LAYER,
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
    "load_weights": "use fn.load(path), or model.set_parameters({...}) for a part of them",
    "summary": "use model.summary()",
    "metrics": "metrics are names: Sequential([...], metrics=['mae']); or functions such as scikit-learn's",
    **dict.fromkeys(("datasets", "load_mnist"), _DATA_SETS),
    **dict.fromkeys(("utils", "preprocessing"), _PREPARED),
    "make_moons": "use fn.data.generate_moons()",
    "tensor": "fastnn takes NumPy arrays",
    "Tensor": "fastnn takes NumPy arrays",
    "DataLoader": "give x and y to model.fit(x, y, batch_size=32): it shuffles and cuts batches",
    "TensorDataset": "give x and y to model.fit(x, y, batch_size=32): it shuffles and cuts batches",
    "ModelCheckpoint": "use fn.Checkpoint(path), to go on from; or fn.SaveBest(path), for the best epoch's model",
    "LambdaCallback": "write a subclass of fn.Callback, with on_epoch_end(self, run)",
    "ReduceLROnPlateau": "use fn.ReduceOnPlateau()",
    "LearningRateScheduler": "give a schedule as the learning rate: fn.Adam(fn.CosineDecay(0.01, steps=1000))",
    "CosineAnnealingLR": "use fn.CosineDecay as the learning rate: fn.Adam(fn.CosineDecay(0.01, steps=1000))",
    "StepLR": "use fn.StepDecay as the learning rate: fn.SGD(fn.StepDecay(0.1, every=10))",
    **dict.fromkeys(("LearningRateFinder", "LRFinder", "lr_find"), _FINDER),
    "OneCycleLR": "use fn.CosineDecay(lr, steps=1000, warmup=300) as the learning rate",
    **dict.fromkeys(("LambdaLR", "LinearLR", "MultiStepLR", "SequentialLR", "PolynomialDecay"), _OWN_SCHEDULE),
    "to_categorical": "labels are whole numbers from 0; one-hot rows are not needed",
    "one_hot": "labels are whole numbers from 0; one-hot rows are not needed",
    "clip_grad_norm_": "use clip_norm= of an optimizer: fn.Adam(clip_norm=1.0)",
    "TimeDistributed": "fn.Dense on a sequence (T, C) works at each of its steps",
    "train_test_split": "use that of sklearn.model_selection, or fit(validation_split=0.2)",
    "set_num_threads": "use `with fn.threads(2):`",
    **dict.fromkeys(("manual_seed", "set_random_seed"), "use Sequential(seed=)"),
    **dict.fromkeys(("regularizers", "L1", "L2", "L1L2"), "use Dense(10, l2=...): ½·l2·Σw², twice the number of Keras"),
    **dict.fromkeys(("timeseries_dataset_from_array", "TimeseriesGenerator"), _WINDOWS),
    "StandardScaler": "use fn.Columns(numbers=[0, 1, ...]) as a first layer, which standardises; or scikit-learn's",
    "from_numpy": "fastnn takes NumPy arrays",
    **dict.fromkeys(
        ("KerasClassifier", "KerasRegressor"), "use `from fastnn.sklearn import MLPClassifier, MLPRegressor`"
    ),
    "set_seed": "use Sequential(seed=)",
    "seed": "use Sequential(seed=)",
    "no_grad": "predict and evaluate compute no gradients",
    "cuda": CPU,
    "device": CPU,
    "MLPClassifier": "use `from fastnn.sklearn import MLPClassifier`, which takes scikit-learn's arguments",
    "MLPRegressor": "use `from fastnn.sklearn import MLPRegressor`, which takes scikit-learn's arguments",
    "sklearn": "use `from fastnn.sklearn import MLPClassifier`",
    "onnx": _EXCHANGE,
    "export": _EXCHANGE,
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
