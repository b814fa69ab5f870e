"""One trial: build, then (train, propose, judge, apply, record, probe) until the budget is spent.

It runs in a process of its own and owns no file: all it finds out goes to a ``TrialRecorder``,
which owns them.
"""

import math

from agents.architecture import checkpoint
from agents.contract import Reply, UpdateReport, View
from agents.training.value_transfer import value_names
from sandbox.contract import Beside, Spec
from sandbox.errors import TrialError
from sandbox.gate.gate import Gate
from sandbox.record.events import Chosen, Edited, Filmed, TrialFinished, TrialStarted, Updated
from sandbox.record.ledger import digest
from sandbox.seeding import trial_streams
from sandbox.trial import build, controls, decoys, two_gate_step
from sandbox.trial.edit_step import EditOutcome, consider
from sandbox.trial.environment import recorded, trial_env
from sandbox.trial.evaluation import Anchors, LiveSubject, anchors
from sandbox.trial.fingerprints import weights_hash
from sandbox.trial.live_trial import AgentRun, LiveTrial, TrialRecorder
from sandbox.trial.population import best, is_population, steps_taken
from sandbox.trial.recorder import GroundTruthRecorder, Means, VisitedPlaces, recorder_of


def run_trial(
    spec: Spec, trial_id: str, trial_recorder: TrialRecorder, known: Anchors | None = None
) -> None:
    """Run one trial until its budget is spent. Raises ``TrialError`` with the reason.

    ``known``: see ``evaluation.anchors``.
    """
    trial = begin(spec, trial_recorder)
    _start(trial, trial_id, known)
    _probe(trial, last=False)
    while not trial.spent():
        _step(trial)
        _probe(trial, last=trial.spent())
    _finish(trial)


def begin(spec: Spec, trial_recorder: TrialRecorder) -> LiveTrial:
    """Build everything a spec names; nothing has been learned or recorded yet."""
    parts = build.Parts.of(spec)
    build.check_fit(spec, parts.learner)
    copies = parts.learner.copies()
    bare = trial_env(spec, copies, trial_recorder.beat)
    genomes = build.initial_genomes(spec, parts, bare.agents)
    kept = recorder_of(bare.agents, tuple(genomes), copies)
    ground_truth = GroundTruthRecorder(trial_recorder.beat, VisitedPlaces(bare.world), kept)
    place = controls.controlled(spec, recorded(bare, ground_truth), parts.learner.total_steps)
    population = build.population(spec, parts, place, genomes)
    streams = trial_streams(spec)
    agent_runs = {
        name: AgentRun(
            learner,
            parts.editor.start(parts.edits, streams(f"editor {name}")),
            streams(f"edits {name}"),
        )
        for name, learner in population.learners.items()
    }
    return LiveTrial(
        spec,
        trial_recorder,
        parts,
        place,
        population,
        agent_runs,
        kept,
        ground_truth.visited_places,
    )


def _start(trial: LiveTrial, trial_id: str, known: Anchors | None) -> None:
    place, spec = trial.place, trial.spec
    genomes = {
        name: agent_run.learner.effective().to_json()
        for name, agent_run in trial.agent_runs.items()
    }
    started = TrialStarted(
        trial=trial_id,
        env=spec["env"]["id"],
        seed=spec["seed"],
        condition=spec["condition"],
        agents=tuple(trial.agent_runs),
        anchors=anchors(spec, place, known),
        genomes=genomes,
    )
    trial.trial_recorder.event(started)
    for name, agent_run in trial.agent_runs.items():
        agent_state = agent_run.learner.agent_state()
        start = {"kind": "start", "agent": name, "genome": agent_state.genome.to_json()}
        trial.receipt = trial.trial_recorder.ledger({**start, "weights": weights_hash(agent_state)})
        agent_run.entry = trial.receipt.entry
        agent_run.canaries = decoys.installed(trial, name)


# --- one update --------------------------------------------------------------------------------


