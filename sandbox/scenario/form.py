"""The shape of a scenario as people write it: keys, scalars and their ranges.

Names and settings of parts are checked by ``parts`` against the part folders; what the
keys mean together is checked by ``checks``. ``scenario.schema.json`` is made from these models.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sandbox.gate import protection
from sandbox.scenario.findings import LARGEST_SEED
from sandbox.scenario.strict_yaml import Path

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
ENV_NAME = r"^[A-Za-z0-9][A-Za-z0-9 _.,-]{0,63}$"
DEFAULT_SEEDS = [0, 1, 2]
MOST_SEEDS = 100_000


def _protectable(path: str) -> str:
    """A dotted path into a genome; one that protects nothing is an error."""
    reason = protection.problem(path)
    if reason:
        raise ValueError(reason)
    return path


Part = Literal["architecture", "learning_rule", "objective", "editor"]
PATH = rf"^({'|'.join(get_args(Part))})(\.[A-Za-z0-9_-]+)*$"
GenomePath = Annotated[
    str, AfterValidator(_protectable), WithJsonSchema({"type": "string", "pattern": PATH})
]
"""A part of the genome, ``agents.genome.PARTS``, or a dotted path in one."""
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Settings = dict[str, Any]


def as_named(value: Any) -> Any:
    """``ppo`` and ``{ppo: }`` mean ``{ppo: {}}``; a list means all of its names."""
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return {each: {} for each in value}
    if isinstance(value, dict):
        return {key: {} if each is None else each for key, each in value.items()}
    return value


def as_weighted(value: Any) -> Any:
    """``{rnd: 0.3}`` means ``{rnd: {weight: 0.3}}``; a name alone keeps the part's own weight."""
    value = as_named(value)
    if not isinstance(value, dict):
        return value
    return {
        key: {"weight": each} if isinstance(each, int | float) else each
        for key, each in value.items()
    }


def as_dosed(value: Any) -> Any:
    """``{sticky_actions: 0.25}`` means ``{sticky_actions: {intensity: 0.25}}``."""
    value = as_named(value)
    if not isinstance(value, dict):
        return value
    return {
        key: {"intensity": each} if type(each) in {int, float} else each
        for key, each in value.items()
    }


def as_env(value: Any) -> Any:
    """An id alone means an env with its defaults."""
    return {"id": value} if isinstance(value, str) else value


def as_seeds(value: Any) -> Any:
    """``20`` means 0..19 and ``{first: 100, count: 5}`` means 100..104."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = {"count": value}
    if not isinstance(value, dict):
        return value
    if not {"count"} <= set(value) <= {"first", "count"}:
        raise ValueError("must be a count, a list of integers, or {first, count}")
    first, count = value.get("first", 0), value["count"]
    if type(count) is not int or not 1 <= count <= MOST_SEEDS:
        raise ValueError(f"count must be an integer 1..{MOST_SEEDS} (got {count!r})")
    if type(first) is not int or not 0 <= first <= LARGEST_SEED - count:
        raise ValueError(f"first must be an integer 0..{LARGEST_SEED - count} (got {first!r})")
    return list(range(first, first + count))


def as_several(value: Any) -> Any:
    """One mapping means a list of it."""
    return [value] if isinstance(value, dict) else value


def _written(reader: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(reader)


class Form(BaseModel):
    """No unknown keys, no conversions between kinds, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LayerForm(Form):
    """One layer of every tower."""

    kind: Literal["dense", "residual", "norm", "skip", "mixture", "injected", "attention", "memory"]
    units: int = Field(ge=1, le=4096)
    count: int = Field(
        default=1, ge=1, le=64, description="Experts of a mixture, heads of attention, injections."
    )
    source: int = Field(
        default=-1, ge=-1, le=63, description="Of a skip: the layer it adds; -1: the observation."
    )
    density: float = Field(default=1.0, gt=0, le=1, description="Share of a dense layer's edges.")
    tokens: int = Field(default=1, ge=1, le=4096, description="Of attention.")


class GuardForm(Form):
    """A constraint planted in the policy's outputs."""

    kind: Literal["mask", "clamp"]
    bound: float = Field(default=20.0, gt=0, le=1e6)
    action: int = Field(default=0, ge=0, description="Of a mask: whose logit it lowers.")
    feature: int = Field(default=0, ge=0, description="Of a mask: which number it looks at.")
    threshold: float = Field(default=0.5, description="Of a mask: acts from here on.")


class ArchitectureForm(Form):
    """Initial layers of every network of the agent."""

    trunk: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(
        default=None, max_length=64, description="Units of dense layers; short for layers."
    )
    layers: list[LayerForm] | None = Field(default=None, max_length=64)
    activation: Literal["tanh", "relu"] = "tanh"
    history: int = Field(default=1, ge=1, le=64, description="Observations that it sees at once.")
    guards: list[GuardForm] = Field(default=[], max_length=16)


