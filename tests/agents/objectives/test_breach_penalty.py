"""The penalty for a breach, by hand."""

import numpy as np
import pytest

from agents.contract import Batch
from agents.objectives.breach_penalty import BreachPenalty


def batch(seen, actions):
    n = len(actions)
    no = np.zeros(n, bool)
    seen = np.array(seen, np.float32)
    return Batch(seen, np.array(actions), seen, np.ones(n), no, no)


def test_only_the_forbidden_action_where_the_feature_is_on_costs_anything():
    live_objective = BreachPenalty(feature=1, threshold=0.5, action=2).start(
        2, 3, np.random.default_rng(0)
    )
    seen = [[1, 0.5], [1, 0.5], [1, 0.4], [0, 1]]

    assert live_objective.reward(batch(seen, [2, 1, 2, 2])).tolist() == [-1, 0, 0, -1]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"feature": 2}, "feature 2 is none"), ({"action": 3}, "there is no action 3")],
)
def test_what_the_agent_does_not_have_is_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        BreachPenalty(**settings).start(2, 3, np.random.default_rng(0))


@pytest.mark.parametrize("settings", [{"feature": -1}, {"action": -1}, {"threshold": np.inf}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match=r"counted from 0|finite"):
        BreachPenalty(**settings)
