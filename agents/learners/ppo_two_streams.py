"""PPO with two value heads: intrinsic rewards go on across episodes (Burda et al. 2018)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

from agents.architecture.validity import check_rewritable
from agents.contract import Learner, Objective, Population, Streams
from agents.genome import Engine, Genome, TwoStreamRule


@dataclass(frozen=True)
class PpoTwoStreams(TwoStreamRule, Learner):
    """One agent with two value heads and ``A = c_e A_e + c_i A_i``; the weights are the ``c``.

    The objectives that ``episodic`` names (the whole list, with ``extrinsic`` unless it goes on as
    well) end with the episode, under ``discount``. The rewards of all others form a stream that
    goes on across episodes, under ``intrinsic_discount``: after the last observation of an
    episode comes the first of the next. ``gae_lambda`` and ``value_coefficient`` are both streams'.
    """

    num_envs: int = 64
    total_steps: int = 200_000
    steps_per_update: int = 32  # of each environment
    engine: Engine = "auto"
    """What computes the networks: ``numpy`` is several times as fast for small networks, ``torch``
    can compute every kind of layer. A scenario decides ``auto``: ``numpy`` if it computes every
    network that any of its conditions can come to have, else ``torch`` in all of them."""

    joint: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming every setting outside its range."""
        super().__post_init__()
        check_rewritable(self)

    def genome_rule(self) -> Mapping[str, Any]:
        """The fields of ``TwoStreamRule`` as JSON."""
        found = {each.name: getattr(self, each.name) for each in fields(TwoStreamRule)}
        return {**found, "episodic": list(self.episodic)}

    def build(
        self,
        env: Any,
        genomes: Mapping[str, Genome],
        objectives: Mapping[str, Objective],
        streams: Streams,
    ) -> Population:
        """Start one learner on a Gymnasium ``VectorEnv`` with SAME_STEP autoreset."""
        from agents.algorithms.ppo_start import build_learner  # noqa: PLC0415
        from agents.algorithms.two_stream_ppo import RewritableTwoStreams  # noqa: PLC0415
        from agents.training.population import Solo  # noqa: PLC0415 - torch loads here

        make = partial(build_learner, kind=RewritableTwoStreams, engine=self.engine)
        return Solo(env, self.steps_per_update, genomes, objectives, streams, make=make)
