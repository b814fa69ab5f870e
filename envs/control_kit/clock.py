"""How much of its span is gone: one clock for a control and its meter."""

from typing import Any

from gymnasium.vector import VectorEnv, VectorWrapper

from envs.arrays import Array


class Clock:
    """Counts the steps of all copies, out of ``span_steps``; it never goes back."""

    def __init__(self, span_steps: int) -> None:
        self.span, self.taken = span_steps, 0

    @property
    def progress(self) -> float:
        """Share of the span that is gone, at most 1."""
        return min(self.taken / self.span, 1.0)

    def advance(self, steps: int) -> None:
        """So many steps have been taken."""
        self.taken += steps

    def advance_to(self, progress: float) -> None:
        """Let it be at least so late: a trial that ends by compute, not by steps."""
        self.taken = max(self.taken, int(progress * self.span))


class ClockedEnv(VectorWrapper):
    """Stands beneath a control and advances its clock: after every step, and nowhere else."""

    def __init__(self, env: VectorEnv, clock: Clock) -> None:
        super().__init__(env)
        self._clock, self._copies = clock, env.num_envs

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step all copies."""
        result = self.env.step(actions)
        self._clock.advance(self._copies)
        return result
