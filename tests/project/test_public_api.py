"""What other packages may use is exported by ``sandbox``, and costs nothing until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sandbox

HEAVY = {"torch", "gymnasium", "pydantic", "numpy", "pandas", "plotly", "envs", "agents"}


def test_every_exported_name_resolves_and_nothing_else_is_exported():
    assert sandbox.__all__ == sorted(sandbox.__all__)
    assert {*sandbox._HOME} == {*sandbox.__all__} - {"__version__"}
    for name in sandbox.__all__:
        assert getattr(sandbox, name) is not None
    assert {*sandbox.__all__} <= {*dir(sandbox)}


def test_type_checkers_see_the_same_names_from_the_same_homes():
    tree = ast.parse(Path(sandbox.__file__).read_text(encoding="utf-8"))
    block = next(each for each in tree.body if isinstance(each, ast.If))
    seen = {name.name: each.module for each in block.body for name in each.names}
    assert seen == sandbox._HOME


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Wrold'"):
        _ = sandbox.Wrold


def test_importing_sandbox_imports_nothing_heavy():
    code = "import sys, sandbox; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {*done.stdout.split()}


def test_the_version_is_said_once():
    text = (Path(sandbox.__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{sandbox.__version__}"' in text
