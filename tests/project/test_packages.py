"""The packages stand in the order of CONTRIBUTING.md, and every import goes up it.

Imports inside functions and for type checkers count.
"""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sandbox.catalogue import PART_FOLDERS
from tests.project.import_graph import MOST_FILES, Source, by_row, circles

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Source(ROOT)
PACKAGES_OF_PARTS = {package for package, _ in PART_FOLDERS.values()}
TOPS = {"agents", "envs", "sandbox"}


def test_no_modules_and_no_packages_import_one_another_in_a_circle():
    assert circles(SOURCE.imports) == []
    assert circles({name: frozenset(each) for name, each in by_row(SOURCE).items()}) == []


def test_a_package_imports_only_from_the_rows_above_it():
    assert SOURCE.against_the_order() == []


@pytest.mark.parametrize("package", sorted(set(SOURCE.packages) - PACKAGES_OF_PARTS))
def test_a_package_holds_few_files(package):
    assert len(SOURCE.packages[package]) <= MOST_FILES


def test_every_module_has_its_row_and_every_row_its_modules():
    assert [name for name in SOURCE.modules if SOURCE.rank(name) < 0] == []
    named = {SOURCE.rank(name) for name in SOURCE.modules}
    assert named == set(range(len(SOURCE.order)))


@pytest.mark.parametrize("row", SOURCE.order, ids=lambda row: row.names[0])
def test_a_row_says_of_its_package_what_the_package_says_of_itself(row):
    path = SOURCE.modules[row.names[0]]
    if path.name == "__init__.py" and row.names[0] not in TOPS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree).partition("\n")[0] == row.sentence
    else:
        assert row.sentence.endswith(".")


def test_part_folders_are_said_to_hold_one_file_a_part():
    expected = {row.names[0] for row in SOURCE.order if "one file a part" in row.sentence}
    assert expected == PACKAGES_OF_PARTS


def test_the_command_prints_it():
    command = [sys.executable, "tests/project/import_graph.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].endswith(" 0 circles, 0 imports against the order")


# --- the reader sees what it should --------------------------------------------------------------

TABLE = """
## The packages, in order

| package | what it is | what you add here |
|---|---|---|
| `agents/ground.py` | The ground. | nothing |
| `agents/low/` | Low. | a file |
| `agents/high/` | High. | a file |

## Something else
"""


@pytest.fixture
def planted(tmp_path):
    """A checkout of three rows; returns what writes one file and reads all again."""
    (tmp_path / "CONTRIBUTING.md").write_text(TABLE, encoding="utf-8")

    def write(name="agents/ground.py", text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return Source(tmp_path)

    for name in ("agents/ground.py", "agents/low/__init__.py", "agents/high/__init__.py"):
        write(name)
    write("agents/low/one.py", "from agents import ground\n")
    write("agents/high/two.py", "from agents.low.one import x\n")
    return write


def test_a_sound_tree_has_nothing_against_it(planted):
    source = planted()
    assert circles(source.imports) == source.against_the_order() == []
    assert source.rank("agents.low.one") == 1
    assert source.packages["agents.high"] == ["agents.high.two"]


@pytest.mark.parametrize(
    "text",
    [
        "from agents.high.two import y\n",
        "def late():\n    from agents.high.two import y\n",
        "if TYPE_CHECKING:\n    from agents.high import two\n",
        "import agents.high.two\n",
    ],
)
def test_a_circle_and_a_wrong_import_are_seen_wherever_they_are_written(planted, text):
    source = planted("agents/low/one.py", text)
    assert circles(source.imports) == [["agents.high.two", "agents.low.one"]]
    assert source.against_the_order() == ["agents.low.one -> agents.high.two"]


def test_a_circle_of_packages_without_one_of_modules_is_seen(planted):
    source = planted("agents/low/other.py", "from agents.high import two\n")
    source = planted("agents/high/two.py", "from agents.low import one\n")
    assert circles(source.imports) == []
    assert circles(by_row(source)) == [["agents.high", "agents.low"]]


def test_a_file_without_a_row_is_seen(planted):
    assert planted("agents/other.py").rank("agents.other") < 0


def test_every_package_is_listed_for_the_wheel():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(data["tool"]["setuptools"]["packages"])
    assert listed == {*SOURCE.packages, "sandbox.scenarios"}
    assert all((ROOT / top / "py.typed").is_file() for top in TOPS)
