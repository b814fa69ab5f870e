"""What Stable-Baselines3's models offer and a rewritable one refuses."""

from typing import Any, NoReturn


class NoLoopOfItsOwn:
    """SB3's loop would mix no objectives; opening its archives would run code from them."""

    def learn(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: SB3's loop would mix no objectives and step an environment of its own."""
        raise TypeError("a rewritable PPO learns through its population's update()")

    def save(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: opening an SB3 zip runs code from it."""
        raise TypeError("save agent states with agents.architecture.checkpoint, not as SB3 zips")

    @classmethod
    def load(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse: opening an SB3 zip runs code from it."""
        raise TypeError("load agent states with agents.architecture.checkpoint, not from SB3 zips")
