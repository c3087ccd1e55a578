"""The history as a table on disk."""

import fastnn as fn
from tests.tiny import fit, tiny_model


def test_csv_logger(tmp_path):
    path = tmp_path / "history.csv"
    model = fit(tiny_model(), epochs=2, callbacks=[fn.CSVLogger(path)])
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "epoch,loss,accuracy,lr,seconds,samples_per_second"
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [str(e["epoch"]), str(e["loss"])] for e in model.history.epochs
    ]
