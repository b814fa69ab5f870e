"""PPO as PureJaxRL does it: worlds, rollout and all epochs in one compiled function.

Needs jax and nothing else; neither torch nor this project is imported. An edit gives layer 0 a
width that it has not had before, so that the function is compiled again: a width it has had would
cost nothing. Episodes that run out of time count as ended.
"""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from contenders.answering import Training, edited_period, period_window, plain_window, serve
from jax import lax, tree, vmap
from jax import random as chance

COPIES, STEPS, UNITS = 64, 32, 64
RATE, GAMMA, LAMBDA, CLIP, NORM, ENTROPY = 1e-3, 0.99, 0.95, 0.2, 0.5, 0.01
SIZES = {"cartpole": (4, 2), "coin_grid": (76, 4), "stream": (500, 4)}  # inputs, actions
SIDE, TOLD, COVERAGE, HORIZON = 5, 0.3, 0.5, 40
ROWS, ONES, END = 4096, 10, 0.02


# --- worlds: start(key), step(state, action, key), see(state), each of one copy ----------------


def start_cartpole(key: Any) -> Any:
    """(position, speed, angle, spin), time."""
    return chance.uniform(key, (4,), minval=-0.05, maxval=0.05), 0


def step_cartpole(state: Any, action: Any, _: Any) -> Any:
    """Gymnasium's constants."""
    (x, v, angle, spin), time = state
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    push = (jnp.where(action == 1, 10.0, -10.0) + 0.05 * spin * spin * sin) / 1.1
    turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
    force = push - 0.05 * turn * cos / 1.1
    after = jnp.array([x + 0.02 * v, v + 0.02 * force, angle + 0.02 * spin, spin + 0.02 * turn])
    fallen = (jnp.abs(after[0]) > 2.4) | (jnp.abs(after[2]) > 12 * jnp.pi / 180)
    return (after, time + 1), 1.0, fallen | (time + 1 >= 500)


def start_coin_grid(key: Any) -> Any:
    """Where the agent is, the coin, the target, whether it is told, and the time."""
    cells, (k1, k2, k3, k4, k5) = SIDE * SIDE, chance.split(key, 5)
    moved = (SIDE - 1 + chance.randint(k2, (), 1, cells)) % cells
    coin = jnp.where(chance.uniform(k1) < COVERAGE, moved, SIDE - 1)
    told = chance.uniform(k3) < TOLD
    target = jnp.where(told, chance.randint(k4, (), 0, cells), coin)
    place = chance.randint(k5, (), 0, cells - 1)
    return place + (place >= target), coin, target, told, 0


