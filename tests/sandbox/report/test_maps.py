"""Heat maps in the report and in TensorBoard, from maps whose numbers are known."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sandbox.pictures import pixels
from sandbox.record.events import Chosen, Mapped, Measured, TrialStarted
from sandbox.record.store import TrialRecord
from sandbox.report.maps import CELL, maps
from sandbox.tensorboard.writer import FILE, Writer
from tests.sandbox.synthetic_run import as_record

ARMS = ("first", "<b>second</b>")
WALLS = ((0, 0, 0, 1), (0, 1, 1, 1))


def mapped(rows, name="occupancy", *, update=2, agent="agent", walls=WALLS, unit="share"):
    return Mapped(agent, "probe", update, 64 * update, name, unit, rows, walls)


def trial(arm, seed, events):
    spec = {"env": {"id": "e", "kwargs": {}}, "seed": seed, "condition": {"arm": arm}}
    made = TrialRecord(Path(f"{arm}-{seed}"), "x", spec, {"state": "done"})
    made.__dict__["events"] = events
    return made


def page(*trials):
    scenario = {"levers": {"arm": list(ARMS)}, "envs": [{"id": "e", "kwargs": {}}]}
    run = as_record(Path("r"), scenario, trials)
    conditions = tuple(f"arm={arm}" for arm in ARMS)
    return "".join(maps(SimpleNamespace(run=run, conditions=conditions)))


COMMON = mapped(((2.0, 3.0), (None, 4.0)), "empowerment", unit="bits")


def two_arms():
    early = mapped(((9.0, 9.0), (9.0, 9.0)), update=1)
    one, two = mapped(((0.0, 0.0), (None, 1.0))), mapped(((0.5, 0.0), (None, 0.5)))
    trials = [trial(ARMS[0], seed, [early, each, COMMON]) for seed, each in enumerate((one, two))]
    return page(*trials, trial(ARMS[1], 0, [early, two, COMMON]))


def pictures(found):
    return re.findall(r'<svg class="map"[^>]*aria-label="([^"]*)">(.*?)</svg>', found, re.DOTALL)


def test_one_picture_a_condition_mean_over_seeds_and_one_of_what_all_share():
    found = two_arms()
    names = [name for name, _ in pictures(found)]
    assert [name for name in names if not name.startswith("colours")] == [
        "empowerment, every condition",
        "occupancy, arm=first",
        "occupancy, arm=&lt;b&gt;second&lt;/b&gt;",
    ]
    first = dict(pictures(found))["occupancy, arm=first"]
    text = re.findall(r"<title>(.*?)</title>", first)
    assert text == [
        "row 1, column 1: 0.25 share",
        "row 1, column 2: 0 share",
        "row 2, column 1: no number",
        "row 2, column 2: 0.75 share",
    ]
    assert "2 seeds" in found
    assert "3 maps" in found
    assert "<b>second" not in found


def test_pictures_of_a_kind_share_a_scale_that_is_stated():
    found = two_arms()
    scales = [name for name, _ in pictures(found) if name.startswith("colours")]
    assert scales == ["colours from 2 to 4 bits", "colours from 0 to 0.75 share"]
    second = dict(pictures(found))["occupancy, arm=&lt;b&gt;second&lt;/b&gt;"]
    # By the square root of the share of the largest, 0.75: of 0.5 that is 81.6 %.
    assert re.findall(r"--v:([\d.]+)%", second) == ["81.6", "0.0", "81.6"]
    common = dict(pictures(found))["empowerment, every condition"]
    assert re.findall(r"--v:([\d.]+)%", common) == ["0.0", "50.0", "100.0"]


def test_walls_stand_between_their_cells():
    common = dict(pictures(two_arms()))["empowerment, every condition"]
    walls = re.findall(r'<path d="M([\d.]+) ([\d.]+)([vh])(\d+)"/>', common)[:2]
    edge = 3
    assert walls == [
        (str(edge + CELL), str(edge), "v", str(CELL)),
        (str(edge + CELL), str(edge + CELL), "h", str(CELL)),
    ]


def test_several_agents_are_named_and_a_population_has_one_speaker():
    one, two = (mapped(((x, 1.0),), agent=f"agent_{x}", walls=()) for x in (0.0, 0.5))
    both = page(trial(ARMS[0], 0, [one, two]))
    assert "arm=first, agent_0.0" in both
    assert "arm=first, agent_0.5" in both
    spoken = page(trial(ARMS[0], 0, [one, two, Chosen("agent_0.5", 2, 128, None)]))
    assert "agent_0" not in spoken
    assert len(pictures(spoken)) == 2  # its map and the scale


def test_where_nothing_was_mapped_there_is_no_section():
    assert not page(trial(ARMS[0], 0, []))
    flat = page(trial(ARMS[0], 0, [mapped(((None, None),), walls=())]))
    assert "no number" in flat
    assert "colours from 0 to 0" in flat


@pytest.mark.parametrize("rows", [((0.0, 1.0), (None, 0.5)), ((2.0, 2.0), (2.0, 2.0))])
def test_the_picture_in_pixels_has_the_colours_of_the_numbers(rows):
    picture = Image.open(io.BytesIO(pixels.map_png(mapped(rows)))).convert("RGB")
    middle = pixels.CELL // 2
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            at = (
                pixels.MARGIN + pixels.CELL * column + middle,
                pixels.MARGIN + pixels.HEAD + pixels.CELL * row + middle,
            )
            least = value is not None and value == min(x for r in rows for x in r if x is not None)
            wanted = pixels.NONE if value is None else pixels.COLD if least else None
            wanted = pixels.HEAT if value == 1.0 else wanted
            assert wanted is None or picture.getpixel(at) == wanted


def test_tensorboard_has_the_map_and_the_numbers(tmp_path):
    scenario = {"question": "?", "metrics": ["empowerment_gained"], "levers": {}, "seeds": [0]}
    scenario |= {"envs": [{"id": "e", "kwargs": {}}]}
    writer = Writer(tmp_path, scenario)
    spec = {"condition": {}, "env": {"id": "e", "kwargs": {}}, "seed": 0}
    written = writer.trial("x", spec)
    written.add(TrialStarted("x", "e", 0, {}, ("agent",), {}, {}))
    written.add(COMMON)
    values = {"empowerment": 2.5, "random": 2.0}
    written.add(Measured("agent", "empowerment_map", 2, 128, "before edit", {"empowerment": 9.0}))
    written.add(Measured("agent", "empowerment_map", 2, 128, "update", values))
    written.close()

    (file,) = [each for each in tmp_path.rglob(FILE) if "seed=0" in str(each)]
    read = EventAccumulator(str(file.parent)).Reload()
    (image,) = read.Images("map/probe/empowerment")
    assert image.encoded_image_string == pixels.map_png(COMMON)
    assert [x.value for x in read.Scalars("empowerment_map/empowerment")] == [2.5]
    assert [x.value for x in read.Scalars("metric/empowerment_gained")] == [0.5]
