"""What is trained: `fit` over data, `train_on_batch` in a loop of one's own."""

from collections.abc import Iterable
from typing import Any

from fastnn.common.hints.habits import hinted
from fastnn.data.fit_data import split_apart, training_source, validation_source
from fastnn.data.source import checked_batch
from fastnn.nn import optimizers
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.ranks.group import refuse
from fastnn.training.by_batch import take_step
from fastnn.training.callbacks import Callback
from fastnn.training.fit.settings import Settings, Verbose, callbacks_of
from fastnn.training.history import History
from fastnn.training.models.lock import claim_optimizer
from fastnn.training.models.model import Predictor
from fastnn.training.models.statistics import fit_statistics
from fastnn.training.start import train
from fastnn.training.steps.memory import check_copies


class Trainable(Predictor):
    """A network with its parameters, which optimizers change."""

    @hinted
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        optimizer: OptimizerName | Optimizer = "adam",
        batch_size: int | None = 32,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        steps_per_block: int = 1,
        validation_data: tuple[Any, ...] | Iterable[Any] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        sample_weight: Any = None,
        class_weight: Any = None,
        callbacks: Iterable[Callback] = (),
        verbose: Verbose = "auto",
    ) -> History:
        """Train on x (N, *input_shape) and y (N,) for `epochs` more epochs.

        A second call continues epoch count, sample order and, with the same optimizer, its state.

        Args:
            x: Arrays, or streams such as `fn.H5Stream`, read while training goes on. Or, without y, batches (x, y) or
                (x, y, sample_weight) to iterate over, a step each: a list, a generator, another library's loader. None
                may be larger than the first; `batch_size` and `shuffle` do not apply.
            y: The targets as the loss takes them: labels (N,), or numbers (N,) or (N, scores); an array or a stream. Of
                a network whose scores are (T, classes), labels of the T steps of a sequence, (N, T), -1 where a step
                has none; all labels of a batch count alike.
            optimizer: An optimizer such as `fn.Adam(1e-3)`, or the name of one with its usual settings: of a name, the
                model keeps one optimizer for all calls.
            batch_size: Samples a step; the last, shorter batch is kept; None: all samples.
            epochs: How many times the data are gone through, after those of earlier calls.
            steps_per_epoch: Where each step takes all samples: the number of steps that make an epoch (default 1). A
                small net takes thousands of such steps in the time of one callback. Of batches: how many make an epoch
                (default: all); a generator goes on with the next one.
            steps_per_block: For steps of one sample by plain SGD, where the first layer is a Dense: how many of them
                its weight w takes at once, about 32. Faster where w is large. The algebra is that of SGD, one step
                after the other; only sums are rounded otherwise, which the last digits show. A block ends early where
                the data end, or where a callback looks every n steps.
            validation_data: (x, y), (x, y, sample_weight) or batches, evaluated after each epoch.
            validation_split: Instead of them, the fraction of x and y, from their end, that is set apart; a UserWarning
                if they are sorted by class.
            shuffle: A new sample order each epoch, a function of seed and epoch.
            sample_weight: How much each sample counts in the loss, (N,).
            class_weight: How much each class counts: {label: weight}, 1 for others; or one number a class; or
                "balanced": N / (k · count), over all y, where k classes occur in it. Classes are labels, or 0 and 1 of
                one score with binary_cross_entropy.
            callbacks: What watches the training and may stop it, such as `fn.EarlyStopping()`.
            verbose: "auto": in a notebook one output with a bar, the last figures and a small curve, in a terminal a
                bar and a line an epoch, elsewhere only a line if kernels must be compiled first; True (also 1, 2):
                elsewhere also a line an epoch, at level INFO of the logger "fastnn", on stderr where `logging` has no
                handler; False (also 0): silence. `logging` alone asks for these lines by
                `logging.getLogger("fastnn").setLevel(logging.INFO)`.

        Returns:
            `self.history`, the record of all trainings so far.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be trained on: NaN, labels out of range, too few samples.
            TypeError: For arguments of another kind.
            ValueError: For arguments out of range, or that exclude each other.
            NonFiniteError: When the loss is no longer finite.
            FastnnError: While another `fit` of this model, or by this optimizer, runs.
            OutOfMemoryError: If it would take more memory than this process may.

        Examples:
            >>> history = model.fit(x, y, epochs=3, validation_split=0.2)
            >>> len(history["val_loss"])
            3
        """
        taken, watching = self._optimizer(optimizer), callbacks_of(callbacks)
        settings = Settings(taken, batch_size, epochs, steps_per_epoch, steps_per_block, shuffle, watching, verbose)
        check_copies(x, y)
        with self.learning() as expected:
            source = training_source(expected, x, y, sample_weight, class_weight, settings.steps_per_epoch)
            validated = validation_source(expected, validation_data, settings.epochs)
            source, validated = split_apart(expected, source, validated, validation_split)
        turn = [True]
        try:
            self._lock.claim(turn)
            claim_optimizer(settings.optimizer, turn)
            fit_statistics(self, source)
            return train(self, settings, source, validated)
        finally:
            turn.clear()

    @hinted
    def train_on_batch(
        self, x: Any, y: Any, *, optimizer: OptimizerName | Optimizer = "adam", sample_weight: Any = None
    ) -> dict[str, float]:
        """One step of training on exactly this batch, for a loop of your own; its loss and metrics before the step.

        The compiled step is kept, so the next call costs what a step of `fit` does. Epochs and history are the loop's
        business: `model.epoch` stays, and nothing is recorded.

        Args:
            x: The inputs of the batch, (N, *input_shape).
            y: Its targets, as for `fit`.
            optimizer: As in `fit`.
            sample_weight: How much each sample counts in the loss, (N,).

        Returns:
            The figures by name: {"loss": ..., "accuracy": ...}.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be trained on.
            TypeError: For arguments of another kind, such as streams.
            ValueError: For arguments out of range.
            NonFiniteError: If the loss is not finite.
            FastnnError: Within `fn.distributed()`.

        Examples:
            >>> for i in range(0, 30, 10):
            ...     figures = model.train_on_batch(x[i : i + 10], y[i : i + 10], optimizer="adam")
            >>> sorted(figures)
            ['accuracy', 'loss']
        """
        refuse("train_on_batch")
        with self.learning() as expected:
            batch = checked_batch(expected, x, y, sample_weight)
        with self._lock.steps():
            self._lock.check_step()
            return take_step(self, self._kept, self._optimizer(optimizer), batch)

    def _optimizer(self, given: OptimizerName | Optimizer) -> Optimizer:
        """The optimizer itself, or that of this model by name: one for all calls."""
        if isinstance(given, Optimizer):
            return given
        if not isinstance(given, str):
            raise TypeError(f"optimizer is {given!r}, expected an optimizer such as SGD(0.1), or the name of one")
        if given not in self._optimizers:
            self._optimizers[given] = optimizers.from_config({"name": given})
        return self._optimizers[given]
