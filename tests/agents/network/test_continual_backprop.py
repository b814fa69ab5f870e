"""Continual backprop: who is replaced, when, what that changes, and that all it knows is kept."""

import numpy as np
import pytest
import torch

from agents.architecture.cost import parameter_shapes
from agents.architecture.initial import initial_buffers, initial_parameters
from agents.contract import AgentState
from agents.genome import Architecture, Genome, Layer, SupervisedRule
from agents.network import bundle
from agents.network.continual_backprop import DECAY, UnitReplacement
from tests.agents.small_worlds import streams

INPUTS, CHOICES = 6, 3
DENSE = (Layer("dense", 10), Layer("dense", 8))
KINDS = {
    "dense": DENSE,
    "residual": (Layer("dense", 10), Layer("residual", 8)),
    "norms": (Layer("dense", 10), Layer("norm", 10), Layer("dense", 8), Layer("norm", 8)),
    "sparse": (Layer("dense", 10), Layer("dense", 8, density=0.5)),
}


class AgentRun:
    """A tower with weights, moments of ones, some inputs, and the machine at work on it."""

    def __init__(self, rate=0.0, maturity=1, layers=DENSE, seed=0):
        rule = SupervisedRule(replacement_rate=rate, maturity=maturity)
        genome = Genome(Architecture(tuple(layers), "relu"), rule)
        rng = streams(seed)("weights")
        weights = initial_parameters(genome, INPUTS, CHOICES, rng)
        agent_state = AgentState(genome, weights, {}, initial_buffers(genome, weights, rng))
        self.networks = bundle.NetworkBundle(genome)
        self.optimizer = bundle.assign(
            self.networks, agent_state, parameter_shapes(genome, INPUTS, CHOICES)
        )
        self.tower, self.kept = self.networks.tower("policy"), self.networks.kept
        for each in self.tower.parameters():
            for name in ("exp_avg", "exp_avg_sq"):
                self.optimizer.state[each][name] = torch.ones_like(each)
        self.inputs = torch.from_numpy(rng.random((32, INPUTS)).astype(np.float32))
        self.machine = UnitReplacement(rule, streams(seed)("replacements"))

    def step(self):
        with torch.no_grad():
            seen = self.tower.activations(self.inputs)
        args = ("policy", self.tower, seen, self.optimizer, self.kept)
        self.machine.after_step(*args)
        return seen

    def weight(self, name):
        return self.tower.get_parameter(name).detach()

    def outputs(self):
        with torch.no_grad():
            return self.tower(self.inputs)


@pytest.mark.parametrize(("rate", "steps"), [(0.01, 57), (0.004, 90), (0.5, 4)])
def test_the_number_replaced_is_the_rate_times_the_mature_units_added_up(rate, steps):
    agent_run = AgentRun(rate, maturity=3)
    ages, replaced, due = np.zeros(10), 0, 0.0
    for _ in range(steps):
        agent_run.step()
        ages += 1
        due += rate * (ages > 3).sum()
        now = agent_run.kept["age/policy.0"].numpy()
        assert (now == 0).sum() == int(due + 1e-6)
        replaced, due = replaced + int(due + 1e-6), due - int(due + 1e-6)
        ages = now.copy()
    assert replaced > 0


def test_utility_is_the_running_contribution_and_the_least_useful_mature_unit_goes():
    agent_run = AgentRun(rate=0.1, maturity=2)
    sums = np.zeros(10)
    for step in range(1, 4):
        seen = agent_run.step()[0].abs().mean(0).numpy()
        outgoing = agent_run.weight("1.weight").abs().sum(0).numpy()
        if step < 3:
            sums = DECAY * sums + (1 - DECAY) * seen * outgoing
            assert agent_run.kept["utility/policy.0"].numpy() == pytest.approx(sums, rel=1e-5)
    (gone,) = np.flatnonzero(agent_run.kept["age/policy.0"].numpy() == 0)  # 0.1 * 10 units: one
    assert gone == np.argmin(sums)


