"""The type of every NumPy array that crosses a contract of ``envs``."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
