"""Edits on a running learner: what they claim is what happens, and learning goes on."""

from dataclasses import replace

import numpy as np
import pytest

from agents.architecture import validity
from agents.contract import View
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.rnd import Rnd
from sandbox.catalogue import catalogue
from tests.agents.small_worlds import CHOICES, SIZE, SMALL, Signpost, solo

KINDS = {name: part.load() for name, part in catalogue().parts("edits").items()}
CURIOUS = {"extrinsic": Extrinsic(), "rnd": Rnd(hidden=8, latent=4)}
GENOME = replace(SMALL, objective=(("extrinsic", 1.0), ("rnd", 0.1)))


def an_agent_run():
    return solo(GENOME, objectives=CURIOUS, engine="torch")


def the_view(learner, update):
    """What its editor would see; the first unit of every layer is said to sleep."""
    seen = dict(learner.view())
    seen["unit_scores"] = tuple(np.r_[0.0, scores[1:]] for scores in seen["unit_scores"])
    return View(learner.effective(), update, 1.0, np.inf, (0.0,) * update, **seen)


@pytest.mark.parametrize("name", KINDS)
def test_every_candidate_keeps_its_claim_on_a_live_learner(name):
    population = an_agent_run()
    learner = population.learners["agent"]
    for update in range(1, 4):
        population.update()
        observations = learner.recent_observations(64)
        for edit in KINDS[name].candidates(the_view(learner, update)):
            before, agent_state = learner.logits(observations), learner.agent_state()
            after = edit.apply(agent_state, np.random.default_rng(update))
            claim = edit.claim(agent_state.genome)
            learner.install(after)

            assert validity.state_problems(after, SIZE, CHOICES) == ()
            assert learner.effective() == edit.rewrite(agent_state.genome)
            if claim.max_logit_change is not None:
                moved = np.max(np.abs(learner.logits(observations) - before))
                assert moved <= claim.max_logit_change
    population.update()


def test_a_run_of_edits_still_learns():
    """Chance returns 5/3 an episode; after widening, deepening and a reset it is much more."""
    population = solo(
        replace(SMALL, learning_rule=replace(SMALL.learning_rule, learning_rate=1e-2, epochs=8)),
        env=Signpost(32, seed=1),
        steps=10,
    )
    learner = population.learners["agent"]
    for update in range(1, 41):
        report = population.update()["agent"]
        if update % 8 == 0 and update < 40:
            name = ("widen", "deepen", "reset_dormant", "prune")[update // 8 - 1]
            edit = KINDS[name].candidates(the_view(learner, update))[0]
            learner.install(edit.apply(learner.agent_state(), np.random.default_rng(update)))

    assert report.mean_return > 3
