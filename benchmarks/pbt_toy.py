"""Population based training's own toy: two workers, a surrogate that shows one direction each.

Jaderberg et al. 2017, figure 2: maximise ``Q(t) = 1.2 - (t0^2 + t1^2)``, seeing only the gradient
of ``1.2 - (h0 t0^2 + h1 t1^2)``, whose hyper-parameters ``h`` are (1, 0) for one worker and (0, 1)
for the other. Steps of gradient ascent at rate 0.01 from t = (0.9, 0.9), 200 of them; every fifth
a worker is ready to exploit (copy t and h of the better, by the selection of ``pbt``) and to
explore (``h`` moves by a normal draw of deviation 0.1, and stays at or above 0: factors would leave
a 0 where it is). Without either this is a grid search over ``h``. The paper gives no numbers for
the interval and the noise; these are ours. Both workers explore, copied or not: they start equally
good, so that neither would ever copy the other.
"""

import numpy as np

from agents.editing.exploitation import drawn_leader
from benchmarks.toys.evolution_strategy import mutated_point

STEPS, EVERY, RATE, DEVIATION = 200, 5, 0.01, 0.1
SEEDS = 200
ARMS = {
    "PBT": (True, True),
    "explore only": (False, True),
    "exploit only": (True, False),
    "grid search": (False, False),
}


def quality(theta: np.ndarray) -> float:
    """What is wanted: 1.2 at (0, 0)."""
    return float(1.2 - theta @ theta)


def best_quality(seed: int, *, exploit: bool, explore: bool) -> float:
    """Quality of the better worker after 200 steps."""
    rng = np.random.default_rng(seed)
    theta = {"a": np.array([0.9, 0.9]), "b": np.array([0.9, 0.9])}
    h = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 1.0])}
    for step in range(1, STEPS + 1):
        for name, each in h.items():
            theta[name] = theta[name] * (1 - 2 * RATE * each)
        if step % EVERY == 0:
            _generation(theta, h, rng, exploit=exploit, explore=explore)
    return max(map(quality, theta.values()))


def _generation(
    theta: dict[str, np.ndarray],
    h: dict[str, np.ndarray],
    rng: np.random.Generator,
    *,
    exploit: bool,
    explore: bool,
) -> None:
    """Workers are ranked by what they are worth before any of them copies."""
    worth = {name: quality(each) for name, each in theta.items()}
    for name in theta:
        others = {other: worth[other] for other in worth if other != name}
        leader = drawn_leader(worth[name], others, 0.25, rng) if exploit else None
        if leader is not None:
            theta[name], h[name] = theta[leader], h[leader]
        if explore:
            h[name] = np.maximum(mutated_point(h[name], DEVIATION, rng.standard_normal(2)), 0.0)


def arm(exploit: bool, explore: bool, seeds: int = SEEDS) -> np.ndarray:
    """``best_quality`` of every seed, float ``[seeds]``."""
    return np.array([best_quality(s, exploit=exploit, explore=explore) for s in range(seeds)])


def main() -> None:
    """Print the table."""
    print(f"{'':<14} median   mean    10%    90%   of {SEEDS} seeds, best is 1.2")
    for name, (exploit, explore) in ARMS.items():
        found = arm(exploit, explore)
        low, high = np.quantile(found, [0.1, 0.9])
        told = f"{np.median(found):.3f}  {found.mean():.3f}  {low:.3f}  {high:.3f}"
        print(f"{name:<14} {told}")


if __name__ == "__main__":
    main()
