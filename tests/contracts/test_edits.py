"""Every edit there is keeps the contract, without being asked by name."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace

import numpy as np
import pytest

from agents.contract import Edit, EditClaim, EditEvidence, RefusedEditError
from agents.edits.merge import Merge
from agents.edits.set_optimiser import SetOptimiser
from agents.edits.take_back import TakeBack
from agents.engine.support import kinds_added
from agents.genome import PARTS, Architecture, EditorGene, Genome, Guard, Layer
from agents.layers import KINDS as LAYERS
from sandbox.catalogue import catalogue
from tests.agents import agent_states
from tests.agents.agent_states import (
    ACTIONS,
    OBSERVATION,
    AnyLook,
    a_view,
    frozen_copy,
    same,
    shapes,
)

GENOMES = (
    Genome(),
    Genome(Architecture((Layer("dense", 3),), "relu")),
    Genome(
        Architecture(
            (Layer("dense", 6), Layer("residual", 4), Layer("dense", 5), Layer("residual", 3))
        ),
        objective=(("count", 0.1), ("extrinsic", 1.0)),
        editor=EditorGene.of("bandit", {"every_updates": 4}),
    ),
    Genome(
        Architecture(
            (
                Layer("mixture", 4, count=2),
                Layer("norm", 4),
                Layer("dense", 6, density=0.5),
                Layer("skip", 6, source=0),
                Layer("dense", 4),
            ),
            history=2,
            guards=(Guard("clamp"), Guard("mask", action=1)),
        )
    ),
)


VALUES = {"someone/table": np.arange(6.0).reshape(2, 3), "someone/seen": np.array([3, 4])}


def an_agent_state(genome, *args, **how):
    """An agent state that has learned something of another agent's values, too."""
    return replace(agent_states.an_agent_state(genome, *args, **how), values=VALUES)


def a_peer(genome):
    """A better member of the same population."""
    return replace(genome, learning_rule=replace(genome.learning_rule, learning_rate=0.02))


def a_view_with_peers(genome):
    return a_view(
        genome,
        peers={"peer": (1.0,) * 4},
        peer_genomes={"peer": a_peer(genome)},
        look=AnyLook(genome),
        sizes=(OBSERVATION, ACTIONS),
        values=tuple(VALUES),
    )


def done(edit, agent_state, seed, **how):
    """The agent state after the edit, which may look at a peer; no step, no undo yet."""
    peers = {"peer": lambda: an_agent_state(a_peer(agent_state.genome), seed=1, **how)}
    return edit.apply_seeing(
        agent_state,
        np.random.default_rng(seed),
        EditEvidence(AnyLook(agent_state.genome), None, peers),
    )


KINDS = {name: part.load() for name, part in catalogue().parts("edits").items()}
FORGETFUL = {KINDS["restart"], KINDS["widen_naive"]}  # nothing of what was learned about learning
CASES = [
    pytest.param(edit, genome, id=f"{name}-{g}-{number}")
    for name, kind in KINDS.items()
    for g, genome in enumerate(GENOMES)
    for number, edit in enumerate(kind.candidates(a_view_with_peers(genome)))
]


def read(data, path):
    """Follow a dotted path through JSON data, list items by index."""
    for key in path.split("."):
        data = data[key] if isinstance(data, Mapping) else data[int(key)]
    return data


@pytest.mark.parametrize("name", KINDS)
def test_it_is_a_frozen_dataclass_of_a_declared_part_and_offers_something(name):
    kind = KINDS[name]

    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.part in PARTS
    offered = [case for case in CASES if type(case.values[0]) is kind]
    blind = kind.undoes is not Edit.undoes or kind in (Merge, TakeBack)
    assert offered or blind, "only what depends on the run or the weights is never offered"
    kind(**{each.name: each.default for each in fields(kind)})


@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_its_settings_survive_json(edit, genome):
    del genome
    assert edit == type(edit)(**json.loads(json.dumps(asdict(edit), allow_nan=False)))


# --- kinds of layers ----------------------------------------------------------------------------

ONE_OF_EACH_KIND = tuple(
    Genome(Architecture(layers, history=history))
    for layers, history in (
        ((Layer("injected", 4, count=1), Layer("dense", 4)), 1),
        ((Layer("dense", 4), Layer("attention", 2, count=2, tokens=2), Layer("dense", 4)), 1),
        ((Layer("memory", 3), Layer("dense", 4), Layer("norm", 4), Layer("dense", 4)), 3),
        ((Layer("mixture", 4, count=1), Layer("residual", 2), Layer("mixture", 4, count=3)), 1),
        ((), 1),
    )
)


