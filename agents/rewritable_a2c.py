"""A2C as a mind at work: all that PPO's is, with one step on the whole rollout."""

from typing import Any, ClassVar

from torch import Tensor

from agents.a2c_update import a2c_loss, a2c_update
from agents.genome import A2CRule, LearningRule
from agents.rewritable import RewritablePPO


class RewritableA2C(RewritablePPO):
    """One agent; see ``RewritablePPO``. SB3's A2C differs from its PPO in ``train`` alone."""

    rule_type: ClassVar[type[LearningRule]] = A2CRule

    def _update(self) -> dict[str, float]:
        return a2c_update(self)

    def _loss(self, batch: Any) -> Tensor:
        return a2c_loss(self, batch)[0]
