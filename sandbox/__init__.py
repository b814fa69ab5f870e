"""A laboratory for agents that rewrite themselves.

Everything another package may use is exported here and loads when it is named, so that
``import sandbox`` costs next to nothing::

    import sandbox

    experiment = sandbox.run("scenarios/quickstart.yaml")
    print(experiment.verdicts)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.contract import (
        AgentState,
        Batch,
        Edit,
        EditClaim,
        Editor,
        Learner,
        LiveEditor,
        LiveLearner,
        LiveObjective,
        Objective,
        OptimiserMoment,
        Population,
        RefusedEditError,
        Reply,
        UpdateReport,
        View,
    )
    from agents.genome import Architecture, Genome, Layer, LearningRule
    from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer
    from envs import (
        JointWorld,
        Oracle,
        Outcome,
        World,
        joint_batch,
        make_world,
        parallel_env,
        register_world,
    )
    from envs.control_kit.control import Control, ControlledEnv
    from sandbox.api import Experiment, load, register, run
    from sandbox.catalogue import Catalogue
    from sandbox.contract import Episodes, Lever, Measurement, Metric, Probe, Spec, Subject
    from sandbox.errors import (
        InputError,
        IntegrityError,
        Problem,
        ResourceError,
        SandboxError,
        TrialError,
    )
    from sandbox.judging.judgement import judge
    from sandbox.play.demonstrations import evidence
    from sandbox.record.events import Event

__version__ = "0.1.0"

_HOMES = {
    "agents.contract": (
        "AgentState Batch Edit EditClaim Editor Learner LiveEditor LiveLearner LiveObjective"
        " Objective OptimiserMoment"
        " Population RefusedEditError Reply UpdateReport View"
    ),
    "agents.genome": "Architecture Genome Layer LearningRule",
    "agents.values_contract": "Dynamics Evidence ValueModel Valuer",
    "envs": "JointWorld Oracle Outcome World joint_batch make_world parallel_env register_world",
    "envs.control_kit.control": "Control ControlledEnv",
    "sandbox.api": "Experiment load register run",
    "sandbox.catalogue": "Catalogue",
    "sandbox.contract": "Episodes Lever Measurement Metric Probe Spec Subject",
    "sandbox.judging.judgement": "judge",
    "sandbox.play.demonstrations": "evidence",
    "sandbox.errors": "InputError IntegrityError Problem ResourceError SandboxError TrialError",
    "sandbox.record.events": "Event",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "AgentState",
    "Architecture",
    "Batch",
    "Catalogue",
    "Control",
    "ControlledEnv",
    "Dynamics",
    "Edit",
    "EditClaim",
    "Editor",
    "Episodes",
    "Event",
    "Evidence",
    "Experiment",
    "Genome",
    "InputError",
    "IntegrityError",
    "JointWorld",
    "Layer",
    "Learner",
    "LearningRule",
    "Lever",
    "LiveEditor",
    "LiveLearner",
    "LiveObjective",
    "Measurement",
    "Metric",
    "Objective",
    "OptimiserMoment",
    "Oracle",
    "Outcome",
    "Population",
    "Probe",
    "Problem",
    "RefusedEditError",
    "Reply",
    "ResourceError",
    "SandboxError",
    "Spec",
    "Subject",
    "TrialError",
    "UpdateReport",
    "ValueModel",
    "Valuer",
    "View",
    "World",
    "__version__",
    "evidence",
    "joint_batch",
    "judge",
    "load",
    "make_world",
    "parallel_env",
    "register",
    "register_world",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    from sandbox.guard import check_names  # noqa: PLC0415  (`import sandbox` stays light)

    check_names()
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
