"""State entropy in random features: k-nearest-neighbour novelty."""

from dataclasses import dataclass
from typing import ClassVar

from agents.drives.learned_drive import SCALED
from agents.drives.state_entropy import ParticleObjective


@dataclass(frozen=True)
class Re3(ParticleObjective):
    """Seo et al. 2021: ``r = log(1 + ||phi(s') - phi(s')_k||) / c``, ``phi`` a frozen network.

    ``phi(s')_k`` is the ``k``-th nearest among the features of the last ``stored`` states of this
    run, ``s'`` itself excluded unless ``include_self``. Lifelong; the first rollout has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
