"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`, trained by fastnn.

scikit-learn is imported here: `pip install "fastnn[sklearn]"`.
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
