"""Rewrites of what was learned of another agent's values, by the book."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.contract import RefusedEditError
from agents.editors.fixed import Fixed
from agents.edits.copy_values import CopyValues
from agents.edits.identity import Identity
from agents.edits.reset_values import ResetValues
from agents.genome import Genome
from sandbox.gate.gate import Gate
from sandbox.trial.edit_step import consider
from sandbox.trial.live_trial import AgentRun
from tests.agents.agent_states import a_view, an_agent_state
from tests.agents.learning_kinds import a_genome, after_updates
from tests.agents.valuing import Valuing

RNG = np.random.default_rng
WEIGHTS = RNG(3).standard_normal((200, 50)).astype(np.float32)
VALUES = {"someone/weights": WEIGHTS, "someone/zeros": np.zeros(4), "someone/seen": np.arange(3)}


def agent_state(values=VALUES):
    return replace(an_agent_state(Genome()), values=values)


def test_an_error_of_0_copies_to_the_bit():
    before = agent_state()
    after = CopyValues().apply(before, RNG(0))

    for name, each in before.values.items():
        assert after.values[name].dtype == each.dtype
        assert after.values[name].tobytes() == each.tobytes()
        assert not np.shares_memory(after.values[name], each)
    assert after.parameters is before.parameters


@pytest.mark.parametrize("error", [0.01, 0.3, 2.0])
def test_noise_has_the_size_that_was_said(error):
    after = CopyValues(error).apply(agent_state(), RNG(0)).values
    moved = after["someone/weights"].astype(float) - WEIGHTS
    size = math.sqrt(np.square(WEIGHTS.astype(float)).mean())

    assert moved.std() == pytest.approx(error * size, rel=0.03)  # 10,000 draws: 4 SE are 2.8 %
    assert abs(moved.mean()) < 4 * error * size / 100
    assert after["someone/weights"].dtype == np.float32
    assert not after["someone/zeros"].any()
    assert (after["someone/seen"] == np.arange(3)).all(), "counts are no weights"


def test_a_reset_keeps_the_size_and_nothing_else():
    after = ResetValues().apply(agent_state(), RNG(0)).values
    drawn = after["someone/weights"].astype(float)

    assert np.square(drawn).mean() == pytest.approx(np.square(WEIGHTS.astype(float)).mean())
    assert abs(np.corrcoef(drawn.ravel(), WEIGHTS.ravel())[0, 1]) < 4 / 100
    assert not after["someone/zeros"].any()
    assert (after["someone/seen"] == np.arange(3)).all()


@pytest.mark.parametrize("edit", [CopyValues(), CopyValues(0.5), ResetValues()])
def test_nothing_learned_is_refused_with_one_reason(edit):
    with pytest.raises(RefusedEditError, match=r"has learned nothing of others' values$"):
        edit.apply(agent_state({}), RNG(0))
    assert not type(edit).candidates(a_view(Genome()))
    assert type(edit).candidates(a_view(Genome(), values=("someone/weights",)))


@pytest.mark.parametrize("error", [-0.1, math.inf, math.nan, "1", True])
def test_an_error_that_is_none_is_refused(error):
    with pytest.raises(RefusedEditError, match="error is a number from 0 to 100"):
        CopyValues(error).rewrite(Genome())


# --- in a living agent -----------------------------------------------------------------------


@dataclass(frozen=True)
class Meddling(Identity):
    """Changes values and says that it touches the architecture."""

    def apply(self, agent_state, rng):
        return CopyValues(0.1).apply(agent_state, rng)


def an_agent_run():
    genome = replace(a_genome("ppo"), objective=(("valuing", 1.0),))
    _, learner = after_updates("ppo", 2, genome, objectives={"valuing": Valuing()})
    return AgentRun(learner, Fixed().start({}, RNG(0)), RNG(1))


@pytest.mark.parametrize("edit", [CopyValues(), CopyValues(0.5), ResetValues()])
def test_in_a_living_agent_the_policy_is_untouched_to_the_bit(edit):
    agent_run = an_agent_run()
    edit_outcome = consider(agent_run, "agent", edit, Gate(allow_objective=True), 0.0)

    assert edit_outcome.ruling.allowed, edit_outcome.ruling.reason
    assert edit_outcome.audit.finding == "confirmed"
    assert edit_outcome.behaviour.max_logit_change == 0.0
    assert edit_outcome.behaviour.mean_kl == 0.0
    same = np.array_equal(
        *(m.values["valuing/weights"] for m in (edit_outcome.before, edit_outcome.after))
    )
    assert same == (edit == CopyValues())


def test_values_are_protected_as_objectives_are():
    agent_run = an_agent_run()
    before = agent_run.learner.agent_state().values["valuing/weights"]

    denied = consider(agent_run, "agent", CopyValues(0.1), Gate(), 0.0)
    sly = consider(agent_run, "agent", Meddling(), Gate(allow_objective=True), 0.0)

    assert denied.ruling.reason.startswith("protected: 'objective'")
    assert "valuing/weights, part of its objective, but says architecture" in sly.ruling.reason
    assert np.array_equal(agent_run.learner.agent_state().values["valuing/weights"], before)
