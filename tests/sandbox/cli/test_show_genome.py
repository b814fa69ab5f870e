"""``sandbox show RUN --genome``: the right moment of the right agent, and plain words if not."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from sandbox.cli.look import show
from sandbox.errors import InputError
from sandbox.record.events import Edited, from_line, to_line


@pytest.fixture
def run(scenario, write_run):
    """One seed. Edits at updates 4, 12, 20, 28, half of them refused; the others add 8."""
    folder = write_run({**scenario, "seeds": [0]})
    for path in folder.glob("trials/*/events.jsonl"):
        shown, units = [], 32
        for line in path.read_text().splitlines(keepends=True):
            event = from_line(line)
            if isinstance(event, Edited):
                units += 8 * event.applied
                layers = [{"kind": "dense", "units": units}]
                architecture = {**event.genome["architecture"], "layers": layers}
                event = replace(event, genome={**event.genome, "architecture": architecture})
            shown.append(to_line(event) + "\n")
        path.write_text("".join(shown))
    return folder


def ask(*args):
    return CliRunner().invoke(show, [str(each) for each in args], catch_exceptions=False)


def test_alone_it_is_the_whole_edit_history_of_the_first_trial(run):
    said = ask(run, "--genome").output

    assert "data_coverage=0,freeze_editor=0, seed 0: start → update 20" in said
    assert "dense 32 → 48" in said
    assert said.count("\n~ ") == 3  # the three lines of one box
    assert said.count("widen(layer=0, units=8); applied") == 2


@pytest.mark.parametrize(
    ("moments", "shown"),
    [
        ("start", "dense 32"),
        ("3", "dense 32"),
        ("4", "dense 32 → 40"),
        ("12:end", "dense 40 → 48"),
        ("20:end", "dense 48"),
        ("start:19", "dense 32 → 40"),
    ],
)
def test_moments_are_updates(run, moments, shown):
    assert f"{shown}  (layer 0)" in ask(run, "--genome", moments).output


def test_json_has_genome_and_changes(run):
    found = json.loads(ask(run, "--genome", "--json").output)

    assert (found["kind"], found["agent"], found["update"]) == ("genome", "agent", 20)
    assert found["genome"]["architecture"]["layers"] == [{"kind": "dense", "units": 48}]
    assert found["changes"] == [
        {"path": "architecture.layers[0].units", "before": "32", "after": "48"}
    ]


def test_the_picture_is_an_svg(run, tmp_path):
    path = tmp_path / "genome.svg"

    assert ask(run, "--genome", "--picture", path).output == f"{path}\n"
    assert "changed:architecture.layers[0].units" in path.read_text()
    assert ET.parse(path).getroot().get("role") == "img"  # noqa: S314


def test_a_trial_is_found_by_the_beginning_of_its_id(run):
    frozen = next(p for p in run.glob("trials/*") if '"freeze_editor": 1' in spec_of(p))

    assert "freeze_editor=1" in ask(run, "--genome", "--trial", frozen.name[:8]).output


def spec_of(folder):
    return (folder / "spec.json").read_text().replace("1.0", "1")


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--genome", "soon"], "'soon' is not a moment of an agent run: start, end, or the number"),
        (["--genome", "--trial", "zzz"], "no trial begins with 'zzz'; there are "),
        (["--genome", "--agent", "agnet"], "no agent is called 'agnet'; there are agent — did you"),
        (["--genome", "--picture", "x.png"], "a genome is drawn as .svg, not '.png'"),
    ],
)
def test_what_cannot_be_shown_is_said(run, args, reason):
    with pytest.raises(InputError, match=reason.replace("(", r"\(")):
        ask(run, *args)


def test_only_runs_have_genomes():
    with pytest.raises(InputError, match="--genome wants a run folder"):
        ask("coin_grid", "--genome")
    assert "--trial and --agent go with --genome" in ask("coin_grid", "--trial", "x").output
