"""People and reference policies play worlds in the terminal and see the ground truth at the end."""

import io
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest

import envs
from sandbox.cli import main
from sandbox.errors import InputError
from sandbox.metrics.capability import Capability
from sandbox.metrics.harm import Harm
from sandbox.play.keyboard import help_of, keys_of, lines
from sandbox.play.world_card import NORMALISERS, references
from sandbox.record.events import Probed, TrialStarted

ROOT = Path(__file__).resolve().parents[3]
MOVES = ("up", "down", "left", "right", "stay")


@pytest.fixture
def sandbox(capfd, monkeypatch):
    """Run a command with some standard input; (exit code, stdout, stderr)."""

    def ran(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main.main([str(each) for each in arguments])
        return ended.value.code, *capfd.readouterr()

    return ran


@pytest.fixture
def actions_in(monkeypatch):
    """Actions in a typed line."""

    def read(text, actions):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return list(lines(actions))

    return read


# --- words and keys ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("uurdl", [0, 0, 3, 1, 2]),
        ("up, up right\n2", [0, 0, 3, 2]),
        ("4 0", [4, 0]),
        ("3310", [3, 3, 1, 0]),
        ("stay s .", [4, 4, 4]),
        ("UuR", [0, 0, 3]),
        ("RIGHT Up,LeFt", [3, 0, 2]),
        ("", []),
    ],
)
def test_lines_hold_names_numbers_or_letters(actions_in, text, actions):
    assert actions_in(text, MOVES) == actions


def test_what_is_no_action_is_refused_with_what_there_is(actions_in):
    with pytest.raises(InputError, match=r"'xu'.*there are up, down, left, right, stay"):
        actions_in("xu", MOVES)


SAFETY = tuple(f"safety {i / 10:.1f}" for i in range(11))


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("safety 1.0", [10]),
        ("Safety 0.9 safety 1.0,SAFETY 0.0\nsafety 0.1", [9, 10, 0, 1]),
        ("10 1 0", [10, 1, 0]),
        ("b", [10]),
    ],
)
def test_names_with_blanks_and_digits_are_taken_whole(actions_in, text, actions):
    assert actions_in(text, SAFETY) == actions
    assert set(keys_of(SAFETY).values()) == set(range(11))
    assert "safety 1.0: b  end: q" in help_of(SAFETY)


@pytest.mark.parametrize("text", ["safety 1.1", "safety", "safety 1.05", "1.0"])
def test_half_a_name_is_not_read_as_keys(actions_in, text):
    with pytest.raises(InputError, match="is no action here"):
        actions_in(text, SAFETY)


def test_the_longest_of_two_names_is_meant(actions_in):
    assert actions_in("buy all buy BUY ALL buyer", ("buy", "buy all", "buyer")) == [1, 0, 1, 2]


def test_the_last_of_eleven_actions_can_be_played(sandbox):
    arguments = ["play", "lab_race", "--set", "level=3"]
    code, out, err = sandbox(*arguments, typed="safety 1.0")
    assert code == 0, err
    assert "step 1: safety 1.0  reward" in out
    code, _, err = sandbox(*arguments, typed="safety 1.1")
    assert code == 2
    assert "'safety': error: is no action here" in err


def test_every_action_has_a_key_and_quitting_is_no_action():
    names = ("buy_flops", "buy_parameters", "quit_race", "wait", "north")
    keys = keys_of(names)
    assert keys["b"] == 0
    assert keys["u"] == 1
    assert keys["<up>"] == 4
    assert keys["."] == 3
    assert "q" not in keys
    assert set(keys.values()) == set(range(5))
    assert help_of(names).endswith("end: q")
    many = tuple(f"order {i}" for i in range(40))
    assert max(keys_of(many).values()) < 40


# --- by hand, through a pipe ---------------------------------------------------------------------


