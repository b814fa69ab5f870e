"""The runner outlives whatever happens to the other end of a trial's line."""

import contextlib
import json
import multiprocessing

import pytest

from sandbox.catalogue import catalogue
from sandbox.execution import executor as local
from sandbox.record.events import TrialStarted
from sandbox.record.ledger import Receipt, canonical


class Folder:
    """Keeps nothing."""

    def event(self, line):
        raise AssertionError(line)

    def ledger(self, body):
        return Receipt(1, "head")

    def weights(self, update, agent, state, tensors):
        raise AssertionError(tensors)


def line():
    """A trial under way, as the runner holds it, and the trial's end of the line."""
    ours, theirs = multiprocessing.Pipe()
    job = local.Job("x", {"condition": {}, "env": {"id": "e"}, "seed": 0}, 10)
    stack = contextlib.ExitStack()
    return local._Running(job, None, ours, Folder(), None, stack, "", 0.0, 0.0), theirs


def send(pipe, kind, data):
    pipe.send_bytes(json.dumps([kind, data]).encode())


@pytest.fixture
def executor():
    return local.LocalExecutor(None, 1, local.Limits(), (), None)


def test_a_death_between_the_two_frames_of_a_message_is_a_death(executor):
    running, theirs = line()
    send(theirs, "weights", {"update": 1, "agent": "agent", "state": {}})
    theirs.close()

    executor._listen([running])

    assert running.end == {}


def test_a_death_before_the_answer_is_a_death(executor):
    """A broken pipe once ended the whole run, with exit code 0."""
    running, theirs = line()
    send(theirs, "ledger", {"kind": "start"})
    theirs.close()

    executor._listen([running])

    assert running.end == {}


@pytest.mark.parametrize("frame", [b"no json", b"[1]", b'["event", {"line": "{}"}]', b"\xff"])
def test_what_no_trial_sends_fails_that_trial(executor, frame):
    running, theirs = line()
    theirs.send_bytes(frame)

    executor._listen([running])

    assert "what no trial sends" in running.end["reason"]
    theirs.close()


def test_a_talkative_trial_waits_for_its_turn_like_the_others(executor):
    loud, their_end = line()
    quiet, _keep = line()
    for _ in range(local.MESSAGES_A_TURN + 10):
        send(their_end, "beat", {})

    executor._listen([loud, quiet])

    assert loud.pipe.poll()


def test_every_way_to_die_has_a_name():
    assert "SIGKILL" in local._death(-9)
    assert "signal 40" in local._death(-40)
    assert "exit code 3" in local._death(3)
    assert "closed its line" in local._death(None)


ANCHORS = {"in_distribution": {"random": {"reward": 0.1}}}


def started():
    return TrialStarted("x", "e", 0, {}, ("agent",), ANCHORS, {})


def test_anchors_that_one_trial_found_are_for_all_later_ones_in_the_same_env(executor, monkeypatch):
    monkeypatch.setattr(catalogue(), "asked", set())  # other tests of this process load plug-ins
    running, _keep = line()

    executor._learn(running, started())

    assert executor._anchors == {canonical({"id": "e"}): json.dumps(ANCHORS)}


@pytest.mark.parametrize("named", [True, False])
def test_with_a_plug_in_no_trial_sets_the_anchors_of_another(executor, monkeypatch, named):
    running, _keep = line()
    if named:
        executor.plugins = ("a_plug_in",)
    else:
        monkeypatch.setattr(catalogue(), "asked", {"an installed one"})

    executor._learn(running, started())

    assert executor._anchors == {}