def step_coin_grid(state: Any, action: Any, _: Any) -> Any:
    """One move; walls stop it."""
    place, coin, target, told, time = state
    moves = jnp.array([[-1, 0], [1, 0], [0, -1], [0, 1]])[action]
    row = jnp.clip(place // SIDE + moves[0], 0, SIDE - 1)
    column = jnp.clip(place % SIDE + moves[1], 0, SIDE - 1)
    place = row * SIDE + column
    done = place == target
    reward = jnp.where(done, 0.99, -0.01)
    return (place, coin, target, told, time + 1), reward, done | (time + 1 >= HORIZON)


def see_coin_grid(state: Any) -> Any:
    """Planes of agent, coin and told target; one number: nothing told."""
    place, coin, target, told, _ = state
    planes = [jax.nn.one_hot(each, SIDE * SIDE) for each in (place, coin, target)]
    return jnp.concatenate([planes[0], planes[1], planes[2] * told, 1.0 - told[None]])


@cache
def stream_rows() -> Any:
    """All observations there are, ``[ROWS, 500]``."""
    drawn = chance.uniform(chance.key(0), (ROWS, SIZES["stream"][0]))
    return (drawn < jnp.sort(drawn)[:, ONES][:, None]).astype(jnp.float32)


def start_stream(key: Any) -> Any:
    """Any row."""
    return chance.randint(key, (), 0, ROWS)


def step_stream(state: Any, action: Any, key: Any) -> Any:
    """Another row, whatever was done."""
    del state, action
    k1, k2, k3 = chance.split(key, 3)
    return start_stream(k1), chance.uniform(k2), chance.uniform(k3) < END


WORLDS = {
    "cartpole": (start_cartpole, step_cartpole, lambda state: state[0]),
    "coin_grid": (start_coin_grid, step_coin_grid, see_coin_grid),
    "stream": (start_stream, step_stream, lambda state: stream_rows()[state]),
}


# --- network and optimiser ---------------------------------------------------------------------


class Carry(NamedTuple):
    """What goes on from one update to the next."""

    weights: Any  # tower -> [(matrix, bias), ...]
    first: Any  # Adam's moments, shaped like the weights
    second: Any
    count: Any
    state: Any  # of all copies of the world
    key: Any


def tower(layers: Any, seen: Any) -> Any:
    """Two tanh layers and a head."""
    for matrix, bias in layers[:-1]:
        seen = jnp.tanh(seen @ matrix + bias)
    return seen @ layers[-1][0] + layers[-1][1]


def first_weights(key: Any, inputs: int, actions: int, units: int) -> Any:
    """Orthogonal, with SB3's gains."""

    def layers(key: Any, outputs: int, gain: float) -> Any:
        shapes = [(inputs, units, 2**0.5), (units, UNITS, 2**0.5), (UNITS, outputs, gain)]
        keys = chance.split(key, 3)
        return [
            (jax.nn.initializers.orthogonal(scale)(k, (n, m)), jnp.zeros(m))
            for k, (n, m, scale) in zip(keys, shapes, strict=True)
        ]

    one, two = chance.split(key)
    return {"policy": layers(one, actions, 0.01), "value": layers(two, 1, 1.0)}


def resized(weights: Any, units: int) -> Any:
    """Layer 0 of every tower with this many units: the last ones go, or new ones are zero."""

    def one(layers: Any) -> Any:
        (w0, b0), (w1, b1), head = layers
        more = max(units - len(b0), 0)
        w0, b0 = jnp.pad(w0, ((0, 0), (0, more)))[:, :units], jnp.pad(b0, (0, more))[:units]
        return [(w0, b0), (jnp.pad(w1, ((0, more), (0, 0)))[:units], b1), head]

    return {name: one(layers) for name, layers in weights.items()}


def adam(carry: Carry, gradient: Any) -> Carry:
    """One clipped step."""
    norm = jnp.sqrt(sum(jnp.sum(each**2) for each in tree.leaves(gradient)))
    gradient = tree.map(lambda g: g * jnp.minimum(1.0, NORM / (norm + 1e-6)), gradient)
    first = tree.map(lambda m, g: 0.9 * m + 0.1 * g, carry.first, gradient)
    second = tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, carry.second, gradient)
    count = carry.count + 1
    rate = RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    weights = tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-5), carry.weights, first, second
    )
    return carry._replace(weights=weights, first=first, second=second, count=count)


# --- PPO ---------------------------------------------------------------------------------------


def rollout(name: str, carry: Carry) -> Any:
    """(carry, observations, actions, log-probabilities, values, rewards, ends), [steps, copies]."""
    start, step, see = WORLDS[name]

    def act(now: Any, _: Any) -> Any:
        state, key = now
        key, k1, k2, k3 = chance.split(key, 4)
        seen = vmap(see)(state)
        log_p = jax.nn.log_softmax(tower(carry.weights["policy"], seen))
        action = chance.categorical(k1, log_p)
        after, reward, done = vmap(step)(state, action, chance.split(k2, COPIES))
        fresh = vmap(start)(chance.split(k3, COPIES))
        after = tree.map(lambda a, b: jnp.where(_like(done, a), b, a), after, fresh)
        chosen = jnp.take_along_axis(log_p, action[:, None], 1)[:, 0]
        value = tower(carry.weights["value"], seen)[:, 0]
        return (after, key), (
            seen,
            action,
            chosen,
            value,
            jnp.broadcast_to(reward, (COPIES,)),
            done,
        )

    (state, key), steps = lax.scan(act, (carry.state, carry.key), None, STEPS)
    return carry._replace(state=state, key=key), steps