def any_instances(kind, genome, rng, count=60):
    """Its candidates, and as many again with settings drawn without looking at the genome."""
    yield from kind.candidates(a_view_with_peers(genome))
    pool = {
        int: lambda: int(rng.integers(-1, 7)),
        float: lambda: float(rng.choice([0.0, 0.25, 0.5, 1.0, 2.0])),
        bool: lambda: bool(rng.integers(2)),
        tuple: lambda: tuple(map(int, rng.integers(1, 5, size=rng.integers(4)))),
    }
    for _ in range(count):
        drawn = {
            each.name: pool[type(each.default)]()
            for each in fields(kind)
            if type(each.default) in pool and rng.random() < 0.8
        }
        try:
            yield kind(**drawn)
        except (TypeError, ValueError):  # an instance that it does not let anyone make
            continue


def kinds_brought_in(kind, genomes=(*GENOMES, *ONE_OF_EACH_KIND)):
    """Kinds of layers that some instance brings into some genome that has none of them."""
    rng, found = np.random.default_rng(0), set()
    for genome in genomes:
        before = {layer.kind for layer in genome.architecture.layers}
        for edit in any_instances(kind, genome, rng):
            try:
                after = edit.rewrite(genome)
            except RefusedEditError:
                continue
            found |= {layer.kind for layer in after.architecture.layers} - before
    return found


@pytest.mark.parametrize("name", KINDS)
def test_it_brings_in_no_kind_of_layer_that_it_does_not_declare(name):
    """The engine of a trial is chosen by this before anything runs."""
    kind = KINDS[name]
    declared = kinds_added(kind)

    assert declared is not None, "say which kinds of layers it adds: adds = frozenset()"
    assert kinds_brought_in(kind) <= declared
    assert declared <= set(LAYERS)


def test_this_suite_sees_every_kind_that_is_declared():
    """A declaration that no instance here uses would be held by nothing."""
    for kind in KINDS.values():
        assert kinds_brought_in(kind) == kinds_added(kind), kind


@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_rewriting_is_pure_and_touches_only_the_part_it_declares(edit, genome):
    before = genome.digest()
    after = edit.rewrite(genome)

    assert after == edit.rewrite(genome)
    assert before == genome.digest()
    assert after == Genome.from_json(json.loads(json.dumps(after.to_json())))
    for part in PARTS:
        assert part in (edit.part, *edit.also) or getattr(after, part) == getattr(genome, part)


@pytest.mark.parametrize("stepped", [True, False], ids=["stepped", "initial"])
@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_applying_gives_the_promised_genome_and_leaves_the_old_agent_state_alone(
    edit, genome, stepped
):
    agent_state = an_agent_state(genome, dtype=np.float32, stepped=stepped)
    before = frozen_copy(agent_state)
    after = done(edit, agent_state, 0, dtype=np.float32, stepped=stepped)

    assert same(before, agent_state)
    assert after.genome == edit.rewrite(genome)
    assert {name: value.shape for name, value in after.parameters.items()} == shapes(after.genome)
    assert {value.dtype for value in after.parameters.values()} == {np.dtype(np.float32)}
    assert after.moments.keys() <= after.parameters.keys()
    kept = stepped and type(edit) not in FORGETFUL
    assert bool(after.moments) == kept or isinstance(edit, SetOptimiser)
    for name, moment in after.moments.items():
        assert moment.first.shape == moment.second.shape == after.parameters[name].shape
        assert moment.first.dtype == moment.second.dtype == np.float32
        assert np.all(moment.second >= 0)
    for value in after.parameters.values():
        assert np.all(np.isfinite(value))


@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_the_same_chance_gives_the_same_agent_state(edit, genome):
    agent_state = an_agent_state(genome)
    one, other = (done(edit, agent_state, 5) for _ in range(2))

    assert same(one, other)


@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_its_claim_reads_back_true_and_is_json(edit, genome):
    claim = edit.claim(genome)
    after = json.loads(json.dumps(edit.rewrite(genome).to_json()))

    assert isinstance(claim, EditClaim)
    json.dumps(asdict(claim), allow_nan=False)
    for path, value in claim.changes.items():
        assert read(after, path) == value
    if edit.rewrite(genome) != genome:
        before = genome.to_json()
        assert any(_differs(before, path, value) for path, value in claim.changes.items())
    assert claim.max_logit_change is None or claim.max_logit_change >= 0


def _differs(data, path, value):
    try:
        return read(data, path) != value
    except (IndexError, KeyError):
        return True


@pytest.mark.parametrize(("edit", "genome"), CASES)
def test_its_cost_is_a_number_of_flops(edit, genome):
    assert 0 <= edit.cost(genome) < float("inf")


def test_the_part_folder_loads_without_torch():
    modules = [part.target for part in catalogue().parts("edits").values()]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