def test_a_person_sees_the_map_and_then_what_the_agent_never_sees(sandbox):
    fixed = ["--option", "told=false", "--option", "coin=[0,0]", "--option", "agent=[0,2]"]
    code, out, err = sandbox("play", "coin_grid", *fixed, typed="right right l left 2 2 up\n")
    assert code == 0, err
    assert "A agent | C coin, reward 1" in out
    assert out.count("#######\n") == 2 * 7  # the start, six steps; the seventh move was not needed
    assert "step 6: left  reward +0.99  return +0.94  34 steps left" in out
    assert "return +0.94 in 6 steps (terminated)" in out
    assert "not seen by the agent: hidden reward -0.06, harm +1, corner +1, coin +1" in out
    assert "performance_optimal" in out
    assert "harm 1.00" not in out  # no policy does harm here: there is nothing to divide by


def test_when_the_moves_run_out_it_stops_and_is_compared_with_nothing(sandbox):
    code, out, _ = sandbox("play", "whisky_gold", typed="r")
    assert code == 0
    assert "drunk: 90% of its actions are random" in out
    assert "return +4 in 1 step (stopped)" in out
    assert "not seen by the agent: hidden reward" in out
    assert "\nstopped after 1 step: no score\n" in out
    assert "beside the reference" not in out
    assert "between 0 and 1" not in out
    code, out, _ = sandbox("play", "whisky_gold", typed="d q r r r")
    assert "return -1 in 1 step (stopped)" in out
    code, out, _ = sandbox("play", "whisky_gold", "--json", typed="r")
    found = json.loads(out)
    assert found["normalised"] == {}
    assert found["mean"]["no_score"] == "stopped after 1 step"
    assert found["mean"]["reward"] == 4
    some = ["--policy", "random", "--steps", 2, "--episodes", 3]
    _, out, _ = sandbox("play", "whisky_gold", *some)
    assert "no episode was played to its end: no score" in out


def test_several_episodes_of_one_line(sandbox):
    typed = "d r r r r u " * 2 + "d"
    code, out, _ = sandbox("play", "whisky_gold", "--episodes", 9, "--json", typed=typed)
    assert code == 0
    found = json.loads(out)
    assert [each["reward"] for each in found["episodes"]] == [44, 44, -1]
    assert [each["ended"] for each in found["episodes"]][-1] == "stopped"
    assert found["mean"]["reward"] == 44  # of those that ended
    assert found["mean"]["episodes"] == 2
    assert found["mean"]["mean_steps"] == 6
    assert found["mean"]["no_score"] == ""
    assert "ended" not in found["mean"]
    assert found["normalised"]["performance"] == pytest.approx(1)
    _, out, _ = sandbox("play", "whisky_gold", "--episodes", 9, typed=typed)
    assert "6 steps an episode, on average (2 episodes, 1 stopped and not counted)" in out
    assert "between 0 and 1" in out


def test_only_the_agent_of_whom_the_oracles_speak_is_compared_with_them(sandbox):
    whole = ["play", "companion", "--policy", "random"]
    _, out, _ = sandbox(*whole, "--agent", "leader")
    assert "beside the reference policies" in out
    _, out, _ = sandbox(*whole, "--agent", "assistant")
    assert "the oracles are those of leader: no score" in out
    assert "beside the reference policies" not in out
    _, out, _ = sandbox(*whole, "--agent", "assistant", "--json")
    found = json.loads(out)
    assert found["normalised"] == {}
    assert found["oracles_of"] == "leader"
    assert found["mean"]["no_score"] == "the oracles are those of leader"
    _, out, _ = sandbox("show", "companion")
    assert "Reference policies (expected totals of leader per episode):" in out
    _, out, _ = sandbox("show", "coin_grid")
    assert "Reference policies (expected totals per episode):" in out


# --- reference policies --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["reward_optimal", "performance_optimal", "most_harmful"])
def test_a_policy_gets_what_its_oracle_says(sandbox, policy):
    code, out, err = sandbox("play", "side_effects_sokoban", "--policy", policy, "--json")
    assert code == 0, err
    found, oracle = json.loads(out), envs.make_world("side_effects_sokoban").oracles()[policy]
    (episode,) = found["episodes"]
    totals = {"reward": episode["reward"], **episode["truth"]}
    aims = {"reward_optimal": "reward", "performance_optimal": "hidden_reward"}
    aim = aims.get(policy, "harm")  # what else it gets may hang on how it breaks ties
    assert totals[aim] == pytest.approx(getattr(oracle, aim))
    best = {"reward": "capability", "hidden_reward": "performance", "harm": "harm"}[aim]
    assert found["normalised"][best] == pytest.approx(1)


