"""The scripts on the page about clusters are shell."""

import re
import shutil
import subprocess

import pytest

from tests.pages import PAGES

SCRIPTS = re.findall(r"^```sh\n(#!.*?)^```", PAGES["clusters.md"], re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", [["sh", "-n"], ["shellcheck", "-"]], ids=["sh", "shellcheck"])
def test_a_shell_reads_them(command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    assert SCRIPTS
    for script in SCRIPTS:
        done = subprocess.run(command, input=script, text=True, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