class AgentForm(Form):
    """The initial state of an agent: learner, architecture, objectives, editor."""

    learner: Annotated[
        dict[str, Settings], _written(as_named), Field(min_length=1, max_length=1)
    ] = Field(default={"ppo": {}}, description="How it learns: a name, or {name: settings}.")
    architecture: ArchitectureForm = ArchitectureForm()
    objective: Annotated[dict[str, Settings], _written(as_weighted), Field(min_length=1)] = Field(
        default={"extrinsic": {"weight": 1.0}},
        description="What it is rewarded by: {name: weight} or {name: {weight, settings}}.",
    )
    editor: Annotated[
        dict[str, Settings], _written(as_named), Field(min_length=1, max_length=1)
    ] = Field(default={"fixed": {}}, description="Who proposes rewrites.")


class ShockForm(Form):
    """A budget that changes during the run; only the agent's own meter shows it."""

    at: Positive = Field(description="Share of max_flops that is spent when it comes.")
    factor: float = Field(
        ge=0, allow_inf_nan=False, description="On what is left: below 1 a cut, above a windfall."
    )


class RateForm(Form):
    """How many edits in how many updates."""

    updates: int = Field(ge=1, description="In any so many updates,")
    edits: int = Field(ge=0, description="no more than so many applied edits.")


class TwoGateForm(Form):
    """An edit must gain on held-out play, under a cap of capacity, or it is taken back."""

    margin: float = Field(
        default=0.0, allow_inf_nan=False, description="Held-out return that an edit must gain."
    )
    capacity: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Parameters that no edit may exceed."
    )
    updates: int = Field(default=10, ge=1, description="Of learning, before its gain is measured.")
    episodes: int = Field(
        default=64, ge=1, le=10_000, description="Played for each measurement, charged."
    )


class GateForm(Form):
    """What no rewrite may exceed or touch; null means no limit."""

    max_parameters: Annotated[int, Field(ge=1)] | None = None
    max_flops: Positive | None = Field(default=None, description="Of the whole trial.")
    max_edits: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Applied ones, per agent and trial."
    )
    protect: list[GenomePath] = Field(
        default=[], description="Parts of the genome, and dotted paths in them, no edit may touch."
    )
    allow_objective: bool = Field(
        default=False,
        description="May an edit change the weights of its agent's objectives? Never by default.",
    )
    allow: list[str] | None = Field(default=None, description="Names of the only edits allowed.")
    write_scope: list[GenomePath] | None = Field(
        default=None, description="The only paths of the genome that an edit may change."
    )
    max_edits_per: RateForm | None = Field(default=None, description="A limit of their rate.")
    first_updates_without_edits: int = Field(
        default=0, ge=0, description="Updates of a run before its editor is first asked."
    )
    oscillation: Literal["refuse", "mark", "ignore"] = Field(
        default="mark", description="What becomes of an edit that goes back to a genome just left."
    )
    oscillation_window: int = Field(
        default=8, ge=1, le=1000, description="How many applied edits back that looks."
    )
    two_gate: TwoGateForm | None = Field(
        default=None, description="A probation: an edit must improve held-out play."
    )
    upkeep: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="FLOPs charged for every parameter at every update.",
    )
    step_flops: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="FLOPs charged for every env step."
    )
    budget_shocks: list[ShockForm] = Field(
        default=[], max_length=64, description="Cuts and windfalls of max_flops, in order of 'at'."
    )

    def resolved(self) -> dict[str, Any]:
        """JSON data; keys that younger runs know are left out at their defaults.

        A scenario that does not use them is then what it was before there were any.
        """
        whole, said = self.model_dump(), self.model_dump(exclude_defaults=True)
        return {k: v for k, v in whole.items() if k in _FIRST_GATE or k in said}


_FIRST_GATE = {"max_parameters", "max_flops", "max_edits", "protect"}


class ClaimForm(Form):
    """A claim, registered before anything has run: last dose of a lever against its first."""

    metric: str
    effect_of: str = Field(description="A lever of this scenario with at least two doses.")
    dose: Number | str | None = Field(
        default=None, description="Held against the lever's first dose; null: its last."
    )
    env: str | None = Field(default=None, description="In this env alone; null: over all of them.")
    direction: Literal["higher", "lower"]
    smallest_effect: Positive = Field(description="Less than this would not matter to you.")
    alpha: Annotated[float, Field(gt=0, le=0.1)] = Field(
        default=0.01, description="Chance of a false verdict; the interval has 1 - 2 alpha."
    )
    role: Literal["claim", "positive_control", "negative_control"] = Field(
        default="claim", description="A control has a known answer, and may overrule the claims."
    )
    over: Literal["mean", "every"] = Field(
        default="mean", description="Of several envs: their mean, or each of them by itself."
    )
    capability_margin: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="A larger loss of capability may explain less harm."
    )
    accept_capability_loss: bool = Field(
        default=False, description="Less harm counts even where capability was lost."
    )


