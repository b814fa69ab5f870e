"""Pictures of genomes: everything is drawn, and what is marked is exactly what differs."""

import io
import re
from dataclasses import asdict, fields, replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agents.genome import (
    A2CRule,
    Architecture,
    DQNRule,
    EditorGene,
    Genome,
    Guard,
    Layer,
    LearningRule,
    SACRule,
    TableRule,
)
from sandbox.pictures.genome_changes import aligned, changes, normal
from sandbox.pictures.genome_svg import svg
from sandbox.pictures.genome_text import text
from sandbox.pictures.pixels import genome_png, png_size

KINDS = ("dense", "residual", "norm", "skip", "mixture", "injected", "attention", "memory")
EVERY = Genome(
    architecture=Architecture(
        layers=(
            Layer("memory", 11),
            Layer("dense", 48, density=0.25),
            Layer("norm", 47),
            Layer("residual", 24),
            Layer("mixture", 20, count=3),
            Layer("attention", 8, count=2, tokens=4),
            Layer("skip", 21, source=1),
            Layer("injected", 40, count=2),
        ),
        history=4,
        guards=(Guard("mask", action=2, feature=3), Guard("clamp", bound=5.0)),
    ),
    editor=EditorGene.of("bandit", {"every_updates": 4, "edits": ["widen", "prune"]}),
)

layers = st.builds(
    Layer,
    kind=st.sampled_from(KINDS),
    units=st.integers(1, 300),
    count=st.integers(1, 5),
    source=st.integers(-1, 3),
    density=st.sampled_from([0.1, 0.5, 1.0]),
    tokens=st.integers(1, 4),
)
guards = st.builds(
    Guard,
    kind=st.sampled_from(["mask", "clamp"]),
    bound=st.sampled_from([5.0, 20.0]),
    action=st.integers(0, 3),
)
architectures = st.builds(
    Architecture,
    layers=st.lists(layers, max_size=5).map(tuple),
    activation=st.sampled_from(["tanh", "relu"]),
    next_activation=st.sampled_from([None, "relu"]),
    blend=st.sampled_from([0.0, 0.25]),
    history=st.integers(1, 3),
    guards=st.lists(guards, max_size=2).map(tuple),
)
rules = st.one_of(
    st.builds(LearningRule, learning_rate=st.sampled_from([1e-3, 5e-4]), epochs=st.integers(1, 4)),
    st.sampled_from([A2CRule(), DQNRule(), SACRule(), TableRule()]),
)
objectives = st.dictionaries(st.sampled_from(["extrinsic", "rnd", "empowerment"]), st.floats(0, 1))
editors = st.builds(
    EditorGene.of,
    st.sampled_from(["fixed", "bandit"]),
    st.dictionaries(st.sampled_from(["rate", "every"]), st.integers(0, 3)),
)
genomes = st.builds(
    Genome,
    architecture=architectures,
    learning_rule=rules,
    objective=objectives.map(lambda each: tuple(sorted(each.items()))),
    editor=editors,
)


def read(picture):
    """(classes of everything drawn, all words, what the marks say they are about)."""
    root = ET.fromstring(picture)  # noqa: S314  (our own text)
    classes, words, about = [], [], []
    for each in root.iter():
        classes += each.get("class", "").split()
        about += each.get("data-changes", "").split()
        if each.tag.endswith("}text"):
            words.append(each.text or (each[0].tail if len(each) else ""))
    return classes, words, about


def marks(classes):
    return {"added", "removed", "changed"} & set(classes)


def test_every_kind_is_drawn_with_its_size():
    picture = svg(EVERY.to_json())
    classes, words, _ = read(picture)

    for layer in EVERY.architecture.layers:
        assert f"{layer.kind} {layer.units}" in words
    assert {"head", "gate", "norm", "sparse", "frozen", "closed"} <= set(classes)
    text = " ".join(words)
    assert all(said in text for said in ("3 experts", "2 heads over 4 tokens", "history 4"))
    assert all(said in text for said in ("gated, from layer 1", "guard: mask", "every updates"))
    assert all(said in text for said in ("outputs within ±5", "policy", "value"))
    assert classes.count("frozen") == 2  # what is injected into, and the older injection
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def boxes(picture):
    found = re.findall(r'<rect class="([\w ]+)" x="[^"]+" y="[^"]+" width="([^"]+)"', picture)
    return [float(width) for look, width in found if look.split()[0] == "layer"]


