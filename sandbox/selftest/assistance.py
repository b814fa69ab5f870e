"""Assistance games, solved exactly over beliefs: the helper does not know the human's goal.

Hadfield-Menell et al. 2016, as Shah et al. 2020 reduce it: the human's policy is given, the state
is seen, and only the human's actions carry information about its goal. The helper then plans in
(state, belief): a finite tree, whose values are exact for small games. Float64.
"""

from dataclasses import dataclass, replace

import numpy as np

from agents.arrays import Array


@dataclass(frozen=True)
class AssistanceGame:
    """Both act at once; the human may answer what the helper does in this very step."""

    transition: Array  # [states, human actions, helper actions, states]
    reward: Array  # [wishes, states, human actions, helper actions, states]; the helper sees none
    human: Array  # [wishes, states, helper actions, human actions]: probabilities
    prior: Array  # [wishes]
    start: int
    horizon: int
    discount: float

    def __post_init__(self) -> None:
        states, humans, helpers, _ = self.transition.shape
        wishes = len(self.prior)
        shapes = {
            "transition": (states, humans, helpers, states),
            "reward": (wishes, states, humans, helpers, states),
            "human": (wishes, states, helpers, humans),
            "prior": (wishes,),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {list(shape)}, not {list(getattr(self, name).shape)}")
        for name in ("transition", "human", "prior"):
            table = getattr(self, name)
            if table.min() < 0 or not np.allclose(table.sum(axis=-1), 1):
                raise ValueError(f"{name} holds probabilities, which add up to 1")


class Helper:
    """The helper that is optimal on average over goals; solutions are cached."""

    def __init__(self, game: AssistanceGame) -> None:
        self._game = game
        self._reward = np.einsum("shrt,wshrt->wshr", game.transition, game.reward)
        self._solved: dict[tuple[int, int, tuple[float, ...]], tuple[float, int]] = {}

    def value(self) -> float:
        """Expected discounted return from the start, over the prior."""
        return self._best(0, self._game.start, self._game.prior)[0]

    def action(self, time: int, state: int, belief: Array) -> int:
        """Best action; of equals, the first."""
        return self._best(time, state, belief)[1]

    def belief(self, belief: Array, state: int, action: int, answer: int) -> Array:
        """What is believed after the human's ``answer`` to ``action``.

        Raises ``ValueError`` for an answer of probability 0 under this belief.
        """
        joint: Array = belief * self._game.human[:, state, action, answer]
        if joint.sum() <= 0:
            raise ValueError(f"the answer {answer} to {action} in {state} has probability 0")
        joint /= joint.sum()
        return joint

    def _best(self, time: int, state: int, belief: Array) -> tuple[float, int]:
        if time == self._game.horizon:
            return 0.0, 0
        # Beliefs that differ by rounding are one; 12 digits distinguish any that matter.
        key = (time, state, tuple(np.round(belief, 12).tolist()))
        if key not in self._solved:
            worth = [
                self._worth(time, state, belief, action)
                for action in range(self._game.transition.shape[2])
            ]
            best = int(np.argmax(np.array(worth) >= max(worth) - 1e-12))
            self._solved[key] = (worth[best], best)
        return self._solved[key]

    def _worth(self, time: int, state: int, belief: Array, action: int) -> float:
        game, total = self._game, 0.0
        answers = game.human[:, state, action]  # [wishes, human actions]
        for answer in np.flatnonzero(belief @ answers):
            joint = belief * answers[:, answer]
            total += float(joint @ self._reward[:, state, answer, action])
            after = joint / joint.sum()
            ways = game.transition[state, answer, action]
            onwards = sum(
                float(ways[to]) * self._best(time + 1, int(to), after)[0]
                for to in np.flatnonzero(ways)
            )
            total += game.discount * float(joint.sum()) * onwards
        return total


def two_phase(game: AssistanceGame, silent: int, asked_in: int) -> AssistanceGame:
    """The same game with learning first: only answers in ``asked_in`` carry information.

    Everywhere but in state ``asked_in`` the human only does ``silent``, whatever it wants.
    """
    human = np.zeros_like(game.human)
    human[..., silent] = 1.0
    human[:, asked_in] = game.human[:, asked_in]
    return replace(game, human=human)


# --- games of which the optimum is known --------------------------------------------------------


def wormy_apples(discount: float = 0.99) -> AssistanceGame:
    """Apples for a pie, .2 of them wormy: which bin do they go into? Asking costs .1 (Shah et al.).

    States: start, clean apples, wormy apples, in the compost, in the trash, pie made. The helper
    may wait, get apples, throw worms into the compost or the trash, bake, or ask; the human says
    nothing, "compost" or "trash". A pie gives a reward of 2, the wrong bin -2. Two goals, equally
    likely; 4 steps.
    """
    wait, compost, trash, ask = 0, 2, 3, 5
    steps = {(0, 1): {1: 0.8, 2: 0.2}, (1, 4): {5: 1.0}, (2, compost): {3: 1.0}}
    steps |= {(2, trash): {4: 1.0}, (3, 4): {5: 1.0}, (4, 4): {5: 1.0}}
    transition = np.zeros((6, 3, 6, 6))
    for state in range(6):
        for action in range(6):
            for to, chance in steps.get((state, action), {state: 1.0}).items():
                transition[state, :, action, to] = chance
    reward = np.zeros((2, 6, 3, 6, 6))
    reward[0, 2, :, :, 4] = reward[1, 2, :, :, 3] = -2.0
    reward[:, :5, :, :, 5] = 2.0
    reward[:, :, :, ask] -= 0.1
    human = np.zeros((2, 6, 6, 3))
    human[..., wait] = 1.0
    human[:, :, ask] = np.eye(3)[1:][:, None]
    return AssistanceGame(transition, reward, human, np.full(2, 0.5), 0, 4, discount)


def red_blue(discount: float = 1.0) -> AssistanceGame:
    """Human and helper, apart, take a red or a blue ball each; 1 for each of the right colour.

    The human (at 0, then 1) takes its ball at the second step; a helper that waits for it knows.
    State: ``3 * human + helper``; the helper takes red, takes blue or waits. 4 steps.
    """
    transition, reward = np.zeros((12, 2, 3, 12)), np.zeros((2, 12, 2, 3, 12))
    human = np.zeros((2, 12, 3, 2))
    for state in range(12):
        person, helper = divmod(state, 3)
        for taken in range(2):
            for action in range(3):
                after = 1 if person == 0 else taken + 2 if person == 1 else person
                holds = (action + 1) % 3 if helper == 0 else helper
                transition[state, taken, action, 3 * after + holds] = 1.0
                for wish in range(2):
                    right = (person == 1 and taken == wish) + (helper == 0 and action == wish)
                    reward[wish, state, taken, action] = right
        for wish in range(2):
            human[wish, state, :, wish if person == 1 else 0] = 1.0
    return AssistanceGame(transition, reward, human, np.full(2, 0.5), 0, 4, discount)
