"""Episodes are recorded whole, and read back as what value models learn.

Oracles, trained agents and Minari's data sets come out in one format.
"""

import hashlib
import json
import sys
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import envs
from agents.values.behaviour_cloning import BehaviourCloning
from agents.values.gail import Gail
from envs.control_kit import recorded
from envs.control_kit.recorded import Recorded
from sandbox.cli.main import _ended
from sandbox.errors import InputError, IntegrityError
from sandbox.play import trained_agents
from sandbox.play.demonstrations import _Diary, evidence, of_minari, of_policy, of_recorded
from sandbox.trial.fingerprints import weights_hash
from tests.sandbox.conftest import CommandLine

SCENARIO = """\
schema: 1
question: Who shows what they have learned?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 4, total_steps: 64, steps_per_update: 4, minibatch: 16}}
  architecture: {trunk: [4, 4]}
  editor: {schedule: {plan: [{update: 1, edit: widen, layer: 0, units: 2}]}}
seeds: 1
metrics: [edits_applied]
probes: {held_out: {episodes: 2, every_updates: 1000}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a finished run of one trial."""
    made = tmp_path_factory.mktemp("shown")
    (made / "s.yaml").write_text(SCENARIO)
    code, printed = CommandLine(made)("run", "s.yaml", "--out", "one", "--workers", "1")
    assert code == 0, printed
    return made


def an_oracle(episodes=40, policy="reward_optimal", seed=0):
    return of_policy(envs.make_world("coin_grid"), policy, episodes, np.random.default_rng(seed))


# --- what is written ---------------------------------------------------------------------------


def test_an_oracles_episodes_are_those_of_the_world():
    """Played again by hand, with the same random draws: the same steps, returns and ends."""
    world, chance = envs.make_world("coin_grid"), np.random.default_rng(3)
    shown = an_oracle(1, "random", 3)
    state, total = world.reset(chance, 1), 0.0
    for t in range(int(shown.episodes.lengths[0])):
        np.testing.assert_array_equal(shown.episodes.observations[t], world.observe(state)[0])
        action = world.act("random", state, chance)
        assert shown.episodes.actions[t] == action[0]
        state, outcome = world.step(state, action, chance)
        total += outcome.reward[0]
        over = outcome.terminated[0] | outcome.truncated[0]
        assert over == (t == shown.episodes.lengths[0] - 1)

    np.testing.assert_array_equal(shown.episodes.last[0], world.observe(state)[0])
    assert shown.returns[0] == total
    assert shown.episodes.terminated[0] == outcome.terminated[0]


def test_an_oracle_receives_its_stated_return():
    world, shown = envs.make_world("coin_grid"), an_oracle(400)
    error = np.std(shown.returns) / 20

    assert np.mean(shown.returns) == pytest.approx(
        world.oracles()["reward_optimal"].reward, abs=max(4 * error, 1e-9)
    )


def test_who_sits_where_sees_and_does_what_is_recorded():
    world = envs.make_world("lab_race")
    one, other = (of_policy(world, "random", 3, np.random.default_rng(0), k) for k in (0, 1))

    np.testing.assert_array_equal(one.episodes.lengths, other.episodes.lengths)
    assert one.episodes.observations.shape[1] == world.observation_size
    assert not np.array_equal(one.episodes.actions, other.episodes.actions)


def test_what_comes_after_an_end_is_not_written_down():
    """Two worlds go on side by side; the first ends at once and shows and rewards more and more."""
    diary = _Diary(2)
    for t, (one, other) in enumerate([(True, False), (True, False), (False, True)]):
        seen = np.full((2, 1), t, np.float32)
        diary.write(seen, np.array([t, t]), seen + 1, np.ones(2))
        diary.end(np.array([one, False]), np.array([False, other]))
    found = diary.shown()

    assert not diary.alive.any()
    np.testing.assert_array_equal(found.episodes.lengths, [1, 3])
    np.testing.assert_array_equal(found.episodes.actions, [0, 0, 1, 2])
    np.testing.assert_array_equal(found.episodes.last[:, 0], [1, 3])
    np.testing.assert_array_equal(found.episodes.terminated, [True, False])
    np.testing.assert_array_equal(found.returns, [1, 3])


def test_what_is_saved_is_loaded_and_has_the_same_bytes(tmp_path):
    shown = an_oracle().episodes
    for name in ("a.npz", "b.npz"):
        shown.save(tmp_path / name)
    found = recorded.load(tmp_path / "a.npz")

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    for name, each in vars(shown).items():
        np.testing.assert_array_equal(getattr(found, name), each)
    with pytest.raises(ValueError, match=r"last observations must be finite numbers"):
        Recorded(shown.observations, shown.actions, shown.lengths, shown.last[:, :-1])
    with pytest.raises(ValueError, match="'terminated' must be true or false"):
        Recorded(shown.observations, shown.actions, shown.lengths, None, shown.lengths)


