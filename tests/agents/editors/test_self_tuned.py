"""Mutation that mutates its own step: the sphere, what recursion costs there, and the editor."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import RefusedEditError, Reply
from agents.editing.mutation import OFFERED, mutated_steps, stepped, tunable
from agents.editors.self_tuned import STEP_BOUNDS, SelfTuned
from agents.edits.set_discount import SetDiscount
from agents.edits.set_rule import SetRule
from agents.edits.take_back import TakeBack
from agents.genome import Architecture, DQNRule, Genome, LearningRule, TableRule
from benchmarks.toys.evolution_strategy import FREE, evolve, sphere
from tests.agents.agent_states import a_view

N = 20
TAU = 1 / math.sqrt(2 * N)


# --- the mutation ------------------------------------------------------------------------------

positive = st.floats(1e-6, 1e6)
noises = st.floats(-6, 6)


@given(positive, positive, noises)
def test_a_step_is_log_normal_and_clamped(value, step, noise):
    exponent = math.log(value) + step * noise

    if abs(exponent) < 200:
        assert stepped(value, step, noise, FREE) == pytest.approx(math.exp(exponent), rel=1e-9)
    assert 0.5 <= stepped(value, step, noise, (0.5, 2.0)) <= 2.0
    assert stepped(value, step, 0.0, FREE) == value


def test_a_tower_is_mutated_from_the_top_and_its_top_stays():
    steps = mutated_steps((1.0, 0.5, 0.25), (0.3, -0.7), [FREE] * 3)

    second = 0.5 * math.exp(0.25 * -0.7)
    assert steps == pytest.approx((math.exp(second * 0.3), second, 0.25), rel=1e-12)


# --- the sphere --------------------------------------------------------------------------------


def magnitudes(steps, seeds, bounds=None):
    """log10 of the last loss, by seed: (1,10), n = 20, 600 generations from (5, ..., 5)."""
    return np.log10(
        [
            evolve(
                sphere,
                np.full(N, 5.0),
                steps,
                np.random.default_rng(seed),
                generations=600,
                bounds=bounds,
            )[0]
            for seed in seeds
        ]
    )


@pytest.mark.parametrize(
    ("sigma", "fixed", "adaptive"),
    [(1.0, 3.8e1, 4.8e-19), (0.001, 4.6e2, 5e-15), (100.0, 3.9e5, 3e-16)],
)
def test_an_adapted_step_converges_from_any_start_and_a_fixed_one_does_not(sigma, fixed, adaptive):
    """Figures measured elsewhere; medians of five seeds within two orders of magnitude."""
    flat, tuned = magnitudes((sigma,), range(2)), magnitudes((sigma, TAU), range(5))

    assert min(flat) >= 1
    assert np.median(flat) == pytest.approx(math.log10(fixed), abs=0.5)
    assert np.median(tuned) == pytest.approx(math.log10(adaptive), abs=2)


@pytest.mark.slow
def test_recursion_is_not_free():
    """A tau that evolves too (tau2 = 0.3) ends worse than one that does not; bounds give most back.

    20 seeds, paired: with no difference, 17 or more of 20 have probability 0.0013 (sign test).
    """
    seeds = range(20)
    plain = magnitudes((1.0, TAU), seeds)
    free = magnitudes((1.0, TAU, 0.3), seeds)
    bounded = magnitudes((1.0, TAU, 0.3), seeds, [FREE, (TAU / 3, TAU * 3), FREE])

    assert (free > plain).sum() >= 17
    assert (free > bounded).sum() >= 17
    assert np.median(free) > np.median(bounded) > np.median(plain)


# --- edits of numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((), "at least one number"),
        ((("discount", 0.5),), "discount says what the agent values: see set_discount"),
        ((("speed", 0.5),), "no number 'speed'"),
        ((("temperature", 0.5),), "no number 'temperature'"),  # SAC's, and this is PPO
        ((("learning_rate", 0.0),), "learning_rate must be a number in"),
        ((("learning_rate", float("nan")),), "learning_rate must be a number in"),
        ((("epochs", 2.5),), "epochs must be a whole number"),
        ((("learning_rate", 0.1), ("learning_rate", 0.2)), "names learning_rate twice"),
        ((("learning_rate",),), "pairs of name and value"),
        ("learning_rate", "at least one number"),
    ],
)
def test_numbers_that_cannot_be_set_are_refused_in_one_line(numbers, reason):
    with pytest.raises(RefusedEditError, match=r"^[^\n]*$") as refused:
        SetRule(numbers).rewrite(Genome())

    assert reason in str(refused.value)


def test_several_numbers_are_set_at_once_and_claimed_one_by_one():
    edit = SetRule([["learning_rate", 0.5], ["epochs", 3]])

    rule = edit.rewrite(Genome()).learning_rule
    assert (rule.learning_rate, rule.epochs) == (0.5, 3)
    assert edit.claim(Genome()).changes == {
        "learning_rule.learning_rate": 0.5,
        "learning_rule.epochs": 3,
    }


def test_a_discount_is_an_edit_of_the_objective():
    assert SetDiscount.part == "objective"
    assert SetDiscount(0.5).rewrite(Genome()).learning_rule.discount == 0.5
    with pytest.raises(RefusedEditError, match="discount must be a number"):
        SetDiscount(1.5).rewrite(Genome())
    offered = [edit.value for edit in SetDiscount.candidates(a_view(Genome()))]
    assert offered == pytest.approx([0.995, 0.98])


@pytest.mark.parametrize(
    ("rule", "absent", "present"),
    [
        (LearningRule(), {"discount", "momentum", "target_rate"}, {"clip_range"}),
        (LearningRule(entropy_coefficient=0.0), {"entropy_coefficient"}, {"learning_rate"}),
        (DQNRule(), {"clip_range", "entropy_coefficient"}, {"target_rate", "exploration"}),
        (TableRule(), {"clip_range", "gae_lambda"}, {"learning_rate"}),
    ],
)
def test_only_numbers_that_mean_something_are_offered(rule, absent, present):
    """Zeros have no factor, and a DQN has no clip."""
    layers = () if isinstance(rule, TableRule) else Genome().architecture.layers
    genome = Genome(Architecture(layers), rule)
    offered = [edit.numbers[0][0] for edit in SetRule.candidates(a_view(genome))]

    assert set(tunable(rule)).isdisjoint(absent)
    assert present <= set(offered)
    assert set(offered) <= set(OFFERED)


# --- the editor --------------------------------------------------------------------------------


def live(**settings):
    edits = {"set_rule": SetRule, "take_back": TakeBack}
    return SelfTuned(every_updates=2, **settings).start(edits, np.random.default_rng(1))


def story(editor, reward_of, updates=60):
    """Live on; returns are ``reward_of`` the genome there is. The edits and steps."""
    genome, returns, made, past = Genome(), [], [], {}
    for update in range(1, updates):
        returns.append(reward_of(genome, update))
        view = a_view(genome, update=update, returns=tuple(returns), flops=10.0 * update)
        edit = editor.propose(view)
        if edit is None:
            continue
        made.append((edit, editor.state()["step"]))
        past[update] = genome
        genome = past[edit.entry] if isinstance(edit, TakeBack) else edit.rewrite(genome)
        editor.receive(Reply(edit, applied=True, reason="", entry=update))
    return made, genome


def test_all_its_numbers_move_in_one_edit_and_the_step_with_them():
    made, _ = story(live(rule="keep_all"), lambda genome, update: 0.0)

    names = {tuple(name for name, _ in edit.numbers) for edit, _ in made}
    assert names == {("learning_rate", "entropy_coefficient", "clip_range")}
    assert len({step for _, step in made}) == len(made)
    for edit, _ in made:
        assert all(OFFERED[name][0] <= each <= OFFERED[name][1] for name, each in edit.numbers)


def test_an_undone_edit_takes_its_step_size_back():
    """Nothing ever helps, so every mutation is undone and the step is the first one again."""
    made, genome = story(live(), lambda genome, update: -float(update))

    undone = [step for edit, step in made if isinstance(edit, TakeBack)]
    tried = [step for edit, step in made if isinstance(edit, SetRule)]
    assert len(undone) >= len(tried) - 1 > 5
    assert set(tried) == {SelfTuned().step}
    assert genome in (Genome(), made[-1][0].rewrite(Genome()))


def test_it_climbs_to_the_best_learning_rate():
    """A run that gives a return by the distance of the rate from 0.02, starting at 0.001."""

    def reward_of(genome, update):
        return -abs(math.log(genome.learning_rule.learning_rate / 0.02)) + 0.001 * update

    _, stays = story(live(numbers=("learning_rate",)), reward_of, updates=400)
    _, drifts = story(live(numbers=("learning_rate",), rule="keep_all"), reward_of, updates=400)

    assert abs(math.log(stays.learning_rule.learning_rate / 0.02)) < 0.5
    assert reward_of(stays, 0) > reward_of(drifts, 0)


def test_its_step_stays_in_bounds_and_its_state_is_json():
    editor = live(tau=2.0, rule="keep_all")
    made, _ = story(editor, lambda genome, update: 0.0, updates=300)

    assert all(STEP_BOUNDS[0] <= step <= STEP_BOUNDS[1] for _, step in made)
    assert json.loads(json.dumps(editor.state())) == editor.state()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"every_updates": 0}, "every_updates is at least 1"),
        ({"numbers": ()}, "at least one number"),
        ({"numbers": ("discount",)}, "numbers knows"),
        ({"numbers": ("learning_rate", "learning_rate")}, "none twice"),
        ({"step": 0.0}, "step is 0.001 to 2"),
        ({"tau": -1.0}, "tau is 0 to 2"),
    ],
)
def test_settings_that_make_no_editor_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SelfTuned(**settings)
