"""Events -> TensorBoard, live and rebuilt; derived data that may be deleted at any time.

Written with TensorBoard's own protos and record writer, so neither torch nor TensorFlow is needed.
One run folder a trial, ``tensorboard/<condition>/seed=<n>`` (with the env between where a scenario
has several); one HParams row a condition, whose metrics are the means over its seeds. Time in these
files is counted in steps, so the same trial gives the same bytes. Films take longer to draw than a
small trial to run, so they are drawn for the first seed of each condition; the others say how to
have theirs drawn.
"""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import singledispatchmethod
from pathlib import Path
from typing import IO, Any

from sandbox.analysis.effects import computed
from sandbox.catalogue import catalogue
from sandbox.contract import Metric
from sandbox.errors import InputError
from sandbox.pictures import pixels
from sandbox.pictures.film import gif
from sandbox.pictures.pixels import png_size
from sandbox.record.events import (
    Controlled,
    Edited,
    Event,
    Filmed,
    Mapped,
    Measured,
    Probed,
    TrialFinished,
    TrialStarted,
    Updated,
)
from sandbox.record.store import read_run
from sandbox.tensorboard.genomes import Album, Picture, edit_markdown
from sandbox.tensorboard.layout import layout
from sandbox.words import Dose, condition_name, env_label

FOLDER = "tensorboard"
FILE = "events.out.tfevents.0000000000.sandbox"
PICTURES = "genome_picture"  # a tag is either of text or of images
ALREADY_CURVES = frozenset({"parameters", "flops", "mean_return", "hidden_return"})
"""Metrics that would only repeat a curve written anyway."""


def tag_of(metric: str) -> str:
    """Where a metric is found: ``capability/normalised``, ``safety/harm``, ``metric/<other>``."""
    if metric == "capability":
        return "capability/normalised"
    return f"safety/{metric}" if _metric(metric).direction == "lower" else f"metric/{metric}"


def _metric(name: str) -> Metric:
    return catalogue().load("metrics", name)()  # type: ignore[no-any-return]


NO_FILMS = (
    "Films of this condition are drawn for its first seed, seed={seed}. This seed was filmed, too:"
    " `sandbox tensorboard RUN --films` draws the films of every seed."
)


class Records:
    """One TensorBoard file: what is added in one step of an event is one record."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.record_writer import (  # noqa: PLC0415  (slow to import)
            RecordWriter,
        )

        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = (folder / FILE).open("wb")
        self._records = RecordWriter(self._file)
        self._waiting: dict[int, list[Any]] = {}  # step -> summaries
        self._write({"file_version": "brain.Event:2"}, 0)

    def summary(self, summary: Any, step: int = 0) -> None:
        """Add a summary proto; ``flush`` writes it."""
        self._waiting.setdefault(step, []).append(summary)

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add one point of a curve."""
        self.value(step, tag=tag, simple_value=float(value))

    def text(self, tag: str, markdown: str, step: int = 0) -> None:
        """Add Markdown."""
        from tensorboard.plugins.text.summary_v2 import text_pb  # noqa: PLC0415

        self.summary(text_pb(tag, markdown), step)

    def value(self, step: int, **content: Any) -> None:
        """Add one summary value, given by the fields of its proto."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415

        self.summary(Summary(value=[Summary.Value(**content)]), step)

    def flush(self) -> None:
        """Write all that was added, one record a step."""
        for step, (first, *others) in self._waiting.items():
            for each in others:
                first.MergeFrom(each)
            self._write({"summary": first}, step)
        self._waiting = {}

    def close(self) -> None:
        """Finish the file."""
        self.flush()
        self._records.close()

    def _write(self, content: Mapping[str, Any], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event as Record  # noqa: PLC0415

        record = Record(wall_time=float(step), step=step, **content)
        self._records.write(record.SerializeToString(deterministic=True))
        self._records.flush()


class Writer:
    """TensorBoard of one run: the HParams table now, then a ``TrialWriter`` per trial.

    ``films``: of all seeds, not of the first of each condition only.
    """

    def __init__(
        self, run_folder: Path, scenario: Mapping[str, Any], *, films: bool = False
    ) -> None:
        self.scenario = scenario
        self.films = films
        self.root = Path(run_folder) / FOLDER
        self.metrics = tuple(dict.fromkeys(["capability", "harm", *scenario["metrics"]]))
        self.several_envs = len(scenario["envs"]) > 1
        records = Records(self.root)
        records.summary(self._table())
        records.value(0, **layout())
        resolved = json.dumps(scenario, indent=1, sort_keys=True)
        records.text("scenario", f"**{scenario['question']}**\n\n{_fenced(resolved)}")
        records.close()

    def trial(self, trial_id: str, spec: Mapping[str, Any]) -> "TrialWriter":
        """Start a trial's run; what an earlier attempt wrote is replaced."""
        condition = condition_name(spec["condition"])
        env = env_label(self.scenario, spec["env"])
        parts = [condition, *([env.replace("/", "_")] if self.several_envs else [])]
        records = Records(self.root.joinpath(*parts, f"seed={spec['seed']}"))
        records.summary(self._session(spec, " · ".join(parts)))
        records.text("trial", f"Trial `{trial_id}`\n\n{_json(spec)}")
        records.flush()
        first = self.scenario["seeds"][0]
        elsewhere = "" if self.films or spec["seed"] == first else NO_FILMS.format(seed=first)
        return TrialWriter(records, self.metrics, elsewhere)

    def _table(self) -> Any:
        """Columns of the HParams table: levers (and env) against metrics."""
        from tensorboard.plugins.hparams import summary_v2 as hparams  # noqa: PLC0415

        columns = [
            hparams.HParam(lever, hparams.Discrete(sorted({_plain(dose) for dose in doses})))
            for lever, doses in sorted(self.scenario["levers"].items())
        ]
        if self.several_envs or not columns:
            envs = sorted({env_label(self.scenario, each) for each in self.scenario["envs"]})
            columns.append(hparams.HParam("env", hparams.Discrete(envs)))
        curves = [tag_of(name) for name in self.metrics if name not in ALREADY_CURVES]
        tags = [*curves, "mean_return", "hidden_return", "arch/n_params", "compute/flops"]
        metrics = [hparams.Metric(tag) for tag in dict.fromkeys(tags)]
        return hparams.hparams_config_pb(columns, metrics, time_created_secs=0.0)

    def _session(self, spec: Mapping[str, Any], group: str) -> Any:
        from tensorboard.plugins.hparams import summary_v2 as hparams  # noqa: PLC0415

        values: dict[str, Any] = {
            lever: _plain(dose) for lever, dose in sorted(spec["condition"].items())
        }
        if self.several_envs or not values:
            values["env"] = env_label(self.scenario, spec["env"])
        return hparams.hparams_pb(values, trial_id=group, start_time_secs=0.0)


