"""A recorder that writes down the truth of every step, for a ``RecordedEnv``."""


class Notes:
    """Keeps all that it is handed."""

    def __init__(self):
        self.states, self.outcomes = [], []

    def take(self, state, outcome):
        self.states.append(state)
        self.outcomes.append(outcome)