def test_a_dead_unit_is_the_first_to_go_and_comes_back_with_incoming_and_without_outgoing_weights():
    agent_run = AgentRun(rate=0.1, maturity=1)
    with torch.no_grad():
        agent_run.weight("0.bias")[:] = 3.0  # all the others answer
        agent_run.weight("0.bias")[4] = -100.0
    before = {name: each.detach().clone() for name, each in agent_run.tower.named_parameters()}
    agent_run.step()
    agent_run.step()
    assert agent_run.kept["age/policy.0"][4] == 0
    assert agent_run.weight("0.bias")[4] == 0
    assert (agent_run.weight("1.weight")[:, 4] == 0).all()
    assert not torch.equal(agent_run.weight("0.weight")[4], before["0.weight"][4])
    others = [i for i in range(10) if i != 4]
    assert torch.equal(agent_run.weight("0.weight")[others], before["0.weight"][others])
    for name, at in (("0.weight", (4,)), ("0.bias", (4,)), ("1.weight", (slice(None), 4))):
        state = agent_run.optimizer.state[agent_run.tower.get_parameter(name)]
        for key in ("exp_avg", "exp_avg_sq"):
            assert (state[key][at] == 0).all()
            assert state[key].sum() == state[key].numel() - state[key][at].numel()


@pytest.mark.parametrize("kind", ["dense", "residual"])
def test_replacing_units_that_always_say_the_same_changes_no_output(kind):
    """What they sent moves into the biases of the next layer."""
    agent_run = AgentRun(rate=0.25, maturity=1, layers=KINDS[kind])
    with torch.no_grad():
        for i, each in enumerate(agent_run.tower.architecture().layers):
            inner = "inner." if each.kind == "residual" else ""
            agent_run.weight(f"{i}.{inner}weight")[:4] = 0.0
            agent_run.weight(f"{i}.{inner}bias")[:4] = 0.01  # little, so they are the ones to go
        for name in ("1.weight", "1.inner.weight"):
            if name in dict(agent_run.tower.named_parameters()):
                agent_run.weight(name)[:, :4] *= 0.1
    shown = agent_run.outputs()
    for _ in range(2):
        agent_run.step()
    assert (agent_run.kept["age/policy.0"] == 0).any()
    assert torch.allclose(agent_run.outputs(), shown, atol=1e-6)


def test_the_young_are_spared():
    agent_run = AgentRun(rate=1.0, maturity=5)
    for step in range(1, 6):
        agent_run.step()
        assert (agent_run.kept["age/policy.1"] == step).all()
    agent_run.step()
    assert (agent_run.kept["age/policy.1"] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_to_the_bit_from_its_buffers_and_its_stream(kind):
    whole, halves = AgentRun(0.05, 2, KINDS[kind]), AgentRun(0.05, 2, KINDS[kind])
    for _ in range(20):
        whole.step()
    for _ in range(9):
        halves.step()
    halves.networks.kept = halves.kept = {k: each.clone() for k, each in halves.kept.items()}
    rule, rng = SupervisedRule(replacement_rate=0.05, maturity=2), halves.machine._rng
    halves.machine = UnitReplacement(rule, rng)
    for _ in range(11):
        halves.step()
    for one, other in zip(whole.tower.parameters(), halves.tower.parameters(), strict=True):
        assert torch.equal(one, other)
    assert all(torch.equal(each, halves.kept[name]) for name, each in whole.kept.items())


def test_only_layers_with_units_of_their_own_are_kept_account_of():
    agent_run = AgentRun(0.05, 2, KINDS["norms"])
    agent_run.step()
    names = {f"{kind}/policy.{i}" for kind in ("utility", "age", "fraction") for i in (0, 2)}
    assert set(agent_run.kept) == names


def test_edges_that_are_not_there_stay_away():
    agent_run = AgentRun(0.5, 1, KINDS["sparse"])
    absent = agent_run.tower.get_buffer("1.mask") == 0
    for _ in range(12):
        agent_run.step()
    assert (agent_run.weight("1.weight")[absent] == 0).all()


def test_a_replaced_unit_is_initialised_anew():
    agent_run = AgentRun(rate=0.1, maturity=1)
    agent_run.kept["birth/policy.0.weight"] = agent_run.weight("0.weight").clone()
    for _ in range(2):
        agent_run.step()
    assert (agent_run.kept["age/policy.0"] == 0).sum() == 1
    assert torch.equal(agent_run.kept["birth/policy.0.weight"], agent_run.weight("0.weight"))
