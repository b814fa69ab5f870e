"""What an objective compares states by: raw observations, random features, or learned ones."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.drives.learned_drive import LearnedObjective, PresentSteps, Stateful
from agents.models.perceptron import Adam, Perceptron, Weights, cross_entropy

FeatureKind = Literal["inverse", "icm", "random", "identity"]
"""``identity``: raw observations; ``random``: a frozen network; ``inverse``: a network from whose
features of ``s`` and ``s'`` an inverse model predicts the action; ``icm``: also a forward model.
"""


class Features(ABC):
    """Maps observations ``[..., size]`` to features ``[..., latent]``; may learn."""

    whitens: ClassVar[bool] = True
    latent: int

    @abstractmethod
    def __call__(self, observations: Array) -> Array:
        """Features of (whitened) observations ``[m, size]``."""

    def learn(self, steps: PresentSteps) -> None:
        """Take one step on a minibatch of (whitened) transitions."""
        del steps

    def parts(self) -> Mapping[str, Stateful]:
        """What there is to keep."""
        return {}

    def looking(self) -> float:
        """FLOPs of one observation's features."""
        return 0.0

    def learning(self) -> float:
        """FLOPs of learning from one transition."""
        return 0.0


class IdentityFeatures(Features):
    """Raw observations: nothing drawn, nothing learned, nothing whitened."""

    whitens: ClassVar[bool] = False

    def __init__(self, size: int) -> None:
        self.latent = size

    def __call__(self, observations: Array) -> Array:
        """The same."""
        return observations


class RandomFeatures(Features):
    """One hidden layer, drawn at the start and frozen."""

    def __init__(self, settings: LearnedObjective, size: int, rng: np.random.Generator) -> None:
        self.latent = settings.latent
        self._encoder = Perceptron((size, settings.hidden, settings.latent), rng)

    def __call__(self, observations: Array) -> Array:
        """Features ``[m, latent]``."""
        return self._encoder(observations)

    def parts(self) -> Mapping[str, Stateful]:
        """The frozen encoder."""
        return {"encoder": self._encoder}

    def looking(self) -> float:
        """One forward pass."""
        return self._encoder.flops()


class DynamicsFeatures(Features):
    """Features that predict the action; with ``share`` > 0 also a forward model.

    The loss of a minibatch is ``(1 - share) * L_inv + share * L_fwd`` (Pathak et al. 2017), means
    over rows of the cross-entropy of the action given ``phi(s), phi(s')``, and of
    ``||f(phi(s), a) - phi(s')||^2 / 2``. With ``shapes`` the gradient of the second goes into
    ``phi`` too, as in their code; without, ``phi`` learns from the inverse model alone.
    """

    def __init__(
        self,
        settings: LearnedObjective,
        size: int,
        actions: int,
        rng: np.random.Generator,
        *,
        share: float = 0.0,
        shapes: bool = True,
    ) -> None:
        hidden, self.latent = settings.hidden, settings.latent
        self._actions, self._share, self._shapes = actions, share, shapes
        self.encoder = Perceptron((size, hidden, self.latent), rng)
        self.inverse = Perceptron((2 * self.latent, hidden, actions), rng)
        self._nets = [self.encoder, self.inverse]
        if share > 0:
            self.forward = Perceptron((self.latent + actions, hidden, self.latent), rng)
            self._nets.append(self.forward)
        self.adam = Adam(self._weights(), settings.learning_rate)

    def __call__(self, observations: Array) -> Array:
        """Features ``[m, latent]``."""
        return self.encoder(observations)

    def foresee(self, features: Array, action: Array) -> Array:
        """The features that the forward model predicts, ``[m, latent]``."""
        return self.forward(with_action(features, action, self._actions))

    def learn(self, steps: PresentSteps) -> None:
        """Take one step down the loss of a minibatch of whitened transitions."""
        self.adam.step(self._weights(), self.gradients(steps))

    def loss(self, steps: PresentSteps) -> float:
        """Return the loss of a minibatch."""
        here, there = self.encoder(steps.before), self.encoder(steps.after)
        logits = self.inverse(np.concatenate([here, there], axis=1))
        inverse = cross_entropy(logits, steps.action)[0]
        total = (1 - self._share) * float(inverse.mean())
        if self._share > 0:
            missed = self.foresee(here, steps.action) - there
            total += self._share * 0.5 * float(np.square(missed).sum(axis=1).mean())
        return total

    def gradients(self, steps: PresentSteps) -> Weights:
        """Gradients of the loss: of the encoder's, the inverse's and the forward model's layers."""
        rows, latent = len(steps.action), self.latent
        looked = self.encoder.activations(np.concatenate([steps.before, steps.after]))
        pair = np.concatenate([looked[-1][:rows], looked[-1][rows:]], axis=1)
        guessed = self.inverse.activations(pair)
        delta = cross_entropy(guessed[-1], steps.action)[1]
        delta *= np.float32((1 - self._share) / rows)
        inverse, back = self.inverse.backward(guessed, delta)
        back = np.concatenate([back[:, :latent], back[:, latent:]])
        forward: Weights = []
        if self._share > 0:
            forward, more = self._forward_gradients(pair, steps.action)
            if self._shapes:
                back += more
        return self.encoder.backward(looked, back)[0] + inverse + forward

    def _forward_gradients(self, pair: Array, action: Array) -> tuple[Weights, Array]:
        """Gradients of the forward model, and of the features of ``s`` above those of ``s'``."""
        here, there = pair[:, : self.latent], pair[:, self.latent :]
        foreseen = self.forward.activations(with_action(here, action, self._actions))
        delta = (foreseen[-1] - there) * np.float32(self._share / len(action))
        found, back = self.forward.backward(foreseen, delta)
        return found, np.concatenate([back[:, : self.latent], -delta])

    def parts(self) -> Mapping[str, Stateful]:
        """All networks and their optimiser."""
        names = ("encoder", "inverse", "forward")
        return {**dict(zip(names, self._nets, strict=False)), "features_adam": self.adam}

    def looking(self) -> float:
        """One forward pass of the encoder."""
        return self.encoder.flops()

    def learning(self) -> float:
        """Both observations and every model, forward and backward."""
        return 3 * (self.encoder.flops() + sum(net.flops() for net in self._nets))

    def _weights(self) -> Weights:
        return [layer for net in self._nets for layer in net.weights]


def features(
    kind: FeatureKind,
    settings: LearnedObjective,
    size: int,
    actions: int,
    rng: np.random.Generator,
) -> Features:
    """Draw features of this kind; ``icm`` with Pathak et al.'s share of the forward loss, 0.2."""
    if kind == "identity":
        return IdentityFeatures(size)
    if kind == "random":
        return RandomFeatures(settings, size, rng)
    return DynamicsFeatures(settings, size, actions, rng, share=0.2 if kind == "icm" else 0.0)


def with_action(rows: Array, action: Array, actions: int) -> Array:
    """Rows ``[m, k]`` and the action taken, one-hot: ``[m, k + actions]``."""
    joined = np.zeros((len(rows), rows.shape[1] + actions), rows.dtype)
    joined[:, : rows.shape[1]] = rows
    joined[np.arange(len(rows)), rows.shape[1] + action] = 1
    return joined
