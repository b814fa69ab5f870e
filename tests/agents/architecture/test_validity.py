"""Genomes and settings that cannot live are refused in words, all at once."""

import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.architecture.validity import LEARNER_RANGES, genome_problems
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.layers import KINDS
from agents.learners.independent import Independent
from agents.learners.ppo import PPO
from tests.agents.agent_states import genomes


@given(genomes)
def test_genomes_in_range_have_no_problems(genome):
    assert genome_problems(genome) == ()
    assert genome_problems(Genome(Architecture(()))) == ()


@pytest.mark.parametrize("units", [0, -3, 2.5, 4.0, "8", True, None, float("nan"), 10**400])
def test_a_width_that_is_no_count_is_refused(units):
    (problem,) = genome_problems(Genome(Architecture((Layer("dense", units),))))
    assert problem.startswith("layer 0: units must be a whole number in [1, 1e+06], got ")


def test_numpy_counts_are_counts():
    assert genome_problems(Genome(Architecture((Layer("dense", np.int64(8)),)))) == ()


def test_everything_wrong_is_named_at_once():
    rule = replace(LearningRule(), learning_rate=-1.0, epochs=0, discount=float("nan"))
    architecture = Architecture((Layer("residual", 4), Layer("conv", 4)), "sine")
    problems = genome_problems(
        Genome(architecture, rule, (("rnd", float("inf")), ("extrinsic", 1.0)))
    )
    assert problems == (
        f"layer 1: kind must be one of {', '.join(KINDS)}, got 'conv'",
        "layer 0 is residual: the first layer must be dense, it sets the width",
        "activation must be one of tanh, relu",
        "learning_rate must be a number in (0, 1], got -1.0",
        "discount must be a number in [0, 1], got nan",
        "epochs must be a whole number in [1, 100], got 0",
        "objectives must be named once each, in order of name, got rnd, extrinsic",
        "weight of objective rnd must be a number in [-1e+06, 1e+06], got inf",
    )


def test_too_deep_a_network_is_refused():
    layers = (Layer("dense", 1),) * 1001
    assert genome_problems(Genome(Architecture(layers))) == (
        "1001 layers, at most 1000 are allowed",
    )


@pytest.mark.parametrize("kind", [PPO, Independent])
@pytest.mark.parametrize("name", LEARNER_RANGES)
@pytest.mark.parametrize("value", ["1", None, True, float("nan"), -1])
def test_a_setting_out_of_range_names_field_and_range(kind, name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a (whole )?number in [\[(]"):
        kind(**{name: value})


@pytest.mark.parametrize("kind", [PPO, Independent])
def test_the_learner_gives_the_genome_its_rule(kind):
    settings = kind(learning_rate=0.02, epochs=7)
    rule = LearningRule(**settings.genome_rule())
    assert (rule.learning_rate, rule.epochs) == (0.02, 7)
    assert asdict(rule).items() <= asdict(settings).items()
    with pytest.raises(ValueError, match="at least 2"):
        kind(num_envs=1, steps_per_update=1)


@given(st.floats(0, 1), st.integers(1, 100))
def test_numbers_in_range_are_taken(discount, epochs):
    assert PPO(discount=discount, epochs=epochs).discount == discount
    assert PPO(discount=1).discount == 1  # a whole number is a number


def test_the_parts_and_the_counting_need_no_torch():
    code = (
        "import sys, agents.learners.ppo, agents.learners.independent, agents.architecture.cost, "
        "agents.architecture.checkpoint, agents.behaviour; print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
