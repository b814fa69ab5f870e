"""The kinds of layers a network is made of: sizes, weights and forward pass of each."""

from collections.abc import Mapping

from agents.layers.attention import Attention
from agents.layers.dense import Dense
from agents.layers.injected import Injected
from agents.layers.kind import LayerKind
from agents.layers.memory import Memory
from agents.layers.mixture import Mixture
from agents.layers.norm import Norm
from agents.layers.residual import Residual
from agents.layers.skip import Skip

KINDS: Mapping[str, LayerKind] = {
    "dense": Dense(),
    "residual": Residual(),
    "norm": Norm(),
    "skip": Skip(),
    "mixture": Mixture(),
    "injected": Injected(),
    "attention": Attention(),
    "memory": Memory(),
}
