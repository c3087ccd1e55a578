"""Pages that the code makes are those that the code would make today."""

from pathlib import Path

from bench.a_step import Page, trigram_step

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_a_step_is_what_the_running_code_schedules():
    want = Page(*trigram_step()).text()
    assert (DOCS / "a-step.md").read_text(encoding="utf-8") == want, "run: python -m bench.a_step > docs/a-step.md"
