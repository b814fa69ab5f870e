"""An objective with a belief of another agent's values: a linear one, which never learns."""

from dataclasses import dataclass

import numpy as np

from agents.contract import LiveObjective, Objective


@dataclass(frozen=True)
class Valuing(Objective):
    """Gives what it believes."""

    unit = "reward"
    scope = "lifelong"

    def start(self, observation_size, actions, rng):
        return LinearValues(rng.standard_normal((observation_size, actions)))


class LinearValues(LiveObjective):
    """``weights[:, action] . observation``, and nothing is learned."""

    def __init__(self, weights):
        self.weights = np.asarray(weights, float)

    def reward(self, batch):
        return self.believed(batch)

    def update(self, rollout):
        del rollout

    def believed(self, batch):
        worth = np.asarray(batch.observation, float) @ self.weights
        return np.take_along_axis(worth, np.asarray(batch.action)[..., None], axis=-1)[..., 0]

    def state_dict(self):
        return {"weights": self.weights.copy()}

    def load_state_dict(self, state):
        self.weights = np.array(state["weights"])

    def transferable_parameters(self):
        return self.state_dict()

    def import_parameters(self, parameters):
        self.load_state_dict(parameters)
