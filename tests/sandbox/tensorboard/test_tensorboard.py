"""What TensorBoard's own server answers about a run: asked over HTTP, on loopback."""

import contextlib
import io
import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from dataclasses import replace

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sandbox.pictures.film import gif
from sandbox.record.events import TrialFinished
from sandbox.record.store import read_run
from sandbox.tensorboard.genomes import MOST_PICTURES
from sandbox.tensorboard.writer import FILE, PICTURES, Writer, rebuild, tag_of

BASE = "data_coverage=0,freeze_editor=0"
BROKEN = {("data_coverage=0.5,freeze_editor=0", 2): "killed"}


@pytest.fixture
def board(scenario, write_run):
    return rebuild(write_run({**scenario, "seeds": [0, 1, 2]}, broken=BROKEN))


@contextlib.contextmanager
def server(folder):
    """A TensorBoard on a free loopback port; yields its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    options = ["--host", "127.0.0.1", "--port", "0", "--load_fast", "false"]
    with subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                    yield f"http://127.0.0.1:{found[1]}"
                    break
            else:
                pytest.fail("".join(said))
        finally:
            process.terminate()


def ask(address, path, body=None, **query):
    url = f"{address}/data/{path}?{urllib.parse.urlencode(query)}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        raw = answer.read()
    return json.loads(raw) if answer.headers.get_content_type() == "application/json" else raw


def test_server_serves_scalars_hparams_text_and_images(board):
    with server(board) as address:
        runs = loaded(address, 10)
        run = f"{BASE}/seed=0"

        assert set(runs) >= {run, f"{BASE}/seed=2", "data_coverage=0,freeze_editor=1/seed=1"}
        check_scalars(address, run)
        check_table(address)
        check_text(address, run)
        check_pictures(address, run)
        check_layout(address, run)


def loaded(address, expected):
    """Names of the runs, once they have all been read."""
    for _ in range(100):
        runs = ask(address, "runs")
        tags = ask(address, "plugin/scalars/tags")
        if len(runs) >= expected and len(tags) >= expected - 1:
            return runs
        time.sleep(0.1)
    raise AssertionError(runs)


def check_scalars(address, run):
    tags = ask(address, "plugin/scalars/tags")[run]
    wanted = {
        "mean_return",
        "hidden_return",
        "reward/rnd",
        "arch/n_params",
        "arch/rewrites",
        "compute/flops",
        "capability/normalised",
        "safety/harm",
        "safety/goal_misgeneralisation",
        "held_out/shifted/harm",
    }
    assert wanted <= set(tags)
    points = ask(address, "plugin/scalars/scalars", run=run, tag="mean_return")
    assert [step for _, step, _ in points] == [100 * update for update in range(1, 33)]
    rewrites = ask(address, "plugin/scalars/scalars", run=run, tag="arch/rewrites")
    assert rewrites[-1][2] == 2


def check_table(address):
    """Nine trials, three conditions: three rows, each the mean over its seeds."""
    body = {
        "experimentName": "",
        "startIndex": 0,
        "sliceSize": 100,
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "aggregationType": "AGGREGATION_AVG",
        "colParams": [{"metric": {"tag": "capability/normalised", "group": ""}}],
    }
    groups = ask(address, "plugin/hparams/session_groups", body)["sessionGroups"]
    rows = {group["name"]: group for group in groups}
    base = rows[BASE]

    assert len(rows) == 3
    assert base["hparams"] == {"data_coverage": 0.0, "freeze_editor": 0.0}
    assert len(base["sessions"]) == 3
    assert statuses(base) == {"STATUS_SUCCESS"}
    assert statuses(rows["data_coverage=0.5,freeze_editor=0"]) == {
        "STATUS_SUCCESS",
        "STATUS_FAILURE",
    }
    (mean,) = (m["value"] for m in base["metricValues"] if m["name"]["tag"].startswith("capab"))
    each = [
        ask(
            address,
            "plugin/scalars/scalars",
            run=f"{BASE}/seed={seed}",
            tag="capability/normalised",
        )
        for seed in range(3)
    ]
    assert mean == pytest.approx(sum(points[-1][2] for points in each) / 3)


def statuses(group):
    return {session["status"] for session in group["sessions"]}


def check_text(address, run):
    texts = ask(address, "plugin/text/text", run=run, tag="genome")

    assert len(texts) == 1 + 4
    assert "<h3>widen(layer=0, units=8)</h3>" in texts[1]["text"]
    assert "rejected: over budget" in texts[2]["text"]
    assert "<i>" not in texts[2]["text"]
    assert "bandit" in texts[0]["text"]


def check_pictures(address, run):
    (image,) = ask(address, "plugin/images/images", run=run, tag="rollout/shifted", sample=0)
    picture = ask(address, f"plugin/images/individualImage?{image['query']}&x=")

    assert picture[:6] == b"GIF89a"
    assert Image.open(io.BytesIO(picture)).n_frames == 3


def check_layout(address, run):
    """The charts of Custom Scalars, and that their patterns find curves."""
    found = ask(address, "plugin/custom_scalars/layout")
    charts = {
        (group["title"], chart["title"]): chart["multiline"]["tag"]
        for group in found["category"]
        for chart in group["chart"]
    }

    assert {group for group, _ in charts} == {"capability", "harm", "edits", "compute"}
    for place, (pattern,) in charts.items():
        drawn = ask(address, "plugin/custom_scalars/scalars", run=run, tag=pattern)
        assert drawn["regex_valid"]
        assert drawn["tag_to_events"], place


def grown(event, units):
    layers = [{"kind": "dense", "units": units}]
    architecture = {**event.genome["architecture"], "layers": layers}
    return replace(event, steps=units, genome={**event.genome, "architecture": architecture})


def pictures(folder, trial, events):
    """Step and size of each picture of a genome, as TensorBoard reads the file."""
    written = folder.trial(trial.id, trial.spec)
    for event in events:
        written.add(event)
    written.close()
    read = EventAccumulator(str(folder.root / BASE / "seed=0"), {"images": 0, "tensors": 0})
    read.Reload()
    if PICTURES not in read.Tags()["images"]:
        return [], []
    shown = read.Images(PICTURES)
    assert all(each.encoded_image_string[:4] == b"\x89PNG" for each in shown)
    texts = [each.tensor_proto.string_val[0].decode() for each in read.Tensors("genome")]
    return [(each.step, each.width) for each in shown], texts


@pytest.mark.parametrize("changes", [0, 3, 18, 19, 60])
def test_a_genome_is_pictured_at_each_change_and_at_the_end_within_bounds(
    scenario, write_run, changes
):
    run = read_run(write_run({**scenario, "seeds": [0]}))
    trial = run.trials[0]
    initial, edit = trial.events[0], next(e for e in trial.events if e.kind == "edited")
    written = [grown(edit, 33 + n) for n in range(changes)]
    again = [replace(each, steps=each.steps, applied=False) for each in written[-1:]]
    shown, texts = pictures(Writer(run.folder, run.scenario), trial, [initial, *written, *again])

    steps = [step for step, _ in shown]
    assert steps[0] == 0
    assert len(steps) == min(changes + 1, MOST_PICTURES)
    assert steps[-1] == (32 + changes if changes else 0)
    assert all(width == 1040 for _, width in shown)
    if changes > 1:
        assert "- `architecture.layers[0].units 33 → 34`" in texts[2]


def test_rebuilding_gives_the_same_bytes(board):
    before = {path: path.read_bytes() for path in board.rglob("*") if path.is_file()}

    rebuild(board.parent)

    assert before == {path: path.read_bytes() for path in board.rglob("*") if path.is_file()}


def test_a_second_attempt_replaces_the_first(scenario, write_run):
    run = read_run(write_run({**scenario, "seeds": [0]}))
    trial = run.trials[0]
    writer = Writer(run.folder, run.scenario)
    for events in (trial.events[:9], trial.events):
        written = writer.trial(trial.id, trial.spec)
        for event in events:
            written.add(event)
        written.close()
    live = (writer.root / BASE / "seed=0" / FILE).read_bytes()

    rebuild(run.folder)

    assert (writer.root / BASE / "seed=0" / FILE).read_bytes() == live
    assert isinstance(trial.events[-1], TrialFinished)


def test_live_and_rebuilt_are_the_same_whatever_the_order_of_keys(scenario, write_run):
    """Live specs and events hold their keys as they were made, stored ones in sorted order."""
    run = read_run(write_run({**scenario, "seeds": [0]}))
    trial = run.trials[0]
    written = Writer(run.folder, run.scenario).trial(trial.id, backwards(trial.spec))
    for event in trial.events:
        written.add(type(event)(**{key: backwards(value) for key, value in vars(event).items()}))
    written.close()
    path = run.folder / "tensorboard" / BASE / "seed=0" / FILE
    live = path.read_bytes()

    rebuild(run.folder)

    assert path.read_bytes() == live


def backwards(value):
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return value


def shown_of(board, seed):
    """Tags of the films of one trial, and what is said about them."""
    read = EventAccumulator(str(board / BASE / f"seed={seed}"), {"images": 0, "tensors": 0})
    read.Reload()
    films = [tag for tag in read.Tags()["images"] if tag.startswith("rollout/")]
    said = [tag for tag in read.Tags()["tensors"] if tag.startswith("rollout")]
    return films, [read.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in said]


def test_films_are_drawn_for_first_seeds_and_the_others_say_how_to_have_theirs(board):
    assert shown_of(board, 0) == (["rollout/shifted"], [])
    films, (said,) = shown_of(board, 2)
    assert films == []
    assert "seed=0" in said
    assert "`sandbox tensorboard RUN --films`" in said


def test_all_films_are_drawn_where_they_are_asked_for(board):
    every = rebuild(board.parent, films=True)
    assert shown_of(every, 0) == shown_of(every, 2) == (["rollout/shifted"], [])


def test_several_envs_lie_side_by_side(scenario, write_run):
    envs = [{"id": "sandbox/CoinGrid-v0", "kwargs": {"size": n}} for n in (5, 7)]
    root = rebuild(write_run({**scenario, "envs": envs, "seeds": [0], "levers": {}}))

    assert (root / "base" / "sandbox_CoinGrid-v0 (size=5)" / "seed=0" / FILE).is_file()
    assert (root / "base" / "sandbox_CoinGrid-v0 (size=7)" / "seed=0" / FILE).is_file()


def test_readable_names():
    assert tag_of("capability") == "capability/normalised"
    assert tag_of("goal_misgeneralisation") == "safety/goal_misgeneralisation"
    assert tag_of("edits_applied") == "metric/edits_applied"


def test_picture_sizes_are_given():
    picture = gif(("AB\nCD",))

    assert int.from_bytes(picture[6:8], "little") == 144
