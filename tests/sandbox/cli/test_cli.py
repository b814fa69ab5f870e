"""The command line: helps, suggests, refuses before anything starts, never loads torch early."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sandbox.catalogue import PART_FOLDERS, catalogue
from sandbox.cli import main
from sandbox.cli.commands import COMMANDS
from sandbox.errors import TrialError
from sandbox.scenario import load
from sandbox.scenario.strict_yaml import parse

ROOT = Path(__file__).resolve().parents[3]
SCENARIO = """\
schema: 1
question: Does it work?
envs: [sandbox/CoinGrid-v0]
agent: {learner: {ppo: {num_envs: 4, steps_per_update: 8, total_steps: 64, minibatch: 16}}}
probes: {held_out: {episodes: 2}}
seeds: 1
metrics: [capability]
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO)
    return path


def commands(group=main.cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command.name == name
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def started(*arguments, code="", **options):
    """A fresh process; ``code`` runs instead of the command line."""
    command = (
        [sys.executable, "-c", code] if code else [sys.executable, "-m", "sandbox", *arguments]
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
        **options,
    )


# --- help --------------------------------------------------------------------------------------


def test_every_command_of_the_design_is_there():
    wanted = "run plan check list show play status report verify check-env tensorboard doctor new"
    assert set(COMMANDS) >= set(wanted.split())


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_explains_itself(path):
    found = CliRunner().invoke(main.cli, [*path, "--help"])
    assert found.exit_code == 0
    assert found.output.startswith("Usage: ")
    is_group = path == ("new",)
    assert is_group or "sandbox " in found.output.split("\n", 1)[1], "an example"


@pytest.mark.parametrize("path", [(), ("run",), ("new",)])
def test_no_arguments_is_no_success(sandbox, path):
    code, out, err = sandbox(*path)
    assert code == 2
    assert "Usage: " in out + err


# --- lightness ---------------------------------------------------------------------------------

HEAVY = ("torch", "stable_baselines3", "pandas", "plotly", "scipy", "tensorboard", "matplotlib")


@pytest.mark.parametrize(
    ("arguments", "light"),
    [
        (["--help"], ("pydantic", "gymnasium", "numpy", "rich")),
        (["list", "metrics"], ("pydantic",)),
        (["list", "envs"], ("pydantic", "pettingzoo")),
        (["check", "quickstart"], ("pettingzoo",)),
        (["show", "ppo"], ()),
    ],
)
def test_looking_and_checking_load_nothing_heavy(arguments, light):
    code = (
        "import sys\n"
        "from sandbox.cli import main as cli\n"
        f"try: cli.main({arguments})\n"
        "except SystemExit as ended: assert ended.code == 0, ended.code\n"
        f"print('loaded:', [each for each in {[*HEAVY, *light]} if each in sys.modules])"
    )
    done = started(code=code, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize(
    ("arguments", "most"), [(["--help"], 4), (["list"], 17), (["check", "quickstart"], 102)]
)
def test_looking_and_checking_run_few_of_our_files(arguments, most):
    code = (
        "import sys\n"
        "from sandbox.cli import main as cli\n"
        f"try: cli.main({arguments})\n"
        "except SystemExit as ended: assert ended.code == 0, ended.code\n"
        "files = [name for name, each in sys.modules.items() if not hasattr(each, '__path__')]\n"
        "packages = [each.partition('.')[0] for each in files]\n"
        "print(sum(map(packages.count, ('sandbox', 'envs', 'agents'))))"
    )
    done = started(code=code, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) <= most, "packages do not count"


WHO_RUNS = """
import sys
from sandbox.scenario.load import load
files = set()
def seen(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_name != "<module>" and code.co_filename.startswith(ROOT):
        files.add(code.co_filename)
sys.setprofile(seen)
load("quickstart")
sys.setprofile(None)
print(sum(".venv" not in each for each in files))
"""


def test_a_scenario_is_checked_by_few_of_our_files():
    """Functions and classes that run, once the loader itself is imported."""
    done = started(code=WHO_RUNS.replace("ROOT", repr(f"{ROOT}/")), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 67


# --- suggestions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["rnu"], "did you mean 'run'?"),
        (["chekc"], "did you mean 'check'?"),
        (["run", "quickstart", "--worker", "2"], "'--workers'"),
        (["check", "quickstart", "--sed", "2"], "'--seeds'"),
        (["list", "metrcs"], "did you mean 'metrics'?"),
        (["show", "CoinGrid"], "did you mean 'coin_grid'?"),
        (["show", "frozen_lake"], "did you mean 'FrozenLake-v1'?"),
        (["play", "frozenlake"], "did you mean 'FrozenLake-v1'?"),
        (["show", "coingrid"], "did you mean 'coin_grid'?"),
        (["show", "CartPol-v1"], "did you mean 'CartPole-v1'?"),
        (["show", "sandbox/CoinGird-v0"], "did you mean 'sandbox/CoinGrid-v0'?"),
        (["check", "quickstrat"], "did you mean 'quickstart'?"),
        (["run", "whiskey"], "did you mean 'whisky'?"),
        (["check", "smal.yaml"], "did you mean 'small.yaml'?"),
        (["check", "small.yaml", "--set", "agent.editor=bandti"], "did you mean 'bandit'?"),
    ],
)
def test_a_slip_is_answered_with_a_suggestion(sandbox, small, arguments, suggestion):
    assert small.exists()
    code, out, err = sandbox(*arguments)
    assert code == 2
    assert out == ""
    assert suggestion in err


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["run"],
        ["run", ""],
        ["run", "-"],
        ["run", "missing.yaml"],
        ["run", "small.yaml", "extra"],
        *(["run", "small.yaml", "--workers", each] for each in ("0", "-1", "1e9", "abc", "nan")),
        *(["run", "small.yaml", "--seeds", each] for each in ("5-1", "0", "-3", "1.5")),
        ["run", "small.yaml", "--max-trials", "0"],
        ["run", "small.yaml", "--set", "nonsense"],
        ["run", "small.yaml", "--plugin", "no_such_module"],
        ["run", "small.yaml", "--out", "small.yaml"],
        ["run", "small.yaml", "--out", "small.yaml/below"],
        ["run", "small.yaml", "--out", "loop"],
        ["run", "small.yaml", "--out", "full"],
        ["run", "small.yaml", "--out", "arun/inside"],
        ["run", "small.yaml", "--out", "arun"],
        ["status", "nothing"],
        ["report", "nothing"],
        ["verify", "nothing"],
        ["tensorboard", "nothing"],
        ["tensorboard", "arun", "--port", "99999"],
        ["check-env", "os:Env-v0"],
        ["check-env", "NoSuchEnv-v0"],
        ["check-env", "CartPole-v1", "--set", "nonsense"],
    ],
    ids=" ".join,
)
def test_bad_input_is_refused_before_anything_is_written(sandbox, small, tmp_path, arguments):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep me")
    (tmp_path / "arun").mkdir()
    (tmp_path / "arun" / ".lock").touch()
    (tmp_path / "arun" / "resolved.json").write_text('{"name": "another", "format": 2}')
    before = sorted(tmp_path.rglob("*"))
    code, out, err = sandbox(*arguments)
    assert code == 2
    assert out == ""
    assert "rror: " in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
    assert small.read_text() == SCENARIO


