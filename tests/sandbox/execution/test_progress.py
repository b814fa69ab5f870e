"""Progress: what is left follows from what was done; lines are rare, and need not be read."""

import io

import pytest

from sandbox.execution.progress import LiveDisplay, PlainDisplay, Tick, progress, remaining


def tick(**changes):
    values = {"total": 8, "done": 2, "failed": 1, "running": 2, "steps": 300}
    return Tick(**{**values, "planned_steps": 1200, "seconds": 10.0, **changes})


def test_what_is_left_follows_from_the_rate():
    assert tick().rate == 30.0
    assert tick().left == 30.0
    assert tick(steps=1300).left == 0.0
    assert tick(steps=0).left is None
    assert tick(seconds=0.0).left is None
    assert str(tick()) == "2/8 done, 2 running, 1 failed | 30 steps/s | 0:30 left"


def test_where_flops_end_trials_the_share_shows_what_is_left():
    assert tick(share=0.5).left == 10.0
    assert tick(share=1.0).left == 0.0
    assert tick(share=0.0).left is None
    assert tick().over == 0.25


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-:-- left"), (0, "0:00 left"), (59.6, "1:00 left"), (3723, "1:02:03 left")],
)
def test_remaining_reads_as_a_clock(seconds, text):
    assert remaining(seconds) == text


def test_plain_lines_come_every_five_seconds_and_at_the_end():
    now, stream = [0.0], io.StringIO()
    display = PlainDisplay(stream, clock=lambda: now[0])
    for second in range(0, 12, 1):
        now[0] = float(second)
        display.tick(tick(steps=second))
    assert len(stream.getvalue().splitlines()) == 3
    for _ in range(4):
        display.tick(tick(done=7, running=0))
    assert len(stream.getvalue().splitlines()) == 4
    assert stream.getvalue().splitlines()[-1].startswith("7/8 done, 0 running, 1 failed")


def test_a_failure_is_announced_at_once():
    stream = io.StringIO()
    with progress(stream) as display:
        display.announce("trial abc failed: boom")
    assert stream.getvalue() == "trial abc failed: boom\n"


def test_no_listener_is_no_reason_to_stop():
    stream = io.StringIO()
    stream.close()
    with pytest.raises(ValueError, match="closed file"):
        stream.write("so a plain print would fail here")
    PlainDisplay(stream).tick(tick())


def test_on_a_terminal_there_is_one_bar_and_failures_stay_above_it():
    from rich.console import Console

    stream = io.StringIO()
    display = LiveDisplay(Console(file=stream, force_terminal=True, width=120, color_system=None))
    with display.bar:
        display.tick(tick())
        display.announce("trial [abc] failed: boom")
        display.bar.refresh()
        shown = stream.getvalue()
    assert "25%" in shown
    assert "2/8 done, 2 running, 1 failed" in shown
    assert "trial [abc] failed: boom" in shown


def test_a_pipe_and_ci_get_plain_lines(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for name, value, kind in [("CI", "", LiveDisplay), ("CI", "1", PlainDisplay)]:
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("TERM", "xterm")
        with progress(Terminal()) as display:
            assert type(display) is kind
    with progress(io.StringIO()) as display:
        assert type(display) is PlainDisplay
