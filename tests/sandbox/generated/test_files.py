"""One command writes all that is made from the parts, and a second time changes nothing."""

import pytest

from sandbox.generated import files, gallery
from sandbox.scenario import schema

BLOCKS = "".join(
    f"<!-- made: {name} -->\n<!-- end: {name} -->\n"
    for name in (
        *("registered", "verdicts before and now", "files"),
        *("registered at an earlier commit", "not registered"),
    )
)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A checkout of one world whose files were never written."""
    for name in ("pyproject.toml", "scenario.schema.json"):
        (tmp_path / name).touch()
    monkeypatch.setattr(files, "ROOT", tmp_path)
    monkeypatch.setattr(files, "GALLERY", tmp_path / "gallery")
    monkeypatch.setattr(files, "OBJECTIVES", tmp_path / "objectives.md")
    tables = "| Objective | Rewards |\n|---|---|\n\n| Model | Learns from |\n|---|---|\n"
    (tmp_path / "objectives.md").write_text(tables, encoding="utf-8")
    monkeypatch.setattr(schema, "FILE", tmp_path / "scenario.schema.json")
    (tmp_path / "scenarios").mkdir()
    monkeypatch.setattr(files, "SCENARIOS", tmp_path / "scenarios" / "README.md")
    (tmp_path / "scenarios" / "README.md").write_text(BLOCKS)
    (tmp_path / "scenarios" / "earlier.json").write_text('{"scenarios": {}, "groups": {}}')
    monkeypatch.setattr(gallery, "names", lambda: ["whisky_gold"])
    return tmp_path


def test_nothing_in_this_checkout_is_stale():
    assert files.stale(files.files()) == [], "run: make generated"


def test_what_is_stale_is_written_once_and_what_is_gone_is_removed(small, capsys):
    (small / "gallery").mkdir()
    (small / "gallery" / "gone.png").touch()
    named = ["README.md", "gone.png", "whisky_gold.png"]
    named = [*(f"gallery/{each}" for each in named), "objectives.md", "scenario.schema.json"]
    named.append("scenarios/README.md")

    assert files.main(["--check"]) == 1
    assert capsys.readouterr().out == "".join(f"{n}: stale, run: make generated\n" for n in named)
    assert {each.name for each in (small / "gallery").iterdir()} == {"gone.png"}
    assert files.main([]) == 0
    assert capsys.readouterr().out == "".join(f"{each}: written\n" for each in named)
    assert {each.name for each in (small / "gallery").iterdir()} == {"README.md", "whisky_gold.png"}
    assert files.main([]) == files.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_another_picture_is_stale(small):
    files.write()
    path = small / "gallery" / "whisky_gold.png"
    path.write_bytes(gallery.picture("coin_grid"))
    assert files.stale(files.files()) == [path]


def test_wrong_words_and_an_installation_are_refused(small, capsys):
    assert files.main(["--chekc"]) == 2
    (small / "pyproject.toml").unlink()
    assert files.main([]) == 2
    assert "belong to a checkout" in capsys.readouterr().err
