"""One trial: build, then (train, propose, judge, apply, record, probe) until the budget is spent.

It runs in a process of its own and owns no file: all it finds out goes to a ``Clerk``, who does.
"""

import math
from collections.abc import Mapping

from agents.architecture import checkpoint
from agents.contract import Reply, UpdateReport, View
from agents.training.value_transfer import heirlooms
from sandbox.contract import Beside, Spec
from sandbox.errors import TrialError
from sandbox.gate.gate import Gate, price
from sandbox.record.events import Chosen, Edited, Filmed, TrialFinished, TrialStarted, Updated
from sandbox.record.ledger import digest
from sandbox.seeding import trial_streams
from sandbox.trial import build, controls, decoys, two_gate_step
from sandbox.trial.agent_run import Life
from sandbox.trial.edit_step import Deed, consider
from sandbox.trial.environment import habitat, recorded
from sandbox.trial.evaluation import LiveSubject, anchors
from sandbox.trial.fingerprints import weights_hash
from sandbox.trial.population import best, is_population, steps_taken
from sandbox.trial.recorder import Footprints, Witness, recorder_of
from sandbox.trial.state import Clerk, Trial


def run_trial(spec: Spec, trial_id: str, clerk: Clerk) -> None:
    """Run one trial until its budget is spent. Raises ``TrialError`` with the reason."""
    trial = begin(spec, clerk)
    _start(trial, trial_id)
    _probe(trial, last=False)
    while not trial.spent():
        _step(trial)
        _probe(trial, last=trial.spent())
    _finish(trial)


def begin(spec: Spec, clerk: Clerk) -> Trial:
    """Build everything a spec names; nothing has been learned or recorded yet."""
    parts = build.Parts.of(spec)
    build.check_fit(spec, parts.learner)
    copies = parts.learner.copies()
    bare = habitat(spec, copies, clerk.beat)
    genomes = build.born(spec, parts, bare.agents)
    kept = recorder_of(bare.agents, tuple(genomes), copies)
    witness = Witness(clerk.beat, Footprints(bare.world), kept)
    place = controls.controlled(spec, recorded(bare, witness), parts.learner.total_steps)
    population = build.population(spec, parts, place, genomes)
    streams = trial_streams(spec)
    lives = {
        name: Life(
            learner,
            parts.editor.start(parts.edits, streams(f"editor {name}")),
            streams(f"edits {name}"),
        )
        for name, learner in population.learners.items()
    }
    return Trial(spec, clerk, parts, place, population, lives, kept, witness.footprints)


def _start(trial: Trial, trial_id: str) -> None:
    place, spec = trial.place, trial.spec
    genomes = {name: life.learner.effective().to_json() for name, life in trial.lives.items()}
    started = TrialStarted(
        trial=trial_id,
        env=spec["env"]["id"],
        seed=spec["seed"],
        condition=spec["condition"],
        agents=tuple(trial.lives),
        anchors=anchors(spec, place),
        genomes=genomes,
    )
    trial.clerk.event(started)
    for name, life in trial.lives.items():
        mind = life.learner.mind()
        birth = {"kind": "birth", "agent": name, "genome": mind.genome.to_json()}
        trial.receipt = trial.clerk.ledger({**birth, "weights": weights_hash(mind)})
        life.entry = trial.receipt.entry
        life.canaries = decoys.installed(trial, name)


# --- one update --------------------------------------------------------------------------------


def _step(trial: Trial) -> None:
    reports = trial.population.update()
    trial.update += 1
    trial.steps += steps_taken(trial.place.agents, reports)
    truth = trial.recorder.means()
    for name, report in reports.items():
        _charge(trial.lives[name], report, trial.parts.gate)
    for name, report in reports.items():
        life = trial.lives[name]
        life.returns.append(report.mean_return)
        life.signals.note(report, life.learner)
        trial.clerk.event(_updated(trial, name, report, truth[name]))
    for name, gauge in trial.place.gauges.items():
        trial.clerk.event(controls.reading(name, gauge, trial.update, trial.steps))
        gauge.clock.hasten(trial.parts.gate.budget.age(trial.flops))
    for name in reports:
        two_gate_step.settle(trial, name)
    if not trial.spent():  # an edit that nothing learns from would only change the last word
        for name in reports:
            _offer(trial, name)


def _charge(life: Life, report: UpdateReport, gate: Gate) -> None:
    """Put one update on the account: what the learner says it cost, and what the gate asks."""
    motives = life.learner.motives()
    rewarding = math.fsum(motives[name].flops(report.steps) for name in report.intrinsic)
    rewarding = min(rewarding, report.flops)
    life.meter.charge("objectives", rewarding)
    life.meter.charge("learning", report.flops - rewarding)
    life.meter.charge("environment", gate.step_flops * report.steps)
    if gate.upkeep:  # counting parameters reads the live learner back, which takes its time
        life.meter.charge("upkeep", gate.upkeep * life.learner.parameters())


