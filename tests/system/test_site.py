"""The documentation site is built without a warning, and nothing in it is loaded from a network."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.pages import PAGES, ROOT

TOOLS = ("mkdocs", "material", "mkdocstrings_handlers.python", "mkdocs_jupyter")


def is_installed(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(
    not all(is_installed(name) for name in TOOLS), reason="the site is built by mkdocs: pip install -e '.[docs]'"
)
def test_it_is_built_and_loads_nothing_from_elsewhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "RUN_NOTEBOOKS": "false"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Formatting signatures" not in done.stderr  # else each is one line, some of 7000 px
    pages = {path: path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) >= len(PAGES)
    for path, page in pages.items():
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^\s>]+", page)
        loaded += re.findall(r"<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload)[^>]*//[^>]+", page)
        loaded += re.findall(r"(?:@import|url\()[\"' ]*https?://[^)]+", page)
        assert loaded == [], path