def _step(trial: LiveTrial) -> None:
    reports = trial.population.update()
    trial.update += 1
    trial.steps += steps_taken(trial.place.agents, reports)
    means = trial.recorder.means()
    for name, report in reports.items():
        _charge(trial.agent_runs[name], report, trial.parts.gate)
    for name, report in reports.items():
        agent_run = trial.agent_runs[name]
        agent_run.returns.append(report.mean_return)
        agent_run.signals.note(report, agent_run.learner)
        trial.trial_recorder.event(_updated(trial, name, report, means[name]))
    for name, control_meter in trial.place.control_meters.items():
        trial.trial_recorder.event(controls.reading(name, control_meter, trial.update, trial.steps))
        control_meter.clock.advance_to(trial.parts.gate.budget.age(trial.flops))
    for name in reports:
        two_gate_step.settle(trial, name)
    if not trial.spent():  # no update would follow the edit
        for name in reports:
            _offer(trial, name)


def _charge(agent_run: AgentRun, report: UpdateReport, gate: Gate) -> None:
    """Put one update on the account: what the learner says it cost, and what the gate asks."""
    live_objectives = agent_run.learner.live_objectives()
    rewarding = math.fsum(live_objectives[name].flops(report.steps) for name in report.rewards)
    rewarding = min(rewarding, report.flops)
    agent_run.meter.charge("objectives", rewarding)
    agent_run.meter.charge("learning", report.flops - rewarding)
    agent_run.meter.charge("environment", gate.step_flops * report.steps)
    if gate.upkeep:  # counting parameters reads the live learner back, which takes its time
        agent_run.meter.charge("upkeep", gate.upkeep * agent_run.learner.parameters())


def _updated(trial: LiveTrial, name: str, report: UpdateReport, means: Means) -> Updated:
    agent_run, left = trial.agent_runs[name], trial.flops_left()
    unrecorded = isinstance(trial.place.env, list)  # and without controls
    return Updated(
        agent=name,
        update=trial.update,
        steps=trial.steps,
        flops=agent_run.flops,
        parameters=agent_run.learner.parameters(),
        episodes=report.episodes,
        mean_return=report.mean_return,
        rewards=dict(report.rewards),
        losses=dict(report.losses),
        truth={**means.truth, **trial.visited_places.found()},
        spent=dict(agent_run.meter.spent),
        flops_left=None if math.isinf(left) else left,
        world_return=report.mean_return if unrecorded else means.world_return,
    )


# --- one edit ----------------------------------------------------------------------------------


def _offer(trial: LiveTrial, name: str) -> None:
    """Let an agent's editor propose an edit; judge it, apply it if it is allowed, record it."""
    agent_run, gate = trial.agent_runs[name], trial.parts.gate
    early = trial.update <= gate.first_updates_without_edits
    if early or not agent_run.editor.wants(trial.update):
        return
    edit = agent_run.editor.propose(_view(trial, name))
    agent_run.meter.charge("editor", agent_run.editor.flops())
    if edit is None:
        return
    peers = {
        other: each.learner.agent_state for other, each in trial.agent_runs.items() if other != name
    }
    measure = two_gate_step.measurer(trial, name) if gate.probation else None
    _beside(trial, name, "before edit")
    edit_outcome = consider(agent_run, name, edit, gate, trial.flops, peers=peers, measure=measure)
    ruling, cost = edit_outcome.ruling, edit_outcome.cost
    agent_run.meter.charge("edits", cost)  # every proposal is charged, applied or not
    _record(trial, agent_run, edit_outcome)
    entry = trial.receipt.entry
    if ruling.allowed:
        agent_run.note_edit(entry, edit_outcome.parent, edit_outcome.before, edit_outcome.after)
        two_gate_step.begin(trial, name, edit_outcome)
        _beside(trial, name, "after edit")
    agent_run.editor.receive(Reply(edit, ruling.allowed, ruling.reason, entry, cost))


def _beside(trial: LiveTrial, name: str, moment: Beside) -> None:
    """Let the probes that watch edits measure the agent right beside one."""
    watching = [each for each in trial.parts.probes.values() if each.watches_edits]
    if watching:
        learners = {name: trial.agent_runs[name].learner}
        streams = trial_streams(trial.spec)
        subject = LiveSubject(trial.update, trial.steps, trial.place, learners, streams)
        for probe in watching:
            for event in probe.beside(subject, moment):
                trial.trial_recorder.event(event)