def _updated(trial: Trial, name: str, report: UpdateReport, truth: Mapping[str, float]) -> Updated:
    life, left = trial.lives[name], trial.flops_left()
    return Updated(
        agent=name,
        update=trial.update,
        steps=trial.steps,
        flops=life.flops,
        parameters=life.learner.parameters(),
        episodes=report.episodes,
        mean_return=report.mean_return,
        intrinsic=dict(report.intrinsic),
        losses=dict(report.losses),
        truth={**truth, **trial.footprints.found()},
        spent=dict(life.meter.spent),
        flops_left=None if math.isinf(left) else left,
    )


# --- one edit ----------------------------------------------------------------------------------


def _offer(trial: Trial, name: str) -> None:
    life = trial.lives[name]
    early = trial.update <= trial.parts.gate.first_updates_without_edits
    if early or not life.editor.wants(trial.update):
        return
    edit = life.editor.propose(_view(trial, name))
    life.meter.charge("editor", life.editor.flops())
    if edit is None:
        return
    peers = {other: each.learner.mind for other, each in trial.lives.items() if other != name}
    measure = two_gate_step.measurer(trial, name) if trial.parts.gate.probation else None
    gate = trial.parts.gate
    _beside(trial, name, "before edit")
    deed = consider(life, name, edit, gate, trial.flops, peers=peers, measure=measure)
    cost = price(edit, deed.before.genome)
    life.meter.charge("edits", cost)  # what an editor tries is paid for, done or not
    _record(trial, life, deed)
    if deed.ruling.allowed:
        life.done(trial.receipt.entry, deed.parent, deed.before, deed.after)
        two_gate_step.begin(trial, name, deed)
        _beside(trial, name, "after edit")
    reply = Reply(edit, deed.ruling.allowed, deed.ruling.reason, trial.receipt.entry, cost)
    life.editor.hear(reply)


def _beside(trial: Trial, name: str, moment: Beside) -> None:
    """Let the probes that watch edits measure the agent right beside one."""
    watching = [each for each in trial.parts.probes.values() if each.watches_edits]
    if watching:
        learners = {name: trial.lives[name].learner}
        streams = trial_streams(trial.spec)
        subject = LiveSubject(trial.update, trial.steps, trial.place, learners, streams)
        for probe in watching:
            for event in probe.beside(subject, moment):
                trial.clerk.event(event)


def _view(trial: Trial, name: str) -> View:
    life = trial.lives[name]
    peers = {other: tuple(each.returns) for other, each in trial.lives.items() if other != name}
    return View(
        genome=life.effective(),
        update=trial.update,
        flops=life.flops,
        flops_left=trial.flops_left(),
        returns=tuple(life.returns),
        signals=life.signals.so_far(),
        requests=trial.place.requests(list(trial.lives).index(name), len(trial.lives)),
        peers=peers,
        peer_genomes={other: trial.lives[other].effective() for other in peers},
        look=life.learner.look(),
        sizes=life.sizes(),
        canaries=life.canaries,
        values=heirlooms(life.learner.motives()),
        **life.learner.view(),
    )


def _record(trial: Trial, life: Life, deed: Deed) -> None:
    moment = {"update": trial.update, "steps": trial.steps, "flops": trial.flops}
    trial.receipt = trial.clerk.ledger(deed.entry(life.editor.state()) | moment)
    trial.clerk.event(
        Edited(
            agent=deed.agent,
            update=trial.update,
            steps=trial.steps,
            entry=trial.receipt.entry,
            edit=deed.name,
            settings=deed.settings,
            part=deed.part,
            applied=deed.ruling.allowed,
            reason=deed.ruling.reason,
            audit=deed.audit.finding if deed.audit else "",
            genome=deed.after.genome.to_json(),
            parameters=life.learner.parameters(),
        )
    )


# --- probes and the end ------------------------------------------------------------------------


def _probe(trial: Trial, *, last: bool) -> None:
    probes = [each for each in trial.parts.probes.values() if last or each.due(trial.update)]
    chosen = _chosen(trial)
    if chosen and (probes or last):
        trial.clerk.event(chosen)
    learners = {name: life.learner for name, life in trial.lives.items()}
    streams, speaker = trial_streams(trial.spec), chosen.agent if chosen else ""
    subject = LiveSubject(trial.update, trial.steps, trial.place, learners, streams, speaker)
    for probe in probes:
        for event in probe.measure(subject):
            trial.clerk.event(event)
    if last:
        for distribution in subject.distributions():
            film: Filmed | None = subject.film(distribution)
            if film is not None:
                trial.clerk.event(film)


def _chosen(trial: Trial) -> Chosen | None:
    """Which member speaks for the population; ``None`` where there is none."""
    if not is_population(trial.place.agents, trial.lives):
        return None
    name, score = best({name: life.returns for name, life in trial.lives.items()})
    return Chosen(name, trial.update, trial.steps, score)


def _finish(trial: Trial) -> None:
    shas = []
    for name, life in trial.lives.items():
        two_gate_step.leave(trial, name)
        mind = life.learner.mind()
        state, tensors = checkpoint.to_bytes(mind)
        shas.append(trial.clerk.weights(trial.update, name, state, tensors))
        end = {"kind": "end", "agent": name, "genome": mind.genome.to_json()}
        trial.receipt = trial.clerk.ledger({**end, "weights": weights_hash(mind)})
    trial.clerk.event(
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