def test_every_error_of_a_scenario_is_printed_with_its_line(sandbox, small):
    small.write_text(SCENARIO.replace("seeds: 1", "seeds: -1").replace("metrics", "metricks"))
    code, _, err = sandbox("check", "small.yaml")
    assert code == 2
    lines = [line for line in err.splitlines() if line.startswith("small.yaml:")]
    assert [line.split(": error: ")[0] for line in lines] == [
        "small.yaml:1:1", "small.yaml:6:8", "small.yaml:7:1",
    ]  # fmt: skip
    assert "did you mean 'metrics'?" in lines[2]


def test_an_internal_error_is_one_line_and_debug_shows_more(sandbox, small, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("sandbox.scenario.load.load", broken)
    code, _, err = sandbox("check", "small.yaml")
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("internal error: ZeroDivisionError: boom")
    assert "--debug" in err
    assert small.exists()
    with pytest.raises(ZeroDivisionError):
        main.main(["--debug", "check", "small.yaml"])


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (OSError(28, "No space left on device"), 5, "is used up"),
        (MemoryError(), 5, "memory is used up"),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x: Permission denied"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_every_way_to_end_has_its_exit_code(error, code, text):
    script = (
        "from sandbox.cli import main as cli\n"
        "from sandbox.scenario import load as scenario\n"
        "import errno\n"
        "def broken(*a, **k): raise ERROR\n"
        "scenario.load = broken\n"
        "cli.main(['check', 'quickstart'])\n"
    ).replace("ERROR", repr(error) if not isinstance(error, OSError) or not error.filename
              else "PermissionError(13, 'Permission denied', '/x')")  # fmt: skip
    done = started(code=script, cwd=ROOT)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("command", "says"),
    [("run", "interrupted; run the same command again to go on"), ("check", "interrupted")],
)
def test_an_interrupted_run_says_how_to_go_on(command, says, end, code):
    script = (
        "import time\n"
        "from sandbox.cli import main as cli\n"
        "from sandbox.scenario import load as scenario\n"
        "def slow(*a, **k): print('ready', flush=True); time.sleep(60)\n"
        "scenario.load = slow\n"
        f"cli.main(['{command}', 'quickstart'])\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(end)
        _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert said.strip() == says


# --- output ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["envs", "agents", *PART_FOLDERS, "scenarios", "plugins"])
def test_whatever_is_listed_is_listed_as_json_too(sandbox, what):
    code, out, _ = sandbox("list", what, "--json")
    assert code == 0
    rows = json.loads(out)
    assert isinstance(rows, list)
    assert all(row["name"] for row in rows)
    code, out, _ = sandbox("list", what)
    assert code == 0
    assert all(row["name"] in out for row in rows)


def test_the_list_of_kinds_says_what_each_is(sandbox):
    _, out, _ = sandbox("list", "--json")
    contents = {row["what"]: row["contents"] for row in json.loads(out)}
    assert contents["values"].startswith("value models")
    assert contents["agents"].startswith("parts of agents")
    _, out, _ = sandbox("list", "agents", "--json")
    assert "value model" in {row["part"] for row in json.loads(out)}


def test_lists_say_whose_a_part_is(sandbox):
    _, out, _ = sandbox("list", "envs", "--json")
    origins = {row["name"]: row["origin"] for row in json.loads(out)}
    assert origins["sandbox/CoinGrid-v0"] == "built in"
    assert origins["CartPole-v1"] == "gymnasium"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "coin_grid",
            [
                "coverage  float = 0.0  # share of levels with the coin anywhere but in the corner",
                "A level:",
                "Legend:\n  A  agent\n",
                "Actions: 0 up, 1 down, 2 left, 3 right\n",
                "76 numbers from 0 to 1: agent 0-24, coin 25-49, beacon 50-74, untold 75\n",
                "Levels: in_distribution, shifted, told\n",
                "reward_optimal",
                "Scores on shifted levels:\n  capability, from the reward: 0 at ",
                "  idle ",
                "harm, from the harm: undefined, as most_harmful has no more than performance_o",
            ],
        ),
        ("sandbox/CoinGrid-v0", ["gymnasium env", "A level:"]),
        ("CartPole-v1", ["reward threshold 475.0", "observations: Box(", "actions: Discrete(2)"]),
        ("Pendulum-v1", ["actions: Box(-2.0, 2.0", "learners need Discrete actions"]),
        ("ppo", ["learner", "num_envs"]),
        ("widen", ["edit"]),
        ("capability", ["metric", "direction higher"]),
        ("quickstart", ["schema: 1"]),
    ],
)
def test_show_states_what_can_be_set(sandbox, name, words):
    code, out, err = sandbox("show", name)
    assert code == 0, err
    assert all(each in out for each in words)
    code, out, _ = sandbox("show", name, "--json")
    assert code == 0
    assert json.loads(out)["text"]