def test_widths_are_proportional_to_units():
    two = replace(EVERY, architecture=Architecture((Layer("dense", 64), Layer("dense", 16))))

    wide, narrow = boxes(svg(two.to_json()))

    assert wide == pytest.approx(4 * narrow)


def test_experts_stand_side_by_side():
    one = Genome(architecture=Architecture((Layer("mixture", 8, count=3),)))

    assert len(boxes(svg(one.to_json()))) == 3


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (LearningRule(), {"policy", "value"}),
        (DQNRule(), {"q"}),
        (SACRule(), {"policy", "q0", "q1"}),
        (TableRule(), {"action values"}),
    ],
)
def test_heads_are_those_of_the_learner(rule, named):
    known = {"policy", "value", "q", "q0", "q1", "action values"}
    _, words, _ = read(svg(replace(EVERY, learning_rule=rule).to_json()))

    assert known & set(words) == named
    towers = Genome(learning_rule=rule).towers()
    assert set(towers) == named or not towers


@settings(max_examples=60, deadline=None)
@given(genomes)
def test_nothing_is_marked_between_equal_genomes(genome):
    classes, words, about = read(svg(genome.to_json(), changed_from=genome.to_json()))

    assert marks(classes) == set()
    assert about == []
    assert "No difference." in words


@settings(max_examples=80, deadline=None)
@given(genomes, genomes)
def test_the_marks_name_every_difference_and_nothing_else(before, after):
    old, new = before.to_json(), after.to_json()
    found = changes(old, new)
    classes, _, about = read(svg(new, changed_from=old))

    assert sorted(about) == sorted(f"{each.mark}:{each.path}" for each in found)
    assert (found == ()) == (old == new)
    assert marks(classes) == {each.mark for each in found}


@settings(max_examples=80, deadline=None)
@given(genomes, genomes)
def test_each_number_that_differs_is_named_and_no_other(before, after):
    """Held against a comparison that knows nothing of layers."""
    old, new = normal(before.to_json()), normal(after.to_json())
    seen = {each.path for each in changes(before.to_json(), after.to_json())}
    parts = [("learning_rule", old["learning_rule"], new["learning_rule"]),
             ("objective", old["objective"], new["objective"]),
             ("editor.settings", old["editor"]["settings"], new["editor"]["settings"])]  # fmt: skip
    for part, was, now in parts:
        differ = {k for k in was.keys() | now.keys() if was.get(k, "-") != now.get(k, "-")}
        assert {p for p in seen if p.startswith(f"{part}.")} == {f"{part}.{k}" for k in differ}


@pytest.mark.parametrize("name", [each.name for each in fields(Layer) if each.name != "kind"])
def test_one_changed_field_of_one_layer_is_the_one_mark(name):
    layer = EVERY.architecture.layers[5]
    value = 0.5 if name == "density" else getattr(layer, name) + 1
    changed = list(EVERY.architecture.layers)
    changed[5] = replace(layer, **{name: value})
    after = replace(EVERY, architecture=replace(EVERY.architecture, layers=tuple(changed)))
    _, words, about = read(svg(after.to_json(), changed_from=EVERY.to_json()))

    assert about == [f"changed:architecture.layers[5].{name}"]
    assert any(f"{getattr(layer, name):.4g} → {value:.4g}" in each for each in words)


def test_a_layer_put_in_between_moves_no_other():
    """The skip that came from layer 1 comes from layer 2 now: the same layer."""
    before = EVERY.architecture.layers
    after = (Layer("residual", 6), *(replace(x, source=2) if x.source == 1 else x for x in before))
    grown = replace(EVERY, architecture=replace(EVERY.architecture, layers=after))

    (change,) = changes(EVERY.to_json(), grown.to_json())
    (back,) = changes(grown.to_json(), EVERY.to_json())

    assert str(change) == "+ architecture.layers[0] residual 6"
    assert str(back) == "- architecture.layers[0] residual 6"


