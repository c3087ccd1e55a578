"""What a process loads to train: it is started once for each trial of a search, or for each worker of joblib."""

from tests.tiny import jit_only, python

# What pictures, files, pages and commands need; and all that Numba can compile, where nothing is to be compiled.
NOT_NEEDED = ["matplotlib", "h5py", "rich", "jinja2", "click", "numba.typed.typeddict", "numba.np.arrayobj", "numpy.ma"]
CODE = f"""
import sys
import numpy as np
import fastnn as fn

x = np.random.default_rng(0).normal(size=(20, 3))
model = fn.Sequential([fn.Dense(4, "relu"), fn.Dense(2)], input_shape=3)
model.fit(x, (x[:, 0] > 0).astype(int), batch_size=8, epochs=2, verbose=False)
model.predict(x)
print([name for name in {NOT_NEEDED} if name in sys.modules])
"""


@jit_only
def test_a_training_loads_what_it_needs():
    python(CODE)  # compiles what the cache does not have
    assert python(CODE).strip() == "[]"


FIRST_COLLECTIONS = """
import gc
looked_at = []

def note(phase, info):
    if phase == "start":
        looked_at.append(len(gc.get_objects(generation=0)))

gc.callbacks.append(note)
import fastnn
kept = [[] for _ in range(5000)]  # brings some collections about
print(max(looked_at), len(gc.get_objects()), gc.get_freeze_count())
"""


def test_no_collection_after_an_import_looks_at_all_that_it_made():
    most, there, frozen = map(int, python(FIRST_COLLECTIONS).split())
    assert 0 < most < there / 10
    assert not frozen


def test_what_a_user_froze_stays_frozen():
    assert int(python("import gc; gc.freeze(); import fastnn; print(gc.get_freeze_count())")) > 1000