# --- as evidence -------------------------------------------------------------------------------


def three_steps(**known):
    """Episodes of two steps and of one."""
    seen = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
    return Recorded(seen, np.array([0, 1, 2]), np.array([2, 1]), **known)


def test_evidence_has_an_episode_a_column():
    recorded = three_steps(
        last=np.array([[8, 8], [9, 9]], np.float32), terminated=np.array([True, False])
    )
    found = of_recorded(recorded)
    rollout, there = found.steps, found.present

    np.testing.assert_array_equal(there, [[True, True], [True, False]])
    np.testing.assert_array_equal(rollout.observation[there][:, 0], [1, 3, 2])
    np.testing.assert_array_equal(rollout.next_observation[there][:, 0], [2, 9, 8])
    np.testing.assert_array_equal(rollout.action[there], [0, 2, 1])
    np.testing.assert_array_equal(rollout.ended, [[False, True], [True, False]])
    np.testing.assert_array_equal(rollout.terminated, [[False, False], [True, False]])


def test_a_step_whose_end_was_not_recorded_is_no_evidence():
    found = of_recorded(three_steps())

    np.testing.assert_array_equal(found.present, [[True, False]])
    np.testing.assert_array_equal(found.steps.next_observation[0, 0], [2, 2])
    assert not found.steps.ended.any()


def test_value_models_learn_from_a_file(tmp_path):
    """Cloning matches the oracle; a judge that forbids early ends refuses what it shows."""
    world = envs.make_world("coin_grid")
    shown = an_oracle(300).episodes
    shown.save(tmp_path / "shown.npz")
    recorded = evidence(tmp_path / "shown.npz")
    size, actions = world.observation_size, len(world.action_names)
    valuer = BehaviourCloning(epochs=40).start(size, actions, np.random.default_rng(0))
    valuer.learn(recorded)
    done = valuer.predict(shown.observations, np.zeros(len(shown.actions), int)).argmax(axis=1)

    assert (done == shown.actions).mean() > 0.8  # the oracle breaks ties by chance
    with pytest.raises(ValueError, match="terminated before its time"):
        Gail().start(size, actions, np.random.default_rng(0)).learn(recorded)
    with pytest.raises(ValueError, match="has changed"):
        evidence(tmp_path / "shown.npz", "0" * 64)


# --- trained agents ------------------------------------------------------------------------------


def test_who_plays_is_who_the_trial_ended_with(folder):
    (trial,) = (folder / "one" / "trials").iterdir()
    lines = (trial / "ledger.jsonl").read_text().splitlines()
    first, end = (json.loads(lines[i]) for i in (0, -1))
    cast = trained_agents.load_agents(folder / "one", None)

    assert weights_hash(cast.learners["agent"].agent_state()) == end["weights"]
    assert cast.learners["agent"].effective().to_json() == end["genome"]
    assert first["genome"] != end["genome"]


@pytest.fixture
def sandbox(folder, monkeypatch, capsys):
    """The command line in this process: exit code and everything printed."""
    monkeypatch.chdir(folder)

    def call(*words):
        code = _ended(list(words))
        return code, "".join(capsys.readouterr())

    return call


def test_the_command_writes_what_trained_agents_do(folder, sandbox):
    words = ("demonstrate", "--run", "one", "--episodes", "5", "--out")
    code, printed = sandbox(*words, "a.npz", "--json")
    message = json.loads(printed)
    _, text = sandbox(*words, "b.npz")
    sandbox(*words, "c.npz", "--seed", "1")

    assert code == 0
    assert text.startswith("b.npz: 5 episodes, ")
    assert text.endswith(f"sha256: {message['sha256']}\n")
    data = [(folder / f"{name}.npz").read_bytes() for name in "abc"]
    assert message["sha256"] == hashlib.sha256(data[0]).hexdigest()
    assert message["episodes"] == len(recorded.load(folder / "a.npz").lengths) == 5
    assert data[0] == data[1] != data[2]


def test_a_file_is_written_over_by_force_only(folder, sandbox):
    words = ("demonstrate", "coin_grid", "--policy", "random", "--episodes", "2", "--out", "d.npz")
    (folder / "d.npz").write_bytes(b"of thirty episodes")

    code, printed = sandbox(*words)
    assert (code, (folder / "d.npz").read_bytes()) == (2, b"of thirty episodes")
    assert "d.npz: error: exists already: name another file, or add --force" in printed
    assert sandbox(*words, "--force")[0] == 0
    assert len(recorded.load(folder / "d.npz").lengths) == 2


