"""A population: members that never meet, one budget, one who speaks for all."""

import numpy as np
import pytest

from agents.algorithms.ppo_start import build_learner
from agents.learners.population import PopulationPPO
from agents.training.population import Solo
from sandbox.analysis import metric_base
from sandbox.metrics.flops import Flops
from sandbox.metrics.mean_return import MeanReturn
from sandbox.metrics.parameters import Parameters
from sandbox.record import events
from sandbox.report.data import training_returns
from sandbox.trial import loop
from sandbox.trial import population as membership
from tests.agents.agent_states import same
from tests.agents.small_worlds import EXTRINSIC, SMALL, Signpost, streams
from tests.sandbox.trial.test_loop import SPEC, Notes

SETTINGS = {"members": 3, "num_envs": 4, "steps_per_update": 16, "minibatch": 32}


def agent_run(**changes) -> Notes:
    settings = {**SETTINGS, "total_steps": 1000, **changes.pop("settings", {})}
    notes = Notes()
    loop.run_trial({**SPEC, "learner": {"population": settings}, **changes}, "x", notes)
    return notes


def trained(members, updates=3, env=None, seed=0):
    learner = PopulationPPO(members=members, num_envs=4, steps_per_update=8)
    genomes = learner.initial_genomes(SMALL, ("agent",), streams(seed))
    env = env or Signpost(learner.copies(), seed=seed)
    population = learner.build(env, genomes, EXTRINSIC, streams(seed))
    return population, [population.update() for _ in range(updates)]


def test_a_population_of_one_is_a_lone_agent_to_the_bit():
    population, reports = trained(1)
    alone = Solo(
        Signpost(4, seed=0), 8, {"agent": SMALL}, EXTRINSIC, streams(0), make=build_learner
    )
    duplicates = [alone.update()["agent"] for _ in range(3)]

    assert [each["member_0"] for each in reports] == duplicates
    assert same(
        population.learners["member_0"].agent_state(), alone.learners["agent"].agent_state()
    )


class Separate(Signpost):
    """Every row's chance is its own, so that a row shows nothing of its neighbours."""

    def _look(self):
        if not hasattr(self, "of"):
            self.of = [np.random.default_rng(k) for k in range(self.num_envs)]
        rows = [each.uniform(-1, 1, (2, 2)) for each in self.of]
        self.shown = np.array(rows, np.float32)
        return self.shown


def test_members_do_not_know_of_each_other():
    """Where the world's chance is drawn row by row, the first of one, two and four is the same."""
    first = [
        trained(n, env=Separate(4 * n))[0].learners["member_0"].agent_state() for n in (1, 2, 4)
    ]

    assert same(first[0], first[1])
    assert same(first[0], first[2])


def test_members_differ_and_every_one_learns_from_its_own_rows():
    population, _ = trained(3, env=Separate(12))
    agent_states = [each.agent_state() for each in population.learners.values()]
    rows = [each.recent_observations(10**6) for each in population.learners.values()]

    assert not same(agent_states[0], agent_states[1])
    assert all(len(each) == 4 * 8 for each in rows)
    assert not {*map(bytes, rows[0])} & {*map(bytes, rows[1])}


def test_rows_that_cannot_be_shared_out_are_refused():
    learner = PopulationPPO(members=3)
    genomes = learner.initial_genomes(SMALL, ("agent",), streams())

    with pytest.raises(ValueError, match="10 copies cannot be shared by 3 members"):
        learner.build(Signpost(10), genomes, EXTRINSIC, streams())


def test_the_spread_of_learning_rates_at_the_start():
    """Log-uniform: of 400, about 200 within [1/2, 2] of a spread of 4 (standard deviation 10)."""
    initial = PopulationPPO(members=401, spread=4.0).initial_genomes(SMALL, ("agent",), streams())
    rates = [each.learning_rule.learning_rate / 3e-3 for each in initial.values()]

    assert rates[0] == 1.0
    assert min(rates) >= 1 / 4
    assert max(rates) <= 4
    assert abs(sum(1 / 2 <= each <= 2 for each in rates[1:]) - 200) < 40
    alike = PopulationPPO(members=4).initial_genomes(SMALL, ("agent",), streams())
    assert {*alike.values()} == {SMALL}


@pytest.mark.parametrize(("name", "value"), [("members", 0), ("members", 1001), ("spread", 0.5)])
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        PopulationPPO(**{name: value})


# --- in the laboratory -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def notes() -> Notes:
    return agent_run()


