"""What every learner keeps to go on to the bit: its mind, its motives and its streams of chance.

A snapshot is JSON data and arrays by name, so it goes through bytes (``checkpoint.pack``) and
opening one runs no code. The env is not in it: ours are values that can be copied.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.architecture import checkpoint
from agents.arrays import Array
from agents.chance import Chance
from agents.contract import LiveLearner, Mind

Data = dict[str, Any]
Arrays = dict[str, Array]


def take(learner: LiveLearner, chance: Chance) -> tuple[Data, Arrays]:
    """Return what all learners have in common."""
    record, tensors = checkpoint.to_bytes(learner.mind())
    arrays: Arrays = {"mind": np.frombuffer(tensors, np.uint8)}
    for name, motive in learner.motives().items():
        state = motive.state_dict()
        arrays |= {f"motive/{name}/{key}": np.asarray(each) for key, each in state.items()}
    data = {"learner": type(learner).__name__, "mind": record, "streams": chance.state()}
    return data, arrays


def restore(
    learner: LiveLearner, chance: Chance, data: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Take over what ``take`` gave. ``ValueError`` where it is damaged or of another learner."""
    name = type(learner).__name__
    if data.get("learner") != name:
        raise ValueError(f"this is a snapshot of {data.get('learner')!r}, not of {name}")
    chance.go_to(data["streams"])
    learner.install(mind_of(data, arrays))
    for motive, each in learner.motives().items():
        each.load_state_dict(within(arrays, f"motive/{motive}/"))


def mind_of(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> Mind:
    """Return the mind in a snapshot; ``ValueError`` where its bytes are damaged."""
    return checkpoint.from_bytes(data["mind"], arrays["mind"].tobytes())


def within(arrays: Mapping[str, Array], prefix: str) -> Arrays:
    """Return the arrays whose names begin so, without that beginning."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def refill(array: Array, saved: Array) -> None:
    """Overwrite an array in place; ``ValueError`` where the sizes differ."""
    if array.shape != saved.shape:
        raise ValueError(f"a snapshot of other sizes: {saved.shape}, this life has {array.shape}")
    array[...] = saved