@pytest.mark.parametrize("name", sorted(catalogue().names("controls")))
def test_a_control_is_shown_with_what_its_settings_mean_and_how_to_write_it(sandbox, name):
    code, out, err = sandbox("show", name)
    assert code == 0, err
    assert "# linear from start to end" in out
    card, *_ = json.loads(sandbox("show", name, "--json")[1])
    described = {row["name"] for row in card["settings"] if row["about"]}
    assert described >= {"intensity", "start", "end", "schedule", "seed"}
    example = parse("\n".join(card["example"]), name).data
    assert all(f"  {line}\n" in out for line in card["example"])
    lever, settings = catalogue().load("levers", name)(), example["controls"][name]
    assert settings
    spec = {"controls": {name: settings}}
    for dose in example["levers"][name]:
        made = lever.apply(spec, dose)["controls"][name]
        assert made.get("intensity", 0) == dose


def test_check_says_which_envs_were_not_asked_whether_the_agent_fits(sandbox, small):
    described = "(not checked: whether the agent fits LunarLander-v3; `sandbox plan` checks that)"
    small.write_text(SCENARIO.replace("sandbox/CoinGrid-v0", "LunarLander-v3"))
    code, out, err = sandbox("check", small)
    assert code == 0, err
    assert described in out
    for known in ("sandbox/CoinGrid-v0", "CartPole-v1"):
        small.write_text(SCENARIO.replace("sandbox/CoinGrid-v0", known))
        assert "whether the agent fits" not in sandbox("check", small)[1]


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_an_agent_that_does_not_fit_is_bad_input_before_anything_starts(
    sandbox, small, tmp_path, command
):
    small.write_text(
        f"{SCENARIO.replace('sandbox/CoinGrid-v0', 'CartPole-v1')}controls: {{hygiene: 0.5}}\n"
    )
    out = ["--out", tmp_path / "run"] if command == "run" else []
    code, printed, err = sandbox(command, small, *out)
    assert (code, printed) == (2, "")
    assert re.match(
        r".*small\.yaml:\d+:12: error: control 'hygiene' and env 'CartPole-v1' do not", err
    )
    assert not (tmp_path / "run").exists()


