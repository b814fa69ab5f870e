"""Agents that may rewrite what they want, solved exactly: hedonistic, ignorant and realistic.

Everitt, Filan, Daswani & Hutter 2016 (arXiv:1605.03142), utility modification, in a finite Markov
decision process with finitely many utilities. An agent that now has utility ``i`` chooses an action
of the world and the utility ``j`` that it will have from the next step on. It values that as

- hedonistic: ``u_j(s, a) + g V(s', j)``, each step judged by the utility it will then have;
- ignorant: ``u_i(s, a) + g V_i(s')``, by its own, as if it would always act for it;
- realistic: ``u_i(s, a) + g W_i(s', j)``, by its own, knowing what its next self will do.

These are three ways to judge rewrites of oneself: by the future utility, by none (every proposal
passes: to an ignorant agent all ``j`` are equal), and by the current one. Float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from agents.arrays import Array
from sandbox.selftest.check import KnownNumber, known

Kind = Literal["hedonistic", "ignorant", "realistic"]
KINDS: tuple[Kind, ...] = ("hedonistic", "ignorant", "realistic")
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Choices:
    """A world, and the utilities that can be had in it."""

    transition: Array  # [states, actions, states]: probabilities
    utilities: Array  # [utilities, states, actions]
    horizon: int
    discount: float = 1.0

    def __post_init__(self) -> None:
        states, actions = self.transition.shape[:2]
        shape = (len(self.utilities), states, actions)
        if self.transition.shape != (states, actions, states) or self.utilities.shape != shape:
            raise ValueError(
                "transition is [states, actions, states], utilities [utilities, states, actions],"
                f" not {list(self.transition.shape)} and {list(self.utilities.shape)}"
            )
        if self.transition.min() < 0 or not np.allclose(self.transition.sum(axis=-1), 1):
            raise ValueError("transition holds probabilities, which add up to 1")
        if self.horizon < 1 or not 0 <= self.discount <= 1:
            raise ValueError("a run has at least one step, and its discount is from 0 to 1")


class Selves(NamedTuple):
    """What every self that an agent may become does at every step."""

    share: Array  # [steps, states, utilities, actions, utilities]: of each (a, j); ties are even
    worth: Array
    """``[steps + 1, states, utilities, utilities]``: total of the last utility in the run that
    really follows from being a self with the other one."""


class Rewrites(NamedTuple):
    """Expected numbers of one run."""

    all: float
    harmful: float  # those that lower the total of the utility that made them
    lost: float  # of the first utility, against the best run for it
    kept: Array  # [steps + 1]: probability of having the first utility


def solve(choices: Choices, kind: Kind) -> Selves:
    """Backward induction over all selves at once."""
    u, g, horizon = choices.utilities, choices.discount, choices.horizon
    count, states, actions = u.shape
    worth = np.zeros((horizon + 1, states, count, count))
    share = np.zeros((horizon, states, count, actions, count))
    hoped = np.zeros((states, count))  # V of the hedonistic and of the ignorant
    for t in reversed(range(horizon)):
        expected = _valued(choices, kind, worth[t + 1], hoped)
        top = expected.max(axis=(2, 3), keepdims=True)
        best = expected >= top - _TIE * float(np.abs(u).max())
        share[t] = best / best.sum(axis=(2, 3), keepdims=True)
        hoped = top[:, :, 0, 0]
        really = g * np.einsum("sat,tjk->sajk", choices.transition, worth[t + 1])
        worth[t] = np.einsum("siaj,sajk->sik", share[t], really)
        worth[t] += np.einsum("siaj,ksa->sik", share[t], u)
    return Selves(share, worth)


def _valued(choices: Choices, kind: Kind, ahead: Array, hoped: Array) -> Array:
    """What each self finds each choice worth, ``[states, utilities, actions, utilities]``."""
    u, g, transition = choices.utilities, choices.discount, choices.transition
    count, states, actions = u.shape
    own = np.einsum("isa->sia", u)[:, :, :, None]
    if kind == "realistic":
        found = own + g * np.einsum("sat,tji->siaj", transition, ahead)
    elif kind == "ignorant":
        found = own + g * np.einsum("sat,ti->sia", transition, hoped)[:, :, :, None]
    else:
        later = g * np.einsum("sat,tj->saj", transition, hoped)
        found = (np.einsum("jsa->saj", u) + later)[:, None]
    return np.broadcast_to(found, (states, count, actions, count))


def rewrites(choices: Choices, selves: Selves, start: Array, utility: int) -> Rewrites:
    """Follow a run from ``start``, probabilities ``[states]``, that begins with this utility.

    A rewrite is harmful where what really follows is worth less, by the utility that made it, than
    the run of an agent that keeps that utility throughout.
    """
    count = len(choices.utilities)
    best = _best(choices)
    there = np.zeros((len(start), count))
    there[:, utility] = start
    other = ~np.eye(count, dtype=bool)
    slight = _TIE * float(np.abs(choices.utilities).max())
    every = harmful = 0.0
    kept = [1.0]
    for t, share in enumerate(selves.share):
        chosen = there[:, :, None, None] * share
        changed = chosen * other[None, :, None, :]
        gap = best[t + 1][:, None] - selves.worth[t + 1]  # [states, j, i]
        loss = choices.discount * np.einsum("sat,tji->siaj", choices.transition, gap)
        every += float(changed.sum())
        harmful += float(changed[loss > slight].sum())
        there = np.einsum("siaj,sat->tj", chosen, choices.transition)
        kept.append(float(there[:, utility].sum()))
    lost = start @ (best[0, :, utility] - selves.worth[0, :, utility, utility])
    return Rewrites(every, harmful, float(lost), np.array(kept))


def _best(choices: Choices) -> Array:
    """``[steps + 1, states, utilities]``: total of each for an agent that keeps it."""
    count, states, _ = choices.utilities.shape
    values = np.zeros((choices.horizon + 1, states, count))
    for t in reversed(range(choices.horizon)):
        onwards = np.einsum("sat,ti->isa", choices.transition, values[t + 1])
        values[t] = (choices.utilities + choices.discount * onwards).max(axis=2).T
    return values


def checks() -> Iterator[KnownNumber]:
    """S3 of the known numbers."""
    yield known(
        "S3",
        "rewriting what it wants, bliss on offer: loss of " + ", ".join(KINDS),
        (1.25, 1.0, 0.0),
        1e-9,
        lambda: [_agent_run(kind).lost for kind in KINDS],
        "closed form",
    )
    yield known(
        "S3",
        "harmful rewrites of the first and of the last",
        (1.0, 0.0),
        1e-9,
        lambda: [_agent_run(kind).harmful for kind in KINDS[::2]],
        "Everitt et al. 2016",
    )


def _agent_run(kind: Kind) -> Rewrites:
    """Six steps between two rooms, of which one, the other, or either is rewarded: 1/2, 1/2, 1."""
    rooms = np.zeros((2, 2, 2))
    rooms[:, [0, 1], [0, 1]] = 1.0  # each action leads to the room of its number
    own, other = np.array([[0.5, 0.5], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.5, 0.5]])
    choices = Choices(rooms, np.stack([own, other, np.ones((2, 2))]), 6)
    return rewrites(choices, solve(choices, kind), np.array([0.0, 1.0]), 0)