@dataclass
class TrialWriter:
    """Writes one trial as its events come in; ``close`` ends its session, well or badly."""

    records: Records
    metrics: tuple[str, ...]
    films_elsewhere: str = ""  # what is said instead of films
    _events: list[Event] = field(default_factory=list)
    _agents: tuple[str, ...] = ()
    _rewrites: dict[str, int] = field(default_factory=dict)
    _probed_at: int | None = None  # step of probes not yet turned into metrics
    _finished: bool = False
    _album: Album = field(default_factory=Album)

    def add(self, event: Event) -> None:
        """Write what one event records."""
        if self._probed_at is not None and not isinstance(event, Probed | Measured | Mapped):
            self._measure()
        self._events.append(event)
        self._write_event(event)
        self.records.flush()

    def close(self) -> None:
        """End the session: a success only if the trial finished."""
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2  # noqa: PLC0415

        if self._probed_at is not None:
            self._measure()
        self._pictures(self._album.ended())
        status = api_pb2.STATUS_SUCCESS if self._finished else api_pb2.STATUS_FAILURE
        ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=float(self._step()))
        data = plugin_data_pb2.HParamsPluginData(session_end_info=ended)
        self.records.value(
            self._step(),
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(data),
            tensor=metadata.NULL_TENSOR,
        )
        self.records.close()

    def _step(self) -> int:
        return max((each.steps for each in self._events if isinstance(each, Updated)), default=0)

    def _tag(self, tag: str, agent: str) -> str:
        """One curve an agent where there are several."""
        return f"{tag}/{agent}" if len(self._agents) > 1 else tag

    def _scalars(self, found: Iterable[tuple[str, float | None]], agent: str, step: int) -> None:
        for tag, value in found:
            if value is not None:
                self.records.scalar(self._tag(tag, agent), value, step)

    @singledispatchmethod
    def _write_event(self, event: Event) -> None:
        """Write one kind of event; a kind without a curve or picture writes nothing here."""

    @_write_event.register
    def _(self, event: TrialStarted) -> None:
        self._agents = event.agents
        self._rewrites = dict.fromkeys(event.agents, 0)
        for agent, genome in sorted(event.genomes.items()):
            self.records.text(self._tag("genome", agent), f"At the start\n\n{_json(genome)}", 0)
            self._pictures(self._album.started(agent, genome))

    @_write_event.register
    def _(self, event: Updated) -> None:
        self._scalars(_curves(event), event.agent, event.steps)
        self._scalars(
            [("arch/rewrites", self._rewrites.get(event.agent, 0))], event.agent, event.steps
        )

    @_write_event.register
    def _(self, event: Controlled) -> None:
        root = f"control/{event.control}"
        self.records.scalar(f"{root}/effective_intensity", event.effective_intensity, event.steps)
        for name, value in sorted(event.measured.items()):
            self.records.scalar(f"{root}/{name}", value, event.steps)
        for name, value in sorted(event.expected.items()):
            self.records.scalar(f"{root}/{name}_expected", value, event.steps)

    @_write_event.register
    def _(self, event: Probed) -> None:
        self._probed_at = event.steps
        found = [
            (f"{event.probe}/{event.distribution}/{k}", v) for k, v in sorted(event.values.items())
        ]
        self._scalars(found, event.agent, event.steps)

    @_write_event.register
    def _(self, event: Measured) -> None:
        if event.moment == "update":  # beside an edit there are two at one step
            self._probed_at = event.steps
            found = [(f"{event.probe}/{k}", v) for k, v in sorted(event.values.items())]
            self._scalars(found, event.agent, event.steps)

    @_write_event.register
    def _(self, event: Mapped) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415

        picture = pixels.map_png(event)
        image = Summary.Image(encoded_image_string=picture, **png_size(picture))
        tag = self._tag(f"map/{event.probe}/{event.name}", event.agent)
        self.records.value(event.steps, tag=tag, image=image)

    @_write_event.register
    def _(self, event: Edited) -> None:
        self._rewrites[event.agent] = self._rewrites.get(event.agent, 0) + event.applied
        found = [
            ("arch/n_params", event.parameters),
            ("arch/rewrites", self._rewrites[event.agent]),
        ]
        self._scalars(found, event.agent, event.steps)
        markdown = edit_markdown(event, self._album.now.get(event.agent)) + _json(event.genome)
        self.records.text(self._tag("genome", event.agent), markdown, event.steps)
        self._pictures(self._album.edited(event))

    @_write_event.register
    def _(self, event: Filmed) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415

        if self.films_elsewhere:
            if not any(isinstance(each, Filmed) for each in self._events[:-1]):
                self.records.text("rollout", self.films_elsewhere, self._step())
            return
        picture = gif(event.boards, event.rewards, legend=event.legend, captions=event.captions)
        image = Summary.Image(encoded_image_string=picture, **_size(picture))
        self.records.value(self._step(), tag=f"rollout/{event.distribution}", image=image)

    def _pictures(self, pictures: Iterable[Picture]) -> None:
        """Draw genomes: TensorBoard shows no SVG, so in pixels."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415

        for each in pictures:
            image = Summary.Image(encoded_image_string=each.png, **png_size(each.png))
            self.records.value(each.step, tag=self._tag(PICTURES, each.agent), image=image)

    @_write_event.register
    def _(self, event: TrialFinished) -> None:
        del event
        self._finished = True

    def _measure(self) -> None:
        """Turn a round of probes into the metrics that the verdicts are about."""
        step, self._probed_at = self._probed_at or 0, None
        for name in self.metrics:
            value = None
            with contextlib.suppress(InputError):  # said when the run is analysed
                value = computed(name, self._events, "").value
            if value is not None and name not in ALREADY_CURVES:
                self.records.scalar(tag_of(name), value, step)


def _plain(dose: Dose) -> Dose:
    """Numbers of one kind; names stay names."""
    return dose if isinstance(dose, str) else float(dose)


def _curves(event: Updated) -> Iterator[tuple[str, float | None]]:
    yield "mean_return", event.mean_return
    yield "world_return", event.world_return
    yield "hidden_return", event.truth.get("hidden_reward")
    yield "arch/n_params", event.parameters
    yield "compute/flops", event.flops
    yield "compute/episodes", event.episodes
    yield "compute/flops_left", event.flops_left
    if len(event.spent) > 1:  # a single category is the total
        yield from ((f"compute/{name}", value) for name, value in sorted(event.spent.items()))
    yield from ((f"reward/{name}", value) for name, value in sorted(event.rewards.items()))
    yield from ((f"loss/{name}", value) for name, value in sorted(event.losses.items()))
    truth = {k: v for k, v in event.truth.items() if k != "hidden_reward"}
    yield from ((f"training_truth/{name}", value) for name, value in sorted(truth.items()))


def _json(data: Mapping[str, Any]) -> str:
    return _fenced(json.dumps(data, indent=1, sort_keys=True))


def _fenced(text: str) -> str:
    return f"```\n{text}\n```"


def _size(picture: bytes) -> dict[str, int]:
    """Width and height from a GIF's header (GIF89a, 18)."""
    return {
        "width": int.from_bytes(picture[6:8], "little"),
        "height": int.from_bytes(picture[8:10], "little"),
        "colorspace": 3,
    }


def rebuild(run_folder: str | Path, *, films: bool = False) -> Path:
    """Write the whole TensorBoard folder anew from the stored events; returns it.

    ``films``: of all seeds, not of the first of each condition only.
    """
    run = read_run(run_folder)
    shutil.rmtree(run.folder / FOLDER, ignore_errors=True)
    writer = Writer(run.folder, run.scenario, films=films)
    for trial in run.trials:
        trial_writer = writer.trial(trial.id, trial.spec)
        for event in trial.events:
            trial_writer.add(event)
        trial_writer.close()
    return writer.root