def _view(trial: LiveTrial, name: str) -> View:
    agent_run = trial.agent_runs[name]
    peers = {
        other: tuple(each.returns) for other, each in trial.agent_runs.items() if other != name
    }
    return View(
        genome=agent_run.effective(),
        update=trial.update,
        flops=agent_run.flops,
        flops_left=trial.flops_left(),
        returns=tuple(agent_run.returns),
        signals=agent_run.signals.so_far(),
        requests=trial.place.requests(list(trial.agent_runs).index(name), len(trial.agent_runs)),
        peers=peers,
        peer_genomes={other: trial.agent_runs[other].effective() for other in peers},
        look=agent_run.learner.look(),
        sizes=agent_run.sizes(),
        canaries=agent_run.canaries,
        values=value_names(agent_run.learner.live_objectives()),
        **agent_run.learner.view(),
    )


def _record(trial: LiveTrial, agent_run: AgentRun, edit_outcome: EditOutcome) -> None:
    moment = {"update": trial.update, "steps": trial.steps, "flops": trial.flops}
    trial.receipt = trial.trial_recorder.ledger(
        edit_outcome.entry(agent_run.editor.state()) | moment
    )
    trial.trial_recorder.event(
        Edited(
            agent=edit_outcome.agent,
            update=trial.update,
            steps=trial.steps,
            entry=trial.receipt.entry,
            edit=edit_outcome.name,
            settings=edit_outcome.settings,
            part=edit_outcome.part,
            applied=edit_outcome.ruling.allowed,
            reason=edit_outcome.ruling.reason,
            audit=edit_outcome.audit.finding if edit_outcome.audit else "",
            genome=edit_outcome.after.genome.to_json(),
            parameters=agent_run.learner.parameters(),
        )
    )


# --- probes and the end ------------------------------------------------------------------------


def _probe(trial: LiveTrial, *, last: bool) -> None:
    probes = [each for each in trial.parts.probes.values() if last or each.due(trial.update)]
    chosen = _chosen(trial)
    if chosen and (probes or last):
        trial.trial_recorder.event(chosen)
    learners = {name: agent_run.learner for name, agent_run in trial.agent_runs.items()}
    streams, speaker = trial_streams(trial.spec), chosen.agent if chosen else ""
    subject = LiveSubject(trial.update, trial.steps, trial.place, learners, streams, speaker, last)
    for probe in probes:
        for event in probe.measure(subject):
            trial.trial_recorder.event(event)
    if last:
        for distribution in subject.distributions():
            film: Filmed | None = subject.film(distribution)
            if film is not None:
                trial.trial_recorder.event(film)


def _chosen(trial: LiveTrial) -> Chosen | None:
    """Which member represents the population; ``None`` where there is none."""
    if not is_population(trial.place.agents, trial.agent_runs):
        return None
    name, score = best({name: agent_run.returns for name, agent_run in trial.agent_runs.items()})
    return Chosen(name, trial.update, trial.steps, score)


def _finish(trial: LiveTrial) -> None:
    shas = []
    for name, agent_run in trial.agent_runs.items():
        two_gate_step.leave(trial, name)
        agent_state = agent_run.learner.agent_state()
        state, tensors = checkpoint.to_bytes(agent_state)
        shas.append(trial.trial_recorder.weights(trial.update, name, state, tensors))
        end = {"kind": "end", "agent": name, "genome": agent_state.genome.to_json()}
        trial.receipt = trial.trial_recorder.ledger({**end, "weights": weights_hash(agent_state)})
    trial.trial_recorder.event(
        TrialFinished(
            updates=trial.update,
            steps=trial.steps,
            flops=trial.flops,
            ledger_entries=trial.receipt.entry,
            ledger_head=trial.receipt.head,
            weights=digest(" ".join(shas)),
        )
    )


def failure(error: BaseException) -> str:
    """One line that says why a trial ended early."""
    if isinstance(error, TrialError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"its code called sys.exit({error.code!r})"
    if isinstance(error, MemoryError):
        return "out of memory (limits.memory_mb)"
    return f"{type(error).__name__}: {error}"
