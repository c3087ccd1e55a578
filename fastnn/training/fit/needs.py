"""What a training that is about to begin takes of memory, with its data, callbacks and copies."""

from dataclasses import dataclass, replace

from fastnn.data.source import Source
from fastnn.training.callbacks import Run
from fastnn.training.fit.rollback import LastGoodState
from fastnn.training.models.model import Predictor
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.memory import Memory, at_most, of_record, of_step


@dataclass(frozen=True)
class Needs:
    """What a training takes of memory. It does not hold the loop, which would outlive its use in a circle.

    optimizer_present : how many bytes of the optimizer's state were in memory before the training
    """

    model: Predictor
    source: Source
    validation: Source | None
    runner: Runner
    good: LastGoodState
    optimizer_present: int

    def __call__(self, run: Run, exactly: bool = True) -> Memory:
        """What `run` will take. Not exactly: at most, in less time."""
        model, step = self.model, self.runner.step
        data = [source.memory(run.batch_size) for source in (self.source, self.validation) if source is not None]
        memory = of_step(model.network, step, self.source.samples) if exactly else at_most(step)
        return replace(
            memory,
            gradients=memory.gradients + self.runner.bytes_of_messages,
            parameters=model.state.nbytes,
            data=sum(data) if self.source.in_memory else max(data),
            optimizer=sum(array.nbytes for array in run.optimizer.flat_state()),
            evaluation=model.memory_to_evaluate(self.validation) if self.validation is not None else 0,
            copies=self.good.nbytes(of_record(step, run.steps, 0)),
            callbacks=sum(callback.bytes_kept(run) for callback in run.callbacks),
            record=of_record(step, run.steps, run.last_epoch - run.epoch),
            present=model.state.nbytes + self.optimizer_present + (data[0] if self.source.in_memory else 0),
        )
