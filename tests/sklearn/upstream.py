"""scikit-learn's own tests of its MLPs, run with ours: `python -m tests.sklearn.upstream`.

The file is read where scikit-learn is installed. Its import of the estimators is changed, and
`_optimizer.learning_rate` is `_optimizer.lr`, as fastnn's optimizers call it. Further arguments go to pytest.
"""

import sys
import tempfile
from pathlib import Path

import pytest

CHANGES = {
    "from sklearn.neural_network import MLPClassifier, MLPRegressor": (
        "from fastnn.sklearn import MLPClassifier, MLPRegressor"
    ),
    "._optimizer.learning_rate": "._optimizer.lr",
}

# What cannot apply, and why.
EXCEPT = {
    "test_fit": "sets coefs_ and a dozen private attributes by hand before partial_fit; ours are views of model_",
    "test_gradient": "calls the private _loss_grad_lbfgs; fn.check_gradients does the same for any model",
    "test_early_stopping_stratified": "expects label 1 to be called 'True' in the message; ours says the label",
}

CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""


def changed() -> str:
    """The text of scikit-learn's file with the changes; ValueError if one of them has nothing to change."""
    import sklearn.neural_network.tests as folder

    text = (Path(folder.__file__).parent / "test_mlp.py").read_text(encoding="utf-8")
    for old, new in CHANGES.items():
        if old not in text:
            raise ValueError(f"scikit-learn's test_mlp.py has no {old!r} any more")
        text = text.replace(old, new)
    if gone := [name for name in EXCEPT if f"def {name}(" not in text]:
        raise ValueError(f"scikit-learn's test_mlp.py has no {gone} any more")
    return text


def main(arguments: list[str]) -> int:
    """Run the tests that apply; pytest's exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_mlp_of_sklearn.py").write_text(changed(), encoding="utf-8")
        (folder / "conftest.py").write_text(CONFTEST, "utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
        skipped = [f"--deselect=test_mlp_of_sklearn.py::{test}" for test in EXCEPT]
        code = int(pytest.main([f"--rootdir={folder}", str(folder), "-p", "no:cacheprovider", *skipped, *arguments]))
    for test, reason in EXCEPT.items():
        sys.stdout.write(f"not run: {test}: {reason}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
