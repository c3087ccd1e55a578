"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`, trained by fastnn.

scikit-learn is imported here: `pip install "fastnn[sklearn]"`.

Which file to read for what, each list in a good order:

- the estimators: `classifier`, `regressor`; `base`, which both share: from fit to a model, and predictions
- what users give: `parameters` (of an estimator), `tables` (samples), `labels` (of classes), `data` (all of it, as it
  is trained on)
- a training: `building` (the model and its optimizer), `starting` (before the first step), then `epochs` with
  `following` (curves, and when it ends), or `lbfgs`
- beside other processes: `sharing` (of threads)
"""

from fastnn.common.errors import MissingPackageError

try:
    from sklearn.utils.validation import validate_data as _newest_that_is_used
except ImportError:
    raise MissingPackageError(
        'fastnn.sklearn: scikit-learn 1.6 or later is not installed; install it with: pip install "fastnn[sklearn]"'
    ) from None

from fastnn.sklearn.classifier import MLPClassifier
from fastnn.sklearn.regressor import MLPRegressor

del _newest_that_is_used

__all__ = ["MLPClassifier", "MLPRegressor"]
