"""The handover inside a live PPO: its limits are the two pure agents, to the bit (S5, S6)."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from agents.contract import LiveObjective, Objective
from agents.edits.widen import Widen
from agents.objectives.count import Count
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.internal_social_reward import InternalSocialReward
from agents.objectives.learned_value import LearnedValue
from agents.values_contract import Valuer
from tests.agents.small_worlds import CHOICES, SMALL, Signpost, solo

UPDATES = 6


class Watched(Signpost):
    """Rewards the greatest of what is shown; the caregiver likes the smallest, and may leave."""

    def __init__(self, leaves_after: int = 10**9) -> None:
        super().__init__(8, seed=0)
        self.leaves_after = leaves_after

    def step(self, actions):
        flat = self.shown.reshape(self.num_envs, -1)[:, :CHOICES]
        worth = (actions - 1 == flat.argmin(1)).astype(np.float64)
        *rest, info = super().step(actions)
        if self.clock <= self.leaves_after:
            info = {**info, "approval": worth, "_approval": np.ones(self.num_envs, bool)}
        return *rest, info


@dataclass(frozen=True)
class Shown(Objective):
    """Gives the approval that is shown, nothing else: R_s."""

    unit: ClassVar[str] = "approval"
    scope: ClassVar[str] = "lifelong"
    weight: float = 1.0

    def start(self, observation_size, actions, rng):
        return _Shown()


class _Shown(LiveObjective):
    def reward(self, batch):
        return np.array(batch.approval)

    def update(self, rollout):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Perfect(Valuer):
    """Knows exactly what is liked."""

    def learn(self, evidence):
        pass

    def reward(self, batch):
        return (batch.action == batch.observation[:, :CHOICES].argmin(1)).astype(np.float64)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def agent_run(objectives, leaves_after=10**9, model=None, between=lambda learner, i: None):
    """Parameters at the end, by name, and the reward of a step in every update."""
    weights = {name: each.weight for name, each in objectives.items()}
    genome = replace(SMALL, objective=tuple(sorted(weights.items())))
    population = solo(genome, env=Watched(leaves_after), objectives=objectives)
    learner = population.learners["agent"]
    if model:
        learner.live_objectives()["internal_social_reward"]._valuer = model
    reports = []
    for i in range(UPDATES):
        reports.append(population.update()["agent"])
        between(learner, i)
    return learner.agent_state().parameters, reports


def same(one, other):
    assert one.keys() == other.keys()
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


DRIVE = Count(weight=0.7, memory="episodic")


@pytest.mark.parametrize(
    ("handover", "alone"),
    [
        ("never", {"count": DRIVE}),
        ("always", {"learned_value": LearnedValue(weight=0.3)}),
    ],
)
def test_none_and_all_of_the_say_are_the_pure_agents_to_the_bit(handover, alone):
    """S5, at the same seed: alpha = 0 is the drive alone, alpha = 1 the learned value alone."""
    both = {"count": DRIVE, "learned_value": LearnedValue(weight=0.3, handover=handover)}
    mixed, reports = agent_run(both)
    pure, _ = agent_run(alone)
    other, _ = agent_run({"count": DRIVE, "learned_value": LearnedValue(weight=0.3)})

    assert same(mixed, pure)
    assert not same(mixed, other)
    assert [each.losses["learned_value lessons"] for each in reports] == [
        64 * i for i in range(1, 7)
    ]


def test_an_abrupt_handover_is_one_pure_agent_and_then_the_other():
    """Up to the update after which it happens the drive alone, and no longer."""
    before = {}
    settings = {"handover": "abrupt", "first_update": 2, "last_update": 4}
    both = {"count": DRIVE, "learned_value": LearnedValue(weight=0.3, **settings)}
    for name, objectives in (("mixed", both), ("pure", {"count": DRIVE})):
        before[name] = []
        agent_run(
            objectives, between=lambda one, _, kept=before[name]: kept.append(one.agent_state())
        )
    pairs = zip(before["mixed"], before["pure"], strict=True)

    found = [same(one.parameters, other.parameters) for one, other in pairs]
    assert found == [True] * 3 + [False] * 3


def test_a_caregiver_who_stays_is_training_on_the_sum_of_rewards():
    """S6: P = 1 throughout is exactly R_e + R_s."""
    internal = {"extrinsic": Extrinsic(0.5), "internal_social_reward": InternalSocialReward()}
    mine, _ = agent_run(internal)
    sums, _ = agent_run({"extrinsic": Extrinsic(0.5), "shown": Shown()})
    without, _ = agent_run({"extrinsic": Extrinsic(0.5)})

    assert same(mine, sums)
    assert not same(mine, without)


def test_a_perfect_model_unlearns_nothing_when_the_caregiver_leaves():
    """S6: with R_i = R_s the switch looks like none; with a young model it does not."""
    internal = {"extrinsic": Extrinsic(0.5), "internal_social_reward": InternalSocialReward()}
    stays, _ = agent_run(internal)
    leaves, _ = agent_run(internal, leaves_after=24, model=Perfect())
    young, _ = agent_run(internal, leaves_after=24)

    assert same(leaves, stays)
    assert not same(young, stays)


def test_a_run_without_a_caregiver_gives_no_reward_of_the_kind():
    _, reports = agent_run({"learned_value": LearnedValue(), "count": DRIVE}, leaves_after=0)

    assert {each.rewards["learned_value"] for each in reports} == {0.0}
    assert {each.losses["learned_value lessons"] for each in reports} == {0.0}


def test_what_was_learned_survives_rewrites_and_can_be_rewritten():
    """Widening leaves the model alone to the bit; an agent state with other values puts them in."""
    seen = Watched()
    objectives = {"learned_value": LearnedValue(), "count": DRIVE}
    genome = replace(SMALL, objective=(("count", 0.7), ("learned_value", 1.0)))
    population = solo(genome, env=seen, objectives=objectives)
    learner = population.learners["agent"]
    for _ in range(2):
        population.update()
    before = learner.agent_state()
    learner.install(Widen(layer=0, units=3).apply(before, np.random.default_rng(0)))
    after = learner.agent_state()

    assert same(before.values, after.values)
    assert all(name.startswith("learned_value/net.") for name in after.values)
    head = "learned_value/net.2.weight"
    assert after.values[head].any()
    learner.install(replace(after, values={head: np.zeros_like(after.values[head])}))
    assert not learner.agent_state().values[head].any()
    assert same(
        {k: v for k, v in learner.agent_state().values.items() if k != head},
        {k: v for k, v in after.values.items() if k != head},
    )
    population.update()
    assert learner.agent_state().values[head].any()
