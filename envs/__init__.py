"""The worlds. Importing this package registers their Gymnasium ids and imports none of them."""

from envs.contract import JointWorld, Oracle, Outcome, World
from envs.registration import (
    env_ids,
    joint_batch,
    make_world,
    parallel_env,
    register,
    register_world,
)

__all__ = [
    "JointWorld",
    "Oracle",
    "Outcome",
    "World",
    "env_ids",
    "joint_batch",
    "make_world",
    "parallel_env",
    "register",
    "register_world",
]

__distribution__ = "sandbox-lab"  # read by sandbox.guard: other projects use this name too

register()
