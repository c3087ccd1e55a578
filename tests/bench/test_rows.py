"""What a report says of the peers' forms."""

from bench.report import forms
from bench.rows import rows_of


def info(system, form):
    figures = {"fastnn us": 1.0, "peer us": 2.0, "ratio": 2.0, "quartiles": [1.9, 2.1]}
    return {
        "system": system,
        "peer": "PyTorch",
        "form": form,
        "threads": 2,
        "versions": {},
        "disturbed": None,
    } | figures


def test_a_row_has_the_form_of_its_peer():
    assert rows_of([info("moons", "eager")])[0].form == "eager"
    assert rows_of([info("moons", "eager"), info("moons", "compiled")])[0].form == "compiled or eager"


def test_forms_are_listed_with_their_systems():
    rows = rows_of([info("moons", "eager"), info("trigram", "compiled"), info("mnist-mlp", "eager")])
    assert forms(rows) == ["PyTorch: compiled (`trigram`); eager (`moons`, `mnist-mlp`)."]


def test_results_from_before_there_were_forms_have_none():
    old = info("moons", "")
    del old["form"]
    assert forms(rows_of([old])) == []
