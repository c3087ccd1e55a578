"""What a process loads to train: it is started once for each trial of a search, or for each worker of joblib."""

from tests.tiny import jit_only, python

# What pictures, files, pages and commands need; and all that Numba can compile, where nothing is to be compiled.
NOT_NEEDED = ["matplotlib", "h5py", "rich", "jinja2", "click", "numba.typed.typeddict"]
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
