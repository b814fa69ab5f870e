"""A share of the training levels is drawn from another distribution of the world.

It does what the setting ``coverage`` does in the worlds that have it, for any world that names
distributions of its levels. With ``to: shifted``, the data separate a cue from the goal: Langosco
et al. 2022 (arXiv:2105.14111) repair a misgeneralised goal with a few percent of such levels.
"""

from dataclasses import dataclass

from envs.control_kit.level_draws import FromElsewhere


@dataclass(frozen=True)
class LevelMixture(FromElsewhere):
    """``intensity``: chance that an episode begins on a level of the distribution ``to``."""
