"""The type of every NumPy array that crosses a contract of ``agents``."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
