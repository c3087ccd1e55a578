"""What a release is made of: one version, metadata for a package index, and files that hold what they should."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest

import fastnn as fn

ROOT = Path(__file__).parents[2]
HOME = "https://github.com/fastnn/fastnn"
MOST_KB = 1250  # of the wheel, which has 1,200, all of it sources
MOST_KB_OF_A_FILE = 6  # packed; the largest has 4.5: a picture, a data set or a page of a site in it would be more

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="an installed copy has no sources")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the wheel and the sdist of this tree, made by the build backend itself, which needs no network."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    pytest.importorskip("hatch_fancy_pypi_readme", reason="the build backend's plugin is not installed")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(made):
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    """The headers that a package index reads; the payload is the page that it shows."""
    with zipfile.ZipFile(wheel) as file:
        content = file.read(f"fastnn-{fn.__version__}.dist-info/METADATA")
    return BytesParser(policy=default).parsebytes(content)


def targets(text):
    """Where pictures and links of Markdown lead; those within code are none."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def test_a_package_index_shows_the_pictures_and_follows_the_links(metadata):
    beside = [target for target in targets((ROOT / "README.md").read_text("utf-8")) if ":" not in target]
    assert len(beside) > 4, "in the repository they stay relative"
    assert [target for target in beside if target[0] != "#" and not (ROOT / target.partition("#")[0]).exists()] == []
    page = metadata.get_content()
    assert [target for target in targets(page) if not target.startswith(("https://", "#"))] == []
    at_tag = f"v{fn.__version__}/docs/trigram.png"
    assert f"](https://raw.githubusercontent.com/fastnn/fastnn/{at_tag})" in page
    assert f"]({HOME}/blob/v{fn.__version__}/docs/promises.md)" in page
    assert metadata["Description-Content-Type"].startswith("text/markdown")


def test_metadata_name_the_versions_and_systems_that_the_workflow_tests(metadata):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    assert set(jobs["release"]["needs"]) == set(jobs) - {"release"}, "a release waits for every other job"
    matrix, known = jobs["test"]["strategy"]["matrix"], metadata.get_all("Classifier")
    python = "Programming Language :: Python :: "
    assert [f"{python}{version}" for version in matrix["python"]] == [k for k in known if re.search(r":: 3\.\d+$", k)]
    assert metadata["Requires-Python"] == f">={matrix['python'][0]}"
    systems = {"ubuntu-latest": "POSIX :: Linux", "macos-latest": "MacOS", "windows-latest": "Microsoft :: Windows"}
    assert {f"Operating System :: {systems[name]}" for name in matrix["os"]} == {
        name for name in known if name.startswith("Operating System")
    }


def test_all_pages_name_one_home(metadata):
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL"))
    assert {"Homepage", "Source", "Issues", "Changelog", "Documentation"} <= set(urls)
    assert [url for url in urls.values() if not url.startswith(HOME)] == []
    for name in ("CITATION.cff", "SECURITY.md", "CONTRIBUTING.md"):
        assert HOME in (ROOT / name).read_text("utf-8"), name


def test_the_version_stands_in_one_place(metadata):
    assert metadata["Version"] == fn.__version__
    headings = re.findall(r"^## (\S+), ", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == fn.__version__, "the first heading of CHANGELOG.md is about this version"
    for name in ("pyproject.toml", "CITATION.cff"):
        assert not re.search(r'^version\s*[=:]\s*"?\d', (ROOT / name).read_text("utf-8"), re.MULTILINE), name


def test_the_wheel_holds_the_two_packages_alone(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        packed = {one.filename: one.compress_size for one in file.infolist() if ".dist-info/" not in one.filename}
    assert {name.partition("/")[0] for name in names} == {
        "fastnn",
        "fastnn_kernels",
        f"fastnn-{fn.__version__}.dist-info",
    }
    assert {Path(name).suffix for name in packed} <= {".py", ".typed", ".html", ".json"}
    assert {name: size for name, size in packed.items() if size > MOST_KB_OF_A_FILE * 1000} == {}
    assert wheel.stat().st_size <= MOST_KB * 1000


def test_the_sdist_holds_what_the_repository_does(made):
    (path,) = made.glob("*.tar.gz")
    with tarfile.open(path) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {"CITATION.cff", "SECURITY.md", "LICENSE", "tests/conftest.py", "docs/trigram.png", "PKG-INFO"} <= names
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or "README.md" not in listed.stdout.split():
        pytest.skip("no git repository: whether other files are in it cannot be seen")
    new = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert names - {"PKG-INFO"} - {*listed.stdout.split("\n"), *new.stdout.split("\n")} == set()


def test_the_citation_can_be_read():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(about), "what the format demands"
    assert about["license"] == "BSD-3-Clause"