def _like(flags: Any, array: Any) -> Any:
    return flags.reshape(flags.shape + (1,) * (array.ndim - 1))


def advantages(value: Any, reward: Any, done: Any, last: Any) -> Any:
    """Generalised advantage estimation, ``[steps, copies]``."""

    def back(ahead: Any, now: Any) -> Any:
        gain, following = ahead
        value, reward, done = now
        delta = reward + GAMMA * following * (1 - done) - value
        gain = delta + GAMMA * LAMBDA * (1 - done) * gain
        return (gain, value), gain

    return lax.scan(back, (jnp.zeros_like(last), last), (value, reward, done), reverse=True)[1]


def loss(weights: Any, batch: Any) -> Any:
    """PPO's, of one minibatch."""
    seen, action, old, gain, goal = batch
    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
    log_p = jax.nn.log_softmax(tower(weights["policy"], seen))
    ratio = jnp.exp(jnp.take_along_axis(log_p, action[:, None], 1)[:, 0] - old)
    policy = -jnp.minimum(ratio * gain, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * gain).mean()
    value = ((tower(weights["value"], seen)[:, 0] - goal) ** 2).mean()
    entropy = -(jnp.exp(log_p) * log_p).sum(1).mean()
    return policy + 0.5 * value - ENTROPY * entropy


@partial(jax.jit, static_argnums=(0, 1, 2))
def update(name: str, minibatch: int, epochs: int, carry: Carry) -> Carry:
    """One rollout, and all its gradient steps."""
    carry, (seen, action, old, value, reward, done) = rollout(name, carry)
    last = tower(carry.weights["value"], vmap(WORLDS[name][2])(carry.state))[:, 0]
    gain = advantages(value, reward, done.astype(float), last)
    flat = [each.reshape(-1, *each.shape[2:]) for each in (seen, action, old, gain, gain + value)]

    def learn(carry: Carry, rows: Any) -> Any:
        gradient = jax.grad(loss)(carry.weights, [each[rows] for each in flat])
        return adam(carry, gradient), None

    def epoch(carry: Carry, _: Any) -> Any:
        key, own = chance.split(carry.key)
        rows = chance.permutation(own, COPIES * STEPS).reshape(-1, minibatch)
        return lax.scan(learn, carry._replace(key=key), rows)

    return lax.scan(epoch, carry, None, epochs)[0]


class Jax(Training):
    """The loop in one world; every edit has a width of its own."""

    def __init__(self, name: str, minibatch: int, epochs: int) -> None:
        self.case = (name, minibatch, epochs)
        stream_rows()
        weights = first_weights(chance.key(0), *SIZES[name], UNITS)
        zeros = tree.map(jnp.zeros_like, weights)
        state = vmap(WORLDS[name][0])(chance.split(chance.key(1), COPIES))
        self.carry = Carry(weights, zeros, zeros, 0, state, chance.key(2))
        self.edits = 0

    def update(self) -> int:
        """One compiled call."""
        self.carry = jax.block_until_ready(update(*self.case, self.carry))
        return COPIES * STEPS

    def edit(self, turn: int) -> None:
        """Widths 72, 63, 73, 62, ...: wider and narrower by turns, and none twice."""
        away = self.edits // 2
        units = UNITS - 1 - away if turn % 2 else UNITS + 8 + away
        self.edits += 1
        parts = {
            each: resized(getattr(self.carry, each), units)
            for each in ("weights", "first", "second")
        }
        self.carry = self.carry._replace(**parts)


@cache
def training(arm: str, name: str, minibatch: int, epochs: int) -> Jax:
    """A loop that is compiled."""
    del arm  # each has a loop of its own
    made = Jax(name, minibatch, epochs)
    made.update()
    made.update()
    return made


def answer(*, arm: str, seconds: float, **case: Any) -> dict[str, Any]:
    """One window; with edits, of two periods at least."""
    if arm not in {"plain", "edits"}:
        raise ValueError(f"the JAX loop does not do {arm!r}")
    made = training(arm, **case)
    if arm == "plain":
        return plain_window(made, seconds)
    return period_window({arm: edited_period(made)}, seconds)[arm]


if __name__ == "__main__":
    serve(answer)
