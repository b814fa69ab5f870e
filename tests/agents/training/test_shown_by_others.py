"""Feedback from another agent; mixing weights; and objectives that misbehave."""

from dataclasses import replace

import numpy as np
import pytest

from agents.contract import AgentState, Batch, LiveObjective
from agents.genome import Genome
from agents.training.diary import Diary
from agents.training.reward_mixing import mixed, shares, update_objectives
from agents.training.shown_by_others import ALONE, CaregiverFeedback, caregiver_feedback
from agents.training.value_transfer import exported_values, import_values, value_problems


class Fixed(LiveObjective):
    """Gives the same for every row; takes a share; has one array to inherit."""

    def __init__(self, reward, share=None):
        self.amount, self._share, self.model = reward, share, np.arange(3.0)

    def reward(self, batch):
        return np.full(len(batch.reward), self.amount) if np.isscalar(self.amount) else self.amount

    def update(self, rollout):
        if rollout.reward.sum() < 0:
            raise KeyError("lost")

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        del state

    def share(self):
        return self._share

    def report(self):
        return {"count": 2.0}

    def transferable_parameters(self):
        return {"model": self.model}

    def import_parameters(self, parameters):
        self.model = parameters["model"]


def a_batch(n=3):
    no = np.zeros(n, bool)
    seen = np.zeros((n, 2), np.float32)
    return Batch(seen, np.zeros(n, int), seen, np.ones(n), no, no)


def test_without_a_caregiver_there_is_no_feedback():
    assert caregiver_feedback({"executed": np.zeros(2)}, 2) is ALONE


def test_feedback_comes_from_live_and_from_ended_copies():
    info = {
        "approval": np.array([0.5, 9.0, 9.0]),
        "_approval": np.array([True, False, False]),
        "final_info": {"approval": np.array([9.0, 2.0, 9.0]), "_approval": [False, True, False]},
    }

    feedback = caregiver_feedback(info, 3)

    np.testing.assert_array_equal(feedback.approval, [0.5, 2.0, np.nan])
    assert feedback.advice is None


def test_advice_is_counted_from_the_first_action_and_silence_is_minus_one():
    feedback = caregiver_feedback(
        {"advice": np.array([5, 7]), "_advice": np.array([True, False])}, 2, 5
    )

    assert feedback.advice.tolist() == [0, -1]


def write(diary, *others):
    """One step of three environments a piece."""
    for each in others:
        step = a_batch()
        diary.acted(step.observation, step.action)
        diary.followed(step.observation, step.reward, step.terminated, step.ended, each)


def test_a_diary_forgets_what_others_said_in_the_rollout_before():
    diary = Diary(2, 3, 2)
    diary.begin()
    write(diary, CaregiverFeedback(approval=np.ones(3)), ALONE)
    np.testing.assert_array_equal(diary.rollout().approval, [[1, 1, 1], [np.nan] * 3])
    assert diary.rollout().advice is None
    diary.begin()
    write(diary, ALONE, ALONE)

    assert diary.rollout().approval is None


def test_a_share_is_taken_from_all_others():
    live_objectives = {"mine": Fixed(2.0, 0.25), "one": Fixed(4.0), "two": Fixed(8.0)}
    weights = {"mine": 3.0, "one": 1.0, "two": 0.5}
    returns = dict.fromkeys(weights, 0.0)

    found = mixed(a_batch(), weights, live_objectives, returns, 1)

    np.testing.assert_allclose(found, 0.25 * 6 + 0.75 * (4 + 4))
    assert returns == {"mine": 4.5, "one": 9.0, "two": 9.0}


@pytest.mark.parametrize(("alpha", "alone"), [(0.0, "other"), (1.0, "mine")])
def test_all_or_nothing_of_the_say_is_the_other_alone_to_the_bit(alpha, alone):
    rng = np.random.default_rng(0)
    live_objectives = {"mine": Fixed(rng.random(3), alpha), "other": Fixed(rng.random(3))}
    weights = {"mine": 0.3, "other": 0.7}

    both = mixed(a_batch(), weights, live_objectives, dict.fromkeys(weights, 0.0), 1)
    single = {alone: Fixed(live_objectives[alone].amount)}
    one = mixed(a_batch(), {alone: weights[alone]}, single, {alone: 0.0}, 1)

    assert both.tobytes() == one.tobytes()


def test_a_share_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match=r"objective mine takes a share of 1\.5"):
        shares({"mine": Fixed(1.0, 1.5)}, ["mine"])


@pytest.mark.parametrize(
    ("reward", "kind", "said"),
    [
        (np.array([0, np.nan, 0]), FloatingPointError, "objective odd: non-finite reward nan in"),
        (np.zeros(2), ValueError, r"objective odd: rewards are shaped \[2\], not \[3\]"),
        (np.zeros((3, 1)), ValueError, r"objective odd: rewards are shaped \[3, 1\], not \[3\]"),
        ("much", RuntimeError, "objective odd: its reward fails: ValueError"),
    ],
)
def test_an_objective_that_gives_nonsense_is_named(reward, kind, said):
    with pytest.raises(kind, match=f"update 7: {said}"):
        mixed(a_batch(), {"odd": 1.0}, {"odd": Fixed(reward)}, {"odd": 0.0}, 7)