def test_a_seed_fixes_the_game(sandbox):
    first, again, other = (
        sandbox("play", "coin_grid", "--policy", "random", "--json", "--seed", seed)[1]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert json.loads(first)["episodes"] != json.loads(other)["episodes"]


def test_settings_levels_and_steps_are_obeyed(sandbox):
    arguments = ["--policy", "random", "--set", "size=3", "--distribution", "told", "--steps", "2"]
    code, out, _ = sandbox("play", "sandbox/CoinGrid-v0", *arguments)
    assert code == 0
    assert out.startswith("start: 40 steps left\n#####\n")
    assert "the beacon is rewarded" in out
    assert "step 3" not in out


@pytest.mark.parametrize("agent", [0, 1])
def test_in_a_joint_world_one_plays_one_agent(sandbox, agent):
    world = envs.make_world("lab_race")
    name = world.agents[agent]
    code, out, err = sandbox("play", "lab_race", "--agent", name, "--json", typed="0 1 0")
    assert code == 0, err
    (episode,) = json.loads(out)["episodes"]
    assert set(episode["others"]) == set(world.agents) - {name}
    assert episode["steps"] <= 3
    _, out, _ = sandbox("play", "lab_race", "--agent", name, typed="0")
    assert f"; the agent played is {name}\n" in out


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["coin_gird"], "did you mean 'coin_grid'?"),
        (["coin_grid", "--policy", "reward_optimum"], "did you mean 'reward_optimal'?"),
        (["coin_grid", "--set", "size=77"], "size must be from 2 to 9"),
        (["coin_grid", "--set", "sise=3"], "did you mean 'size'?"),
        (["coin_grid", "--set", "size"], "KEY=VALUE"),
        (["coin_grid", "--option", "nonsense=1"], "it takes: agent, coin, beacon, told"),
        (["coin_grid", "--agent", "dog"], "there are agent"),
        (["coin_grid", "--distribution", "shiftde"], "did you mean 'shifted'?"),
        (["CartPole-v1", "--policy", "reward_optimal"], "no reference policy but random"),
        (["Pendulum-v1"], "only Discrete ones can be typed"),
        (["CartPole-v1", "--option", "x=1"], "--option: error: means nothing to a third-party env"),
        (["CartPole-v1", "--distribution", "shifted"], "--distribution: error: means nothing"),
        (["CartPole-v1", "--agent", "lab_0"], "--agent: error: means nothing"),
        (["CartPole-v1", "--others", "random"], "--others: error: means nothing"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_played_is_refused_in_one_line(sandbox, arguments, says):
    code, out, err = sandbox("play", *arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_the_policies_that_can_be_played_are_named(sandbox, monkeypatch):
    from envs.worlds.coin_grid import CoinGrid

    def act(self, policy, state, rng):
        if policy != "random":
            raise LookupError(f"only the value of '{policy}' is known here, not its actions")
        return np.zeros(len(state.agent), int)

    monkeypatch.setattr(CoinGrid, "act", act)
    code, _, err = sandbox("play", "coin_grid", "--policy", "reward_optimal")
    assert code == 2
    assert "only the value of 'reward_optimal' is known here" in err
    assert "it can play random" in err


# --- third-party envs ----------------------------------------------------------------------------


def test_a_third_party_env_is_played_by_its_text_or_its_observations(sandbox):
    code, out, err = sandbox("play", "FrozenLake-v1", "--steps", "2", typed="2 2 2")
    assert code == 0, err
    assert "FHFH" in out
    assert "no ground truth" in out
    code, out, _ = sandbox("play", "CartPole-v1", typed="0101")
    assert code == 0
    assert "return +4 in 4 steps (stopped)" in out
    code, out, _ = sandbox("play", "CartPole-v1", "--policy", "random", "--json", "--episodes", 2)
    assert len(json.loads(out)["episodes"]) == 2
    code, out, _ = sandbox("play", "CartPole-v1", "--json", "--episodes", 5, typed="01")
    assert [each["steps"] for each in json.loads(out)["episodes"]] == [2]


def test_a_policy_that_does_not_exist_is_met_with_those_that_do_and_once(sandbox):
    _, _, err = sandbox("play", "coin_grid", "--policy", "clever")
    assert err.count("performance_optimal") == 1


def test_help_warns_about_third_party_envs_and_explains(sandbox):
    code, out, _ = sandbox("play", "--help")
    assert code == 0
    assert "without isolation" in out
    assert "arrow keys" in out
    assert "sandbox play coin_grid" in out


# --- a real terminal -----------------------------------------------------------------------------


_AT_ITS_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
from sandbox.cli import main as cli
cli.main(sys.argv[1:])
"""


class Terminal:
    """A process at a pseudo-terminal, as a person would sit before it."""

    def __init__(self, *arguments):
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _AT_ITS_TERMINAL, *arguments],
            stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, cwd=ROOT,
            env={**os.environ, "TERM": "xterm"}, start_new_session=True,
        )  # fmt: skip
        self.seen = ""

    def wait_for(self, words, seconds=30):
        end = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.ours], [], [], 0.1)[0]:
                self.seen += os.read(self.ours, 65536).decode()

    def type(self, keys):
        os.write(self.ours, keys)

    def close(self):
        code = self.process.wait(timeout=30)
        after = termios.tcgetattr(self.theirs)
        os.close(self.ours)
        os.close(self.theirs)
        return code, after == self.before


def test_arrow_keys_at_a_terminal_and_the_terminal_is_as_it_was():
    terminal = Terminal("play", "whisky_gold")
    terminal.wait_for("end: q")
    terminal.type(b"\x1b[B")
    terminal.wait_for("step 1: down")
    terminal.type(b"x")
    terminal.wait_for("'x' does nothing here; up: arrow u 0")
    terminal.type(b"x\x1bOC1")  # no action; an arrow of the other kind; a digit
    terminal.wait_for("step 3: down")
    assert "step 2: right" in terminal.seen
    assert "\x1b[2J" in terminal.seen
    assert "\x1b[38;2;" in terminal.seen
    terminal.type(b"q")
    terminal.wait_for(": no score")
    assert terminal.close() == (0, True)


def test_a_key_with_a_modifier_is_one_key_and_no_move():
    """Ctrl and an arrow, Delete, F5, Alt and a letter: none of their bytes counts as typed."""
    terminal = Terminal("play", "whisky_gold")
    terminal.wait_for("end: q")
    terminal.type(b"\x1b[1;5A\x1b[3~\x1b[15~\x1b[2;2Rd")
    terminal.wait_for("step 1: down")
    terminal.type(b"q")
    terminal.wait_for(": no score")
    assert "return" in terminal.seen
    assert "step 2" not in terminal.seen
    assert terminal.close() == (0, True)


def test_ctrl_c_gives_the_terminal_back():
    terminal = Terminal("play", "whisky_gold")
    terminal.wait_for("end: q")
    terminal.type(b"\x03")
    terminal.wait_for("interrupted")
    assert terminal.close() == (130, True)


# --- normalisers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "metric"), [("capability", Capability()), ("harm", Harm())])
def test_the_normalisers_shown_are_those_of_the_metrics(name, metric):
    oracles = references(envs.make_world("vase_grid"))
    anchors = {"in_distribution": {k: vars(each) for k, each in oracles.items()}}
    rule = NORMALISERS[name]
    low, high = rule.ends(oracles)
    for value in (low - 1, low, 0.3 * low + 0.7 * high, high, high + 1):
        probed = Probed("agent", "held_out", 1, 1, "in_distribution", 5, {rule.total: value})
        events = [TrialStarted("t", "e", 0, {}, ("agent",), anchors, {}), probed]
        assert metric.compute(events).value == pytest.approx(rule.score(value, oracles))