def test_the_budget_of_steps_is_that_of_all_members_together(notes):
    """1000 steps at 3 * 4 * 16 = 192 an update: six updates."""
    finished = notes.of(events.TrialFinished)[0]
    last = {each.agent: each for each in notes.of(events.Updated)}

    assert (finished.updates, finished.steps) == (6, 6 * 192)
    assert finished.flops == sum(each.flops for each in last.values())
    assert Flops().compute(notes.events).value == finished.flops
    assert len({each.flops for each in last.values()}) == 1


def test_it_costs_as_much_as_a_lone_agent_with_as_many_steps(notes):
    """Same shapes, same minibatches: an update of three members is three of the lone agent's."""
    settings = {k: v for k, v in SETTINGS.items() if k != "members"}
    alone = Notes()
    loop.run_trial({**SPEC, "learner": {"ppo": {**settings, "total_steps": 1000}}}, "x", alone)
    spent = [each.of(events.TrialFinished)[0] for each in (notes, alone)]

    assert spent[0].flops / spent[0].steps == pytest.approx(spent[1].flops / spent[1].steps)


def test_the_flop_budget_is_that_of_all_members_together(notes):
    whole = notes.of(events.TrialFinished)[0].flops
    half = agent_run(gate={**SPEC["gate"], "max_flops": whole / 2})

    assert half.of(events.TrialFinished)[0].updates == 3


def test_the_same_spec_gives_the_same_bytes(notes):
    again = agent_run()

    assert again.lines == notes.lines
    assert again.tensors == notes.tensors
    assert [*map(events.to_line, again.events)] == [*map(events.to_line, notes.events)]


def test_everyone_is_started_recorded_probed_and_kept(notes):
    members = ("member_0", "member_1", "member_2")

    assert notes.of(events.TrialStarted)[0].agents == members
    assert tuple(notes.tensors) == members
    assert [each["agent"] for each in notes.entries()] == [*members] * 2
    reported = [each for each in notes.of(events.Probed) if each.update == 6]
    assert {each.agent for each in reported} == {*members}
    assert all(each.truth for each in notes.of(events.Updated) if each.episodes)


def test_the_truth_of_a_row_is_its_members(notes):
    """What the recorder saw of the ground truth is what each learner was rewarded, by member."""
    reported = [each for each in notes.of(events.Updated) if each.episodes]

    assert len({each.mean_return for each in reported}) > len(reported) / 2
    for each in reported:  # no coverage shift, and a reward without shaping: hidden as received
        assert each.truth["hidden_reward"] == pytest.approx(each.mean_return)


def test_the_member_that_was_rewarded_most_in_training_speaks_for_all(notes):
    returns = {}
    for each in notes.of(events.Updated):
        returns.setdefault(each.agent, []).append(each.mean_return)
    name, score = membership.best(returns)
    chosen = notes.of(events.Chosen)[-1]
    probed = metric_base.last_probes(notes.events, "in_distribution", "reward")

    assert (chosen.agent, chosen.mean_return, chosen.update) == (name, score, 6)
    assert [each.agent for each in probed] == [name]
    assert MeanReturn().compute(notes.events).value == probed[0].values["reward"]
    assert Parameters().compute(notes.events).n == 1


def test_the_curve_of_a_population_is_of_who_speaks_for_it(notes):
    """Not a mean over members, which no agent ever had."""
    speaker = metric_base.chosen(notes.events)
    own = {each.steps: each.mean_return for each in notes.of(events.Updated)
           if each.agent == speaker and each.mean_return is not None}  # fmt: skip

    assert training_returns(notes.events) == own


def test_the_best_is_the_first_of_ties_and_the_silent_come_last():
    assert membership.best({"a": [None], "b": [1.0], "c": [1.0]}) == ("b", 1.0)
    assert membership.best({"a": [], "b": [None, None]}) == ("a", None)
    assert membership.best({"a": [99.0] + [0.0] * 10, "b": [None] * 20 + [0.5]}) == ("b", 0.5)
    assert membership.best({"a": [-5.0], "b": [None]}) == ("a", -5.0)


def test_a_lone_agents_trial_chooses_no_representative():
    alone = Notes()
    loop.run_trial(SPEC, "x", alone)

    assert not alone.of(events.Chosen)
    assert metric_base.chosen(alone.events) == ""


def test_a_control_acts_on_the_rows_of_every_member(notes):
    """Rewarded the negative, all get the negative: the ground truth is what was meant."""
    rewards = agent_run(controls={"reward_poison": {"intensity": 1.0}})
    reported = [each for each in rewards.of(events.Updated) if each.episodes]

    assert {each.agent for each in reported} == {"member_0", "member_1", "member_2"}
    assert any(each.mean_return != each.truth["hidden_reward"] for each in reported)
    assert all(each.truth for each in reported)
