"""The pages of the documentation, and what stands in them: blocks of Python and command lines."""

import ast
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
README = (ROOT / "README.md").read_text("utf-8")


def blocks(text):
    """The blocks of Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def missing_packages(block):
    """Packages that a block imports and that are not installed."""
    found = {alias.name for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom) and node.module}
    packages = {name.partition(".")[0] for name in found} - {*sys.stdlib_module_names}
    return sorted(name for name in packages if find_spec(name) is None)


def command_lines(text):
    """The words of every `fastnn …` command of a page: of its blocks, one a line, and of its code within sentences."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    fenced = "\n".join(block for language, block in blocks if language in ("", "sh"))
    lines = re.findall(r"^(fastnn .*)$", fenced, re.MULTILINE) + re.findall(r"^ {4}(fastnn .*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines + re.findall(r"`(fastnn [^`\n]*)`", text)]