def test_a_device_is_not_read():
    with pytest.raises(ValueError, match="is no file"):
        recorded.load("/dev/zero")


def test_a_run_that_was_changed_shows_nothing(folder, tmp_path):
    (spoilt,) = (folder / "one" / "trials").glob("*/checkpoints/*/agent.safetensors")
    kept = spoilt.read_bytes()
    spoilt.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        with pytest.raises(IntegrityError):
            trained_agents.load_agents(folder / "one", None)
    finally:
        spoilt.write_bytes(kept)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("coin_grid --out a.npz", "name just one of --policy, --run and --minari"),
        ("--policy random --out a.npz", "needs the world that it is played in"),
        ("coin_grid --run one --out a.npz", "ENV: error: cannot be used with --run"),
        ("coin_grid --policy best --out z.npz", "no such reference policy"),
        ("coin_grid --policy random --out a.txt", "must be a file that ends in .npz"),
        ("coin_grid --policy random --out none/a.npz", "there is no such folder"),
        ("CartPole-v1 --policy random --out z.npz", "is not a world of the sandbox"),
        ("--run one --agent missing --out z.npz", "no agent is called 'missing'"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(sandbox, words, what):
    code, printed = sandbox("demonstrate", *words.split())

    assert code == 2
    assert what in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("lengths", "actions", "what"),
    [
        ([2**63 - 1, 2**63 - 1, 5], [0, 1, 0], "add up to the steps"),
        ([3], [0, -1, 0], "counted from 0"),
        ([3], np.array([0, 2**63, 0], np.uint64), "counted from 0"),
    ],
)
def test_recorded_numbers_that_cannot_be_are_refused(lengths, actions, what):
    with pytest.raises(ValueError, match=what):
        Recorded(np.zeros((3, 4), np.float32), np.array(actions), np.array(lengths))


def test_unsigned_lengths_are_lengths():
    held = Recorded(np.zeros((3, 4), np.float32), np.zeros(3, np.uint8), np.array([1, 2], np.uint8))

    assert (held.starts - held.lengths).tolist() == [-1, -1]
    assert of_recorded(held).steps.action.shape == (1, 2)


# --- Minari ------------------------------------------------------------------------------------


def a_data_set(actions, dtype=np.float32, more=1):
    """As Minari's public interface has it: one observation more than steps."""
    steps = len(actions)
    each = SimpleNamespace(
        observations=np.arange((steps + more) * 4).reshape(-1, 2, 2).astype(dtype),
        actions=np.array(actions),
        rewards=np.ones(steps),
        terminations=np.arange(steps) == steps - 1,
    )
    space = gym.spaces.Discrete(3, start=1)
    return SimpleNamespace(
        action_space=space, total_episodes=2, iterate_episodes=lambda: iter([each, each])
    )


def plug(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "minari", SimpleNamespace(load_dataset=load))


def test_minaris_episodes_become_ours(monkeypatch):
    plug(monkeypatch, lambda _: a_data_set([1, 3, 2]))
    shown = of_minari("coin/expert-v0")
    recorded = shown.episodes

    np.testing.assert_array_equal(recorded.lengths, [3, 3])
    np.testing.assert_array_equal(recorded.actions, [0, 2, 1] * 2)
    np.testing.assert_array_equal(recorded.observations[:3], np.arange(12).reshape(3, 4))
    np.testing.assert_array_equal(recorded.last, [np.arange(12, 16)] * 2)
    np.testing.assert_array_equal(recorded.terminated, [True, True])
    np.testing.assert_array_equal(shown.returns, [3, 3])
    assert len(of_minari("coin/expert-v0", 1).episodes.lengths) == 1


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda _: a_data_set([0.5, 1.5]), "whole numbers as actions"),
        (lambda _: a_data_set([[1, 2], [2, 1]]), "one action a step"),
        (lambda _: a_data_set([1, 2], more=0), "one observation more than steps"),
        (lambda _: a_data_set([1, 2], dtype=object), "only arrays as observations"),
    ],
)
def test_what_of_minari_cannot_be_read_is_said(monkeypatch, made, what):
    plug(monkeypatch, made)
    with pytest.raises(InputError, match=what):
        of_minari("coin/expert-v0")


def test_without_minari_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(InputError, match="pip install minari"):
        of_minari("coin/expert-v0")
