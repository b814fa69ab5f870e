"""Every objective there is inside a live agent that is rewritten, left, and gone on with.

``learned_value`` is tried with every model of another's values that can learn in a run.

What is compared after an edit. An objective reads observations and never hidden units, so an edit
of the policy leaves its state and its reward as they were, to the bit, exact or not. A run goes on
as its duplicate's, with the edit ``identity``, wherever the edit leaves the next rollout as it was:
``inject_plasticity`` puts out the same bits, so what is done, seen and rewarded until the next time
weights are learned is the same; new weights then learn, and the two diverge. ``widen`` and
``deepen`` add zeros in float32, which a matrix product may sum up in another order: logits agree
within 1e-5 and the same actions are drawn, so objectives are the same bits there. An agent state
put back after an edit (as ``undo`` does) runs on as the duplicate for good, weights and all.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.architecture import checkpoint
from agents.contract import Batch
from agents.edits.deepen import Deepen
from agents.edits.identity import Identity
from agents.edits.inject_plasticity import InjectPlasticity
from agents.edits.prune import Prune
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer
from agents.learners.ppo import PPO
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.learned_value import LearnedValue
from sandbox.catalogue import catalogue
from tests.agents.agent_states import same
from tests.agents.small_worlds import streams

PLACES, SKILLS, COPIES, STEPS = 6, 4, 4, 8
SIZE = PLACES + SKILLS
OBJECTIVES = {name: part.load() for name, part in catalogue().parts("objectives").items()}
MODELS = {name: part.load() for name, part in catalogue().parts("values").items()}
CASES = {name: kind() for name, kind in OBJECTIVES.items()} | {
    f"learned_value of {name}": LearnedValue(model=name)
    for name, kind in MODELS.items()
    if not kind.tabular and kind.learns_from in {"approval", "demonstrations"}
}
CASES["learned_value handed over"] = LearnedValue(
    handover="scheduled", first_update=1, last_update=9
)
EVERY = pytest.mark.parametrize("case", CASES)
LEFT, STAY, RIGHT = range(3)


class Lane(VectorEnv):
    """A lane: its right end gives reward, its left one is death; a caregiver in half of the copies.

    They would rather see the agent in the middle, say so, and say what they would have done. The
    last numbers seen are a skill, for the objective that wants one. Models that refuse episodes of
    different lengths get a lane without death.
    """

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, seed=0, *, deadly=True):
        self.num_envs, self.deadly = COPIES, deadly
        self.single_observation_space = gym.spaces.Box(0, 1, (SIZE,), np.float32)
        self.single_action_space = gym.spaces.Discrete(3)
        self.rng = np.random.default_rng(seed)
        self.place, self.skill = np.full(COPIES, 2), np.arange(COPIES) % SKILLS
        self.age = np.arange(COPIES)

    def seen(self):
        parts = np.eye(PLACES)[self.place], np.eye(SKILLS)[self.skill]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def reset(self, *, seed=None, options=None):
        return self.seen(), {}

    def step(self, actions):
        beside, middle = np.arange(COPIES) % 2 == 0, PLACES // 2
        advice = np.sign(middle - self.place) + STAY
        slips = self.rng.random(COPIES) < 0.1
        self.place = np.clip(self.place + np.where(slips, 0, actions - STAY), 0, PLACES - 1)
        self.age += 1
        died, cut = (self.place == 0) & self.deadly, self.age % 7 == 0
        over, reward = died | cut, (self.place == PLACES - 1).astype(np.float64)
        info = {
            "approval": -np.abs(self.place - middle).astype(np.float64),
            "_approval": beside,
            "advice": advice,
            "_advice": beside,
        }
        if over.any():
            info |= {"final_obs": self.seen(), "_final_obs": over}
        self.place = np.where(over, self.rng.integers(1, PLACES, COPIES), self.place)
        self.skill = np.where(over, self.rng.integers(SKILLS, size=COPIES), self.skill)
        self.age = np.where(over, 0, self.age)
        return self.seen(), reward, died, cut & ~died, info


def started(case, seed=0):
    objective = CASES[case]
    name = "mine" if not isinstance(objective, Extrinsic) else "extrinsic"
    objectives = {"extrinsic": Extrinsic(), name: objective}
    sizes = {"num_envs": COPIES, "steps_per_update": STEPS}
    settings = PPO(**sizes, minibatch=16, epochs=1, engine="torch")  # it gets injected layers
    layers = (Layer("dense", 8), Layer("dense", 6))
    genome = Genome(
        Architecture(layers),
        replace(Genome().learning_rule, minibatch=16, epochs=1, learning_rate=3e-3),
        objective=tuple((each, 1.0 if each == "extrinsic" else 0.3) for each in objectives),
    )
    env = Lane(seed, deadly=getattr(objective, "model", "") not in {"airl", "gail"})
    return settings.build(env, {"agent": genome}, objectives, streams(seed)), name


@cache
def an_agent_run(case):
    population, name = started(case)
    for _ in range(6):  # what must watch progress first is silent for five
        population.update()
    return population, name


def a_trained_one(case):
    """A population after training, its agent and its objective."""
    population, name = copy.deepcopy(an_agent_run(case))
    live = population.learners["agent"]
    return population, live, live.live_objectives()[name]


def rewritten(live, edit, seed=3):
    """Install it; what its claim says must be there."""
    after = edit.apply(live.agent_state(), np.random.default_rng(seed))
    live.install(after)
    assert live.effective() == after.genome


def a_step(seed=5):
    rng = np.random.default_rng(seed)
    env = Lane(seed)
    before = env.seen()
    after, reward, died, cut, info = env.step(rng.integers(3, size=COPIES))
    settings = {key: info[key] for key in ("approval", "advice")}
    ended = died | cut
    return Batch(
        before, rng.integers(3, size=COPIES), after, reward, died, ended, ~died, **settings
    )


def state_of(live_objective):
    return {key: value.copy() for key, value in live_objective.state_dict().items()}


def equal(one: Mapping, other: Mapping) -> bool:
    """To the bit: the same names, dtypes and bytes."""
    return list(one) == list(other) and all(
        value.dtype == other[key].dtype
        and value.shape == other[key].shape
        and value.tobytes() == other[key].tobytes()
        for key, value in one.items()
    )


def rewards(live_objective):
    """Of fixed steps, by a copy, so that no memory of them is left."""
    mine = copy.deepcopy(live_objective)
    return np.stack([mine.reward(a_step(seed)) for seed in range(3)])


EDITS = {
    "widen": Widen(layer=0, units=3),
    "inject_plasticity": InjectPlasticity(layer=1),
    "prune": Prune(layer=0, units=2),
    "deepen": Deepen(after=0, units=4),
    "identity": Identity(),
}
QUIET = ("widen", "deepen", "inject_plasticity")


@EVERY
def test_no_edit_of_the_policy_touches_its_objectives(case):
    _, live, live_objective = a_trained_one(case)
    state, reward, share, report = (
        state_of(live_objective),
        rewards(live_objective),
        live_objective.share(),
        live_objective.report(),
    )
    for edit in EDITS.values():
        rewritten(live, edit)
        (now,) = [each for each in live.live_objectives().values() if each is live_objective]

        assert equal(state_of(now), state)
        assert rewards(now).tobytes() == reward.tobytes()
        assert now.share() == share
        assert now.report() == report


@EVERY
def test_a_run_goes_on_after_an_exact_edit_as_that_of_a_duplicate(case):
    other, duplicate, duplicates = a_trained_one(case)
    rewritten(duplicate, Identity())
    his = other.update()["agent"]
    for kind in QUIET:
        population, live, live_objective = a_trained_one(case)
        rewritten(live, EDITS[kind])
        mine = population.update()["agent"]

        assert mine.rewards == his.rewards
        assert (mine.episodes, mine.mean_return) == (his.episodes, his.mean_return)
        assert equal(state_of(live_objective), state_of(duplicates))
        assert not same(live.agent_state(), duplicate.agent_state())

    population, live, live_objective = a_trained_one(case)
    kept = live.agent_state()
    rewritten(live, EDITS["widen"])
    rewritten(live, EDITS["deepen"])
    live.install(kept)
    assert population.update()["agent"] == his
    assert same(live.agent_state(), duplicate.agent_state())
    assert equal(state_of(live_objective), state_of(duplicates))


@EVERY
def test_a_run_is_left_and_gone_on_with_to_the_bit(case):
    population, _, live_objective = a_trained_one(case)
    offspring, name = started(case, seed=9)
    offspring.update()
    data, arrays = population.snapshot()
    through = json.loads(json.dumps(data, allow_nan=False))
    env = copy.deepcopy(population._env)
    offspring.resume(env, through, checkpoint.unpack(checkpoint.pack(arrays)))
    again = offspring.learners["agent"].live_objectives()[name]
    assert equal(state_of(again), state_of(live_objective))
    assert population.update() == offspring.update()

    assert equal(state_of(again), state_of(live_objective))
    assert same(
        offspring.learners["agent"].agent_state(), population.learners["agent"].agent_state()
    )