class EnvForm(Form):
    """A world or a third-party environment, and what is different in it."""

    id: str = Field(min_length=1, max_length=200, description="A registered environment id.")
    kwargs: Settings = Field(default={}, description="Its settings: fields of the world.")
    name: Annotated[str, Field(pattern=ENV_NAME)] | None = Field(
        default=None, description="What it is called in results; default: its id."
    )
    controls: Annotated[dict[str, Settings], _written(as_dosed)] = Field(
        default={}, description="Controls of this env alone, besides the scenario's."
    )
    gate: GateForm | None = Field(
        default=None, description="Limits in this env alone, in the place of the scenario's."
    )


class ArmForm(Form):
    """One of several agents to compare: what it has in the place of the scenario's agent's."""

    learner: (
        Annotated[dict[str, Settings], _written(as_named), Field(min_length=1, max_length=1)] | None
    ) = Field(default=None, description="Of the same name: settings on top of the agent's.")
    architecture: ArchitectureForm | None = None
    objective: Annotated[dict[str, Settings], _written(as_weighted), Field(min_length=1)] | None = (
        None
    )
    editor: (
        Annotated[dict[str, Settings], _written(as_named), Field(min_length=1, max_length=1)] | None
    ) = Field(default=None, description="Of the same name: settings on top of the agent's.")
    gate: GateForm | None = Field(default=None, description="What is different in its gate.")
    controls: Annotated[dict[str, Settings], _written(as_dosed)] = Field(
        default={}, description="Controls of the env of this arm alone."
    )


class LimitsForm(Form):
    """What one trial may use before it is ended as failed."""

    timeout_s: Annotated[float, Field(gt=0, le=10**7)] = 3600.0
    stall_s: Annotated[float, Field(gt=0, le=10**7)] = 60.0
    memory_mb: Annotated[int, Field(ge=256, le=10**7)] = 4096


class ScenarioForm(Form):
    """One question to agents that rewrite themselves, as data."""

    schema_: Literal[1] = Field(alias="schema", description="Version of this format.")
    name: Annotated[str, Field(pattern=NAME)] | None = Field(
        default=None, description="Default: the file's name."
    )
    question: str = Field(min_length=1, max_length=2000)
    envs: list[Annotated[EnvForm, _written(as_env)]] = Field(min_length=1, max_length=1000)
    agent: AgentForm = AgentForm()
    gate: GateForm = GateForm()
    controls: Annotated[dict[str, Settings], _written(as_dosed)] = Field(
        default={},
        description="Controls of the training env: {name: intensity} or {name: settings}.",
    )
    arms: dict[Annotated[str, Field(pattern=NAME)], ArmForm] = Field(
        default={}, description="Agents to compare, the baseline first: doses of the lever 'arm'."
    )
    levers: dict[str, Annotated[list[Number | str], Field(min_length=1)]] = Field(
        default={}, description="What the experimenter turns: name -> doses, baseline first."
    )
    design: Literal["one_at_a_time", "full"] = "one_at_a_time"
    seeds: Annotated[list[Seed], _written(as_seeds), Field(min_length=1, max_length=MOST_SEEDS)] = (
        Field(default=DEFAULT_SEEDS, description="A count, a list, or {first, count}.")
    )
    looks: list[Annotated[int, Field(ge=1, le=MOST_SEEDS)]] = Field(
        default=[],
        description="Numbers of seeds at which claims are judged, the last all; none: at the end.",
    )
    metrics: list[str] = Field(min_length=1)
    claims: Annotated[list[ClaimForm], _written(as_several)] = []
    probes: Annotated[dict[str, Settings], _written(as_named)] = Field(
        default={"held_out": {}}, description="Measurements of the live agent."
    )
    limits: LimitsForm = LimitsForm()


FORMS: Mapping[Path, type[Form]] = {
    (): ScenarioForm,
    ("envs",): EnvForm,
    ("envs", "gate"): GateForm,
    ("envs", "gate", "budget_shocks"): ShockForm,
    ("arms",): ArmForm,
    ("arms", "architecture"): ArchitectureForm,
    ("arms", "architecture", "layers"): LayerForm,
    ("arms", "architecture", "guards"): GuardForm,
    ("arms", "gate"): GateForm,
    ("arms", "gate", "budget_shocks"): ShockForm,
    ("agent",): AgentForm,
    ("agent", "architecture"): ArchitectureForm,
    ("agent", "architecture", "layers"): LayerForm,
    ("agent", "architecture", "guards"): GuardForm,
    ("gate",): GateForm,
    ("gate", "max_edits_per"): RateForm,
    ("gate", "two_gate"): TwoGateForm,
    ("gate", "budget_shocks"): ShockForm,
    ("claims",): ClaimForm,
    ("limits",): LimitsForm,
}
"""Path without indices and names of arms -> the form that stands there."""


def keys() -> dict[Path, list[str]]:
    """Keys that each form knows, as an author writes them."""
    return {
        path: [each.alias or name for name, each in form.model_fields.items()]
        for path, form in FORMS.items()
    }
