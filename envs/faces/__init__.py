"""Worlds as Gymnasium ``Env`` and ``VectorEnv`` and as PettingZoo environments."""