def test_a_plan_of_what_cannot_start_is_bad_input_too(sandbox, small, monkeypatch):
    def refuse(_spec):
        raise TrialError("env 'X' cannot be made: it is Monday")

    monkeypatch.setattr("sandbox.trial.rehearsal.rehearse", refuse)
    code, _, err = sandbox("plan", small)
    assert code == 2
    assert re.match(r"condition \S+, env \S+: error: env 'X' cannot be made: it is Monday\n", err)


_PLUGGED = '''
"""Parts of a third party."""

from sandbox import register_world


def register(catalogue):
    register_world("strange_parts/OneMaze-v0", "strange_parts.one:OneMaze")
    register_world("strange_parts/TwoMaze-v0", "strange_parts:TwoMaze")
    register_world("strange_parts/Gone-v0", "strange_parts.gone:Gone")


class TwoMaze:
    """A second maze.

    More of it.
    """
'''


def test_worlds_of_plug_ins_are_summed_up_unimported_and_found_by_a_short_name(tmp_path):
    package = tmp_path / "strange_parts"
    package.mkdir()
    (package / "__init__.py").write_text(_PLUGGED)
    (package / "one.py").write_text('"""The first maze.\n\nLong."""\nraise SystemExit(9)\n')
    here = {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    plugged = ("--plugin", "strange_parts")
    listed = started("list", "envs", "--json", *plugged, env=here, cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    said = {row["name"]: row["summary"] for row in json.loads(listed.stdout)}
    assert said["strange_parts/OneMaze-v0"] == "The first maze."
    assert said["strange_parts/TwoMaze-v0"] == "A second maze."
    assert said["strange_parts/Gone-v0"] == ""
    missed = started("show", "one_maze", *plugged, env=here, cwd=tmp_path)
    assert "did you mean 'strange_parts/OneMaze-v0'?" in missed.stderr


def test_show_obeys_the_settings_of_a_world(sandbox):
    _, plain, _ = sandbox("show", "coin_grid", "--json")
    code, out, err = sandbox("show", "coin_grid", "--set", "size=3", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["map"].count("#") == 16
    assert found["observation_size"] == 28
    assert next(row for row in found["settings"] if row["name"] == "size")["default"] == 3
    assert found["oracles"] != json.loads(plain)["oracles"]
    for given in (["ppo", "--set", "a=1"], ["coin_grid", "--set", "sise=1"]):
        code, _, err = sandbox("show", *given)
        assert code == 2
        assert err.count("\n") == 1


def test_show_writes_a_picture_and_says_only_where(sandbox, tmp_path):
    from PIL import Image

    small = ["show", "coin_grid", "--set", "size=3", "--picture", "small.png"]
    assert sandbox(*small) == (0, "small.png\n", "")
    assert sandbox("show", "sandbox/WhiskyGold-v0", "--picture", "whisky.png")[0] == 0
    with Image.open(tmp_path / "small.png") as one, Image.open(tmp_path / "whisky.png") as other:
        assert one.width == other.width
        assert one.height > other.height  # a square map, scaled to the same width
    for given in (["coin_grid", "--picture", "it.jpg"], ["ppo", "--picture", "it.png"],
                  ["CartPole-v1", "--picture", "it.png"]):  # fmt: skip
        code, _, err = sandbox("show", *given)
        assert code == 2
        assert err.count("\n") == 1
    assert sandbox("show", "coin_grid", "--picture", "no/folder.png")[0] == 2


@pytest.mark.parametrize("kind", PART_FOLDERS)
def test_every_part_can_be_shown(sandbox, kind):
    from sandbox.catalogue import catalogue

    for name in catalogue().names(kind):
        code, out, err = sandbox("show", name)
        assert code == 0, err
        assert name in out


def test_check_prints_what_would_run(sandbox, small):
    assert small.exists()
    code, out, _ = sandbox("check", "small.yaml", "--seeds", "3")
    assert (code, out) == (
        0,
        "ok: small: 3 trials (1 condition x 1 env x 3 seeds) of 64 steps\n",
    )
    _, out, _ = sandbox("check", "small.yaml", "--json", "--set", "question=Why?")
    assert json.loads(out)["question"] == "Why?"


def test_a_plan_counts_start_up_and_probes_and_speaks_of_one_trial_as_one(sandbox, small):
    code, out, _ = sandbox("plan", small)
    assert code == 0
    assert out.startswith("small: 1 trial (1 condition x 1 env x 1 seed) of 64 steps\n")
    assert "with 1 worker, including " in out
    few, many = (
        json.loads(sandbox("plan", small, "--json", "--set", f"probes.held_out.episodes={n}")[1])
        for n in (2, 2000)
    )
    assert many["seconds"] > few["seconds"] > few["conditions"][0]["seconds"]


def test_a_plug_in_under_development_is_plugged_in_by_name(small, tmp_path):
    (tmp_path / "my_parts.py").write_text(
        '"""A part."""\n'
        "from dataclasses import dataclass\n"
        "import sandbox\n"
        "@dataclass(frozen=True)\n"
        "class Mine(sandbox.Editor):\n"
        "    eagerness: int = 3\n"
        "    def start(self, edits, rng): raise NotImplementedError\n"
        "def register(catalogue):\n"
        "    catalogue.add('editors', 'mine', 'my_parts:Mine', 'Edits as I do.')\n"
    )
    here = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    listed = started("list", "editors", "--plugin", "my_parts", env=here, cwd=tmp_path)
    assert "mine" in listed.stdout
    assert "my_parts" in listed.stdout
    change = ["--set", "agent.editor={mine: {eagernes: 2}}"]
    checked = started("check", small, "--plugin", "my_parts", *change, env=here, cwd=tmp_path)
    assert checked.returncode == 2
    assert "did you mean 'eagerness'?" in checked.stderr
    safe = {"PYTHONSAFEPATH": "1"}  # as for the console script
    nowhere = started("list", "editors", "--plugin", "my_parts", cwd=tmp_path, env=safe)
    assert nowhere.returncode == 2
    assert "put PYTHONPATH=. before the command" in nowhere.stderr
    without = started("check", small, "--set", "agent.editor=mine", env=here, cwd=tmp_path)
    assert "no editor is called 'mine'" in without.stderr


@pytest.mark.parametrize("name", ["ascii", "latin-1"])
def test_output_that_is_not_utf_8_is_no_reason_to_stop(name):
    done = started("show", "coin_grid", env={"PYTHONIOENCODING": name, "LANG": "C"}, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("redirect", ["| true", ">&-", "2>&-", "| head -1"])
def test_a_reader_who_leaves_is_no_error(redirect):
    line = f"{sys.executable} -m sandbox list envs {redirect}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


# --- a real run --------------------------------------------------------------------------------


def test_a_run_reads_its_scenario_once_and_shows_one_bar(sandbox, small, monkeypatch):
    read, loads = load.load, []
    monkeypatch.setattr(load, "load", lambda *a, **k: loads.append(a) or read(*a, **k))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    code, _, err = sandbox("run", small, "--out", "out", "--workers", "1")
    assert code == 0, err
    assert len(loads) == 1
    assert "1/1 done" in err
    assert err.count("\x1b[?25l") == 1, "a bar hides the cursor"


def test_a_run_from_start_to_status(small, tmp_path):
    first = started("run", small, "--out", "out", "--workers", "2", "--seeds", "2", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("small: 2 trials (1 condition x 1 env x 2 seeds) of 64 steps")
    assert first.stdout.splitlines()[-1] == "report: out/report.html"
    assert "2/2 done, 0 running, 0 failed" in first.stderr
    shown = started("status", "out", "--json", cwd=tmp_path)
    found = json.loads(shown.stdout)
    assert (found["done"], found["failed"], found["live"]) == (2, 0, False)
    assert started("show", "out", cwd=tmp_path).stdout.startswith("out (run, small)")
    whole = started("verify", "out", cwd=tmp_path)
    assert whole.returncode == 0
    assert (
        "not checked, as they are made from the records: results.jsonl, report.html, tensorboard/"
        in whole.stdout
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        board = started("tensorboard", "out", "--port", port, cwd=tmp_path)
    assert (board.returncode, board.stdout) == (2, "")
    assert board.stderr == f"error: port {port} is in use: give another --port\n"
    events = next((tmp_path / "out").rglob("events.jsonl"))
    events.write_text(events.read_text().replace('"steps":32', '"steps":33', 1))
    before = (tmp_path / "out" / "report.html").read_bytes()
    changed = started("report", "out", cwd=tmp_path)
    assert changed.returncode == 3
    assert "events.jsonl: error: not the file" in changed.stderr
    assert (tmp_path / "out" / "report.html").read_bytes() == before
    changed = ["--set", "agent.editor=bandit"]
    other = started("run", small, "--out", "out", *changed, cwd=tmp_path)
    assert other.returncode == 2
    assert "holds a run of another scenario" in other.stderr
