"""State entropy in features of what the agent's actions change: k-nearest-neighbour novelty."""

from dataclasses import dataclass
from typing import ClassVar

from agents.drives.features import FeatureKind
from agents.drives.learned_drive import SCALED
from agents.drives.state_entropy import ParticleObjective


@dataclass(frozen=True)
class Apt(ParticleObjective):
    """Liu & Abbeel 2021: ``r = log(1 + mean_k ||phi(s') - phi(s')_k||) / c``, ``phi`` of ``icm``.

    The mean is over the ``k`` nearest among the features of the last ``stored`` states of this
    run, ``s'`` itself excluded unless ``include_self``. Features of stored states are recomputed
    whenever ``phi`` has learned. Lifelong; the first rollout has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    k: int = 12
    average: bool = True
    features: FeatureKind = "icm"