class Late(Fixed):
    """Gives what is asked for from its third step on; before, 1 for every row."""

    def __init__(self, reward):
        super().__init__(reward)
        self.steps = 0

    def reward(self, batch):
        self.steps += 1
        if self.steps < 3:
            return np.ones(3)
        if isinstance(self.amount, Exception):
            raise self.amount
        return self.amount


def a_rollout(steps=5):
    no, seen = np.zeros((steps, 3), bool), np.zeros((steps, 3, 2), np.float32)
    return Batch(seen, np.zeros((steps, 3), int), seen, np.ones((steps, 3)), no, no)


@pytest.mark.parametrize(
    ("reward", "kind", "said"),
    [
        (np.array([0, np.inf, 0]), FloatingPointError, "non-finite reward inf in row 1 of step 2"),
        (np.zeros(2), ValueError, r"rewards are shaped [2], not [3], one each (step 2)"),
        (KeyError("way"), RuntimeError, "its reward fails: KeyError: 'way' (step 2)"),
    ],
)
def test_what_goes_wrong_in_a_rollout_is_named_with_its_step(reward, kind, said):
    with pytest.raises(kind) as caught:
        mixed(a_rollout(), {"odd": 1.0}, {"odd": Late(reward)}, {"odd": 0.0}, 7)
    assert str(caught.value) == f"update 7: objective odd: {said}"


def test_a_rollout_of_another_shape_is_refused():
    class Lumped(Fixed):
        def rewards(self, rollout):
            return np.zeros(len(rollout.reward))

    said = r"update 7: objective odd: rewards are shaped \[5\], not \[5, 3\], one each"
    with pytest.raises(ValueError, match=said):
        mixed(a_rollout(), {"odd": 1.0}, {"odd": Lumped(1.0)}, {"odd": 0.0}, 7)


def test_a_rollout_is_mixed_as_its_steps_are():
    rng = np.random.default_rng(0)
    rollout = replace(a_rollout(), present=rng.random((5, 3)) < 0.7)
    live_objectives = {"mine": Fixed(rng.random(3), 0.25), "other": Fixed(rng.random(3))}
    weights, sums = {"mine": 3.0, "other": -0.5}, [{"mine": 0.0, "other": 0.0} for _ in range(2)]

    whole = mixed(rollout, weights, live_objectives, sums[0], 1)
    steps = [mixed(each, weights, live_objectives, sums[1], 1) for each in rollout.steps()]

    np.testing.assert_array_equal(whole, steps)
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_a_diary_counts_returns_of_episodes_in_order_of_time_and_goes_on():
    diary, no, yes = Diary(2, 3, 2), np.zeros(3, bool), np.array([True, False, True])
    running = np.array([10.0, 20.0, 30.0])
    for wanted in ([12.0, 32.0], [2.0, 2.0]):
        diary.begin()
        for ended in (no, yes):
            diary.acted(np.zeros((3, 2), np.float32), np.zeros(3, int))
            diary.followed(np.zeros((3, 2), np.float32), np.ones(3), no, ended)
        assert diary.ended_returns(running) == wanted
    assert running.tolist() == [0, 24, 0]


def test_what_an_objective_reports_bears_its_name_and_so_does_its_failure():
    live_objectives = {"mine": Fixed(1.0)}

    assert update_objectives(live_objectives, live_objectives, a_batch(), 1) == {"mine count": 2.0}
    with pytest.raises(RuntimeError, match="update 3: objective mine: it cannot learn: KeyError"):
        update_objectives(
            live_objectives, live_objectives, replace(a_batch(), reward=-np.ones(3)), 3
        )


def test_values_go_into_an_agent_state_and_back_and_what_is_missing_stays():
    live_objectives = {"mine": Fixed(1.0), "other": Fixed(1.0)}
    agent_state = AgentState(Genome(), {}, {}, values=exported_values(live_objectives))
    assert set(agent_state.values) == {"mine/model", "other/model"}

    import_values({"mine/model": np.array([7.0, 8.0, 9.0])}, live_objectives)

    assert live_objectives["mine"].model.tolist() == [7, 8, 9]
    assert live_objectives["other"].model.tolist() == [0, 1, 2]
    assert agent_state.values["mine/model"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mine/else": np.zeros(3)}, "values mine/else: no objective has it"),
        ({"mine/model": np.zeros(4)}, "values mine/model: (4,), not (3,)"),
        ({"mine/model": np.array([0, np.inf, 0])}, "values mine/model: not finite"),
    ],
)
def test_values_that_do_not_fit_are_named(values, said):
    assert value_problems(values, {"mine": Fixed(1.0)}) == (said,)
