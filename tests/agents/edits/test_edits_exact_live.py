"""Edits that say they change nothing, in float32 on a living agent: values, divergence, choices."""

from dataclasses import replace

import numpy as np
import pytest

from agents.behaviour import behaviour_change
from agents.contract import EditEvidence, View
from agents.edits.split_expert import SplitExpert
from agents.edits.widen_net2net import WidenNet2net
from agents.genome import Architecture, Genome, Layer, LearningRule
from sandbox.catalogue import catalogue
from tests.agents.small_worlds import SIZE, solo

SEEN = 4096  # and 1024 more, drawn at random
HOMES = {
    "plain": Architecture((Layer("dense", 24), Layer("dense", 16))),
    "rich": Architecture(
        (Layer("mixture", 12, count=2), Layer("dense", 12, density=0.5), Layer("norm", 12)),
        history=2,
    ),
}


def alive(architecture):
    rule = LearningRule(minibatch=64, learning_rate=3e-3)
    population = solo(genome=Genome(architecture, rule), steps=64, num_envs=64, engine="torch")
    for _ in range(3):
        population.update()
    return population.learners["agent"]


def quiet(edit):
    """The exact form of an edit that can be noisy."""
    noisy = isinstance(edit, WidenNet2net | SplitExpert)
    return replace(edit, noise=0.0) if noisy else edit


LEARNERS = {name: alive(each) for name, each in HOMES.items()}
LOOKS = {name: live.look() for name, live in LEARNERS.items()}  # a changed past ends a rollout
CASES = [
    pytest.param(home, quiet(edit), id=f"{home}-{name}-{i}")
    for home, live in LEARNERS.items()
    for name, part in catalogue().parts("edits").items()
    for i, edit in enumerate(
        part.load().candidates(
            View(live.effective(), 3, 0.0, 0.0, (), look=live.look(), **live.view())
        )
    )
    if quiet(edit).claim(live.effective()).max_logit_change is not None
]


@pytest.mark.parametrize(("home", "edit"), CASES)
def test_nothing_that_could_be_noticed_changes(home, edit):
    live = LEARNERS[home]
    initial, rng = live.agent_state(), np.random.default_rng(0)
    recorded = live.recent_observations(SEEN)
    random = rng.standard_normal((1024, recorded.shape[1]))
    random[:, SIZE * live.effective().architecture.history :] = 0
    seen = np.concatenate([recorded, random]).astype(np.float32)
    was = live.logits(seen), live.values(seen)
    live.install(edit.apply_seeing(initial, rng, EditEvidence(LOOKS[home], lambda _: initial)))
    now = live.logits(seen), live.values(seen)
    live.install(initial)
    for before, after in zip(was, now, strict=True):
        assert np.abs(after - before).max() <= 1e-5 * max(1.0, np.abs(before).max())
    assert abs(behaviour_change(was[0], now[0], was[1], now[1]).mean_kl) <= 1e-8
    assert (was[0].argmax(1) == now[0].argmax(1)).mean() >= 0.9999
