"""What names of figures tell."""

import pytest

from fastnn.common.figures import higher_is_better, is_fraction, label_of, scale_of, unit_of

HIGHER = (
    "accuracy", "val_accuracy", "test_sign_accuracy", "price_accuracy", "top_5", "val_kind_top_10", "r2", "val_r2",
    "auc", "f1", "r2_score", "roc_auc_score", "d2_absolute_error_score", "neg_mean_squared_error", "loss_accuracy",
)  # fmt: skip
LOWER = (
    "loss", "val_loss", "price_loss", "mae", "val_mse", "rmse", "perplexity", "log_loss", "brier_score_loss",
    "mean_absolute_error", "max_error", "mean_poisson_deviance", "neg_accuracy", "score_loss", "seconds",
)  # fmt: skip


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better(name):
    assert higher_is_better(name)
    assert not higher_is_better(name, "min")


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better(name):
    assert not higher_is_better(name)
    assert higher_is_better(name, "max")


@pytest.mark.parametrize("name", ["cost", "lr", "bias", "samples_per_second", "val", ""])
def test_a_name_that_does_not_tell(name):
    with pytest.raises(ValueError, match=r"cannot tell .*; say mode='max' or mode='min'"):
        higher_is_better(name)


def test_fractions():
    assert all(map(is_fraction, ("accuracy", "val_accuracy", "sign_accuracy", "top_5", "val_top_10", "kind_top_2")))
    assert not any(map(is_fraction, ("loss", "val_r2", "top_five", "top_5_error", "stop_5", "laptop_3")))


def test_fractions_are_drawn_in_per_cent():
    assert [(scale_of(name), unit_of(name), label_of(name)) for name in ("val_accuracy", "test_loss")] == [
        (100.0, "%", "val accuracy, %"),
        (1.0, "", "test loss"),
    ]