@settings(max_examples=60, deadline=None)
@given(st.lists(layers, max_size=5), st.lists(layers, max_size=5))
def test_layers_are_paired_once_in_order_and_only_with_their_kind(before, after):
    old, new = [asdict(x) for x in before], [asdict(x) for x in after]
    pairs = aligned(old, new)

    assert [i for i, _ in pairs if i is not None] == list(range(len(old)))
    assert [j for _, j in pairs if j is not None] == list(range(len(new)))
    both = [(i, j) for i, j in pairs if i is not None and j is not None]
    assert all(old[i]["kind"] == new[j]["kind"] for i, j in both)


def test_values_that_look_alike_are_distinguished():
    before = Genome(learning_rule=LearningRule(learning_rate=0.001))
    after = Genome(learning_rule=LearningRule(learning_rate=0.00100001))

    (change,) = changes(before.to_json(), after.to_json())

    assert str(change) == "learning_rule.learning_rate 0.001 → 0.00100001"


def test_old_runs_named_only_the_editor():
    old = {**EVERY.to_json(), "editor": "bandit"}

    assert "bandit" in read(svg(old))[1]
    assert {each.path.split(".")[1] for each in changes(old, EVERY.to_json())} == {"settings"}


def test_the_picture_speaks_and_escapes():
    genome = {**EVERY.to_json(), "editor": "<b>&"}
    picture = svg(genome, changed_from=EVERY.to_json(), title="A <run>")
    root = ET.fromstring(picture)  # noqa: S314

    assert root.get("role") == "img"
    assert root[0].text == "A <run>"
    assert "memory 11, dense 48" in root[1].text
    assert "editor.name bandit → <b>&" in root[1].text


def backwards(value):
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return value


@settings(max_examples=20, deadline=None)
@given(genomes, genomes)
def test_the_same_genomes_give_the_same_bytes(before, after):
    """Whatever the order of keys: a live genome has another than one that was stored."""
    old, new = before.to_json(), after.to_json()

    assert svg(new, old) == svg(backwards(new), backwards(old))
    assert text(new, old) == text(backwards(new), backwards(old))


# --- in the terminal ---------------------------------------------------------------------------


def test_the_text_has_every_kind_with_its_size_and_no_marks():
    lines = text(EVERY.to_json()).split("\n")

    for layer in EVERY.architecture.layers:
        assert any(f"{layer.kind} {layer.units}  (layer" in line for line in lines)
    assert all(line[:1] in {" ", ""} for line in lines)
    assert any(line.count("│") == 6 and "mixture" in line for line in lines)
    assert max(map(len, lines)) <= 100


@settings(max_examples=60, deadline=None)
@given(genomes, genomes)
def test_the_text_marks_what_the_picture_marks(before, after):
    """Each change is shown on a line with its sign, and there are no signs without a change."""
    old, new = before.to_json(), after.to_json()
    found = changes(old, new)
    lines = [line for line in text(new, old).split("\n") if line[:1] in set("+-~")]

    assert bool(lines) == bool(found)
    for change in found:
        sign = {"added": "+", "removed": "-", "changed": "~"}[change.mark]
        whole = change.path.endswith("]")
        reported = change.after or change.before
        if change.mark == "changed":  # a field of a layer stands beside what came or went
            reported, sign = (
                f"{change.before} → {change.after}",
                sign if "[" not in change.path else "",
            )
        elif not whole:
            reported = (
                change.path.removeprefix("editor.settings").rpartition(".")[2].replace("_", " ")
            )
        assert any(reported in line and line.startswith(sign) for line in lines), change


# --- in pixels ---------------------------------------------------------------------------------


def test_pixels_show_the_same_sheet():
    picture = genome_png(EVERY.to_json(), Genome().to_json(), heading="Step 3,200")
    shown = Image.open(io.BytesIO(picture))
    drawn = svg(EVERY.to_json(), Genome().to_json(), heading="Step 3,200")

    assert png_size(picture) == {
        "width": 1040,
        "height": shown.height,
        "colorspace": 3,
    }
    assert float(re.search(r'height="([\d.]+)"', drawn)[1]) == pytest.approx(shown.height, abs=1)
    assert (21, 128, 61) in {colour for _, colour in shown.convert("RGB").getcolors()}
    assert picture == genome_png(EVERY.to_json(), Genome().to_json(), heading="Step 3,200")
