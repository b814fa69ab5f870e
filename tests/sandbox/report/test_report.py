"""The report: what it says, that it escapes, and that a browser opens it in silence."""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sandbox.record.events import from_line, to_line
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import read_run
from sandbox.report import build, figures
from sandbox.report.data import MOST_AGENT_RUNS, gather
from sandbox.report.edit_history import agent_runs
from sandbox.report.html import number

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
FIGURES = 6
COUNT = "[document.querySelectorAll('.main-svg').length, document.body.innerText]"


class Browser:
    """Chromium over the DevTools protocol: JSON messages, NUL between them, on two pipes."""

    def __init__(self, profile):
        out, self._write = os.pipe()
        self._read, into = os.pipe()
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{out} 4>&{into}', "bash", *command],
            pass_fds=(out, into),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(out)
        os.close(into)
        self._buffer, self._ids, self.received = b"", itertools.count(1), []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.ask(f"{domain}.enable")

    _session = {}  # noqa: RUF012

    def ask(self, method, **params):
        """Send one command and return its result; events that come meanwhile are kept."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params, **self._session}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._next()
            if reply.get("id") == number:
                assert "error" not in reply, reply
                return reply["result"]
            self.received.append(reply)

    def _next(self):
        while b"\0" not in self._buffer:
            piece = os.read(self._read, 1 << 16)
            assert piece, "the browser has gone"
            self._buffer += piece
        reply, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(reply)

    def open(self, path):
        """Return (number of drawings, visible text, complaints, requests) of a page."""
        self.received.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(each["method"] == "Page.loadEventFired" for each in self.received):
            self.received.append(self._next())
        settled = f"new Promise(done => setTimeout(() => done({COUNT}), 400))"
        found = self.ask(
            "Runtime.evaluate", expression=settled, awaitPromise=True, returnByValue=True
        )
        drawings, words = found["result"]["value"]
        return drawings, words, list(self._complaints()), self._requests() - {path.as_uri()}

    def _complaints(self):
        for each in self.received:
            if each["method"] == "Runtime.exceptionThrown":
                yield each["params"]["exceptionDetails"]["exception"]["description"]
            elif each["method"] == "Runtime.consoleAPICalled":
                yield str(each["params"]["args"])
            elif each["method"] == "Log.entryAdded":
                yield each["params"]["entry"]["text"]

    def _requests(self):
        asked = (each for each in self.received if each["method"] == "Network.requestWillBeSent")
        urls = {each["params"]["request"]["url"] for each in asked}
        return {url for url in urls if not url.startswith("data:")}

    def close(self):
        """End the browser."""
        with contextlib.suppress(AssertionError, OSError):
            self._session = {}
            self.ask("Browser.close")
        for handle in (self._read, self._write):
            os.close(handle)
        self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


class Words(HTMLParser):
    """Visible text and the names of all elements."""

    def __init__(self):
        super().__init__()
        self.text, self.elements, self.hidden = [], [], False

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.hidden = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.hidden = self.hidden and tag not in {"script", "style"}

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


def read(path):
    words = Words()
    words.feed(path.read_text())
    return re.sub(r"\s+", " ", " ".join(words.text)), words.elements


def test_a_browser_draws_every_figure_in_silence(scenario, write_run, browser):
    drawings, words, complaints, requests = browser.open(build(write_run(scenario)))

    assert complaints == []
    assert requests == set()
    assert drawings >= FIGURES
    assert "Capability and safety" in words


LEGENDS = """[...document.querySelectorAll('.figure')].map(figure => {
  const box = each => each && each.getBoundingClientRect();
  const legend = box(figure.querySelector('.legend'));
  const others = [...figure.querySelectorAll('.xtitle, .ytitle, .annotation, .nsewdrag')].map(box);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 1
    && b.top < a.bottom - 1;
  return [figure.querySelectorAll('.legend .traces').length,
    box(figure.querySelector('.nsewdrag')).height,
    legend ? others.filter(each => each.width && meet(legend, each)).length : 0];
})"""


def test_a_legend_of_many_arms_covers_nothing(scenario, write_run, browser):
    doses = [n / 24 for n in range(24)]
    folder = write_run({**scenario, "levers": {"data_coverage": doses}, "seeds": [0]})
    browser.open(build(folder))
    found = browser.ask("Runtime.evaluate", expression=LEGENDS, returnByValue=True)
    assert "value" in found["result"], found
    reported = found["result"]["value"]

    assert max(rows for rows, *_ in reported) >= 24, reported
    assert not any(covered for *_, covered in reported), reported
    assert min(height for _, height, _ in reported) > 150  # the page makes space for the rows


def test_the_browser_test_would_notice_an_error_and_a_request(tmp_path, browser):
    page = tmp_path / "bad.html"
    page.write_text(
        '<meta charset="utf-8"><img src="http://127.0.0.1:9/x.png"><script>nothing()</script>'
    )

    _, _, complaints, requests = browser.open(page)

    assert any("nothing is not defined" in each for each in complaints)
    assert "http://127.0.0.1:9/x.png" in requests


def test_a_run_without_any_result_still_opens(scenario, write_run, browser):
    folder = write_run({**scenario, "seeds": [0]})
    for path in folder.glob("trials/*/status.json"):
        path.unlink()
    for path in folder.glob("trials/*/events.jsonl"):
        path.write_text("")

    drawings, words, complaints, _ = browser.open(build(folder))

    assert complaints == []
    assert drawings == 0
    assert "No update has been recorded yet." in words
    assert "3 unfinished" in words


def test_it_says_what_was_asked_and_found(scenario, write_run):
    broken = {("data_coverage=0.5,freeze_editor=0", 2): "TrialError: reward is NaN"}
    words, _ = read(build(write_run({**scenario, "seeds": [*range(10)]}, broken=broken)))

    assert words.index("supported") < words.index("Capability and safety")
    assert "Claim: data_coverage 0 → 0.5 makes goal_misgeneralisation lower" in words
    assert "n = 9 paired seeds" in words
    assert "29 of 30 trials done" in words
    assert "1 failed" in words
    assert "TrialError: reward is NaN" in words
    assert "Limitations" in words
    assert "All 78 proposals" in words
    assert "rejected: over budget <i>" in words


def test_what_was_not_measured_is_not_zero(scenario, write_run):
    metrics = ["capability", "hidden_return"]
    folder = write_run({**scenario, "metrics": metrics, "claims": []})
    for path in folder.glob("trials/*/events.jsonl"):
        path.write_text(path.read_text().replace('"hidden_reward":', '"other":'))
    words, _ = read(build(folder))

    assert "Not measured in any pair of trials: hidden_return." in words
    assert "makes no claim" in words


def test_no_text_from_outside_becomes_markup(scenario, write_run):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
    broken = {("data_coverage=0.5,freeze_editor=0", 2): evil}
    folder = write_run({**scenario, "question": evil, "name": evil}, broken=broken)
    RunFolder(folder).begin({"argv": [evil], evil: evil})
    for path in folder.glob("trials/*/events.jsonl"):
        path.write_text(path.read_text().replace('"widen"', json.dumps(evil)))

    words, elements = read(build(folder))
    pictures = [attrs for tag, attrs in elements if tag == "img"]

    assert evil in words
    assert all(each["src"].startswith("data:image/gif") for each in pictures)
    assert sum(tag == "script" for tag, _ in elements) == FIGURES + 2
    assert not any("onerror" in attrs for _, attrs in elements)


def test_it_is_one_file_without_an_address_to_load(scenario, write_run):
    path = build(write_run(scenario))
    _, elements = read(path)
    addresses = [
        attrs[key] for _, attrs in elements for key in ("src", "href") if attrs.get(key) is not None
    ]

    assert addresses
    assert all(each.startswith("data:") for each in addresses)
    assert path.name == "report.html"
    assert path.stat().st_size < 8_000_000


def test_the_same_run_gives_the_same_report(scenario, write_run):
    folder = write_run(scenario)

    assert build(folder).read_bytes() == build(folder).read_bytes()


def test_a_smoke_run_says_so_before_anything_else(scenario, write_run):
    whole, _ = read(build(write_run(scenario)))
    words, _ = read(build(write_run({**scenario, "smoke": True}, name="smoke")))

    assert "Smoke run" not in whole
    assert words.index("Smoke run: a fraction of the steps") < words.index("Verdict")
    assert "invalid Claim:" in words
    assert "would be the same with" not in words


def test_the_verdict_states_the_change_of_the_metric_and_which_interval_it_used(
    scenario, write_run
):
    words, _ = read(build(write_run(scenario)))

    assert re.search(r"changed by -0\.\d+ \[-0\.\d+, -0\.\d+\] \(90 % interval\)", words)
    assert "Intervals in this table are 95 %" in words


def test_tails_of_harm_stand_below_the_verdicts_with_the_worst_seed_and_wilsons_interval(
    scenario, write_run
):
    certain = {"wrong_goal": lambda condition, _: float(condition["freeze_editor"])}
    words, _ = read(build(write_run(scenario, **certain)))
    start, end = words.index("Tails of harm"), words.index("Registration")
    tails = words[start:end]

    assert words.index("Claim:") < start
    assert "data_coverage=0,freeze_editor=0 6 0 0 0 0.5 0 of 6 0 % to 39 %" in tails
    assert "data_coverage=0,freeze_editor=1 6 1 1 1 0.5 6 of 6 61 % to 100 %" in tails
    assert "6 seeds cannot exclude a catastrophe rarer than 39.3 %" in tails
    assert "at least 50 % of its range" in tails


def test_what_failed_comes_right_below_the_verdict(scenario, write_run):
    broken = {("data_coverage=0.5,freeze_editor=0", 2): "TrialError: reward is NaN"}
    words, _ = read(build(write_run(scenario, broken=broken)))
    clean, _ = read(build(write_run(scenario, name="clean")))

    places = [
        words.index(each) for each in ("Verdict", "Failed and unfinished", "Capability and safety")
    ]
    assert places == sorted(places)
    assert words.count("reward is NaN") >= 1
    assert "Failed" not in clean  # the head says how many are done


def test_one_seed_is_singular_and_has_no_spread(scenario, write_run):
    words, _ = read(build(write_run({**scenario, "seeds": [0]})))

    assert "n = 1 paired seed." in words
    assert "n = 1 cannot show any spread" in words
    assert "1 seed was run" in words
    assert "1 seeds" not in words
    assert "1 paired seeds" not in words


def test_metrics_that_no_trial_measured_have_no_row(scenario, write_run):
    folder = write_run(scenario)
    for path in folder.glob("trials/*/events.jsonl"):
        path.write_text(re.sub(r'"harm":(?!null)', '"other":', path.read_text()))
    words, _ = read(build(folder))

    assert "harm not measured" not in words
    assert "Not measured in any pair of trials: harm." in words


def test_edits_that_were_allowed_and_never_proposed_have_a_row_of_zeros(scenario, write_run):
    agent = {**scenario["agent"], "editor": {"bandit": {"edits": ["widen", "prune", "identity"]}}}
    words, _ = read(build(write_run({**scenario, "agent": agent})))

    first = "data_coverage=0,freeze_editor=0"
    assert f"{first} prune 0 0 0 0 0 0" in words
    assert f"{first} identity" not in words
    assert re.search(rf"{first} widen 2\d 12 ", words)


def test_how_many_films_were_left_out_is_stated(scenario, write_run, monkeypatch):
    folder = write_run(scenario)
    assert "of 3 films" not in read(build(folder))[0]
    monkeypatch.setattr("sandbox.report.data.MOST_FILMS", 2)

    words, elements = read(build(folder))

    assert "2 of 3 films, taken from every env and condition in turn" in words
    assert sum(tag == "img" for tag, _ in elements) == 2


def test_several_agents_have_a_dashed_curve_each(scenario, write_run):
    folder = write_run({**scenario, "seeds": [0]})
    for path in folder.glob("trials/*/events.jsonl"):
        text = [from_line(line) for line in path.read_text().splitlines(keepends=True)]
        more = [replace(each, agent="other") for each in text if each.kind == "updated"]
        path.write_text("".join(to_line(each) + "\n" for each in [*text[:-1], *more, text[-1]]))
    report = gather(read_run(folder))
    words, _ = read(build(folder))
    thin = [
        each["line"]
        for each in figures.learning(report, "sandbox/CoinGrid-v0")["data"]
        if "line" in each
    ]

    assert figures.dashes(report) == {"agent": "dot", "other": "dash"}
    assert sorted(each["dash"] for each in thin if each["width"] == 1) == ["dash"] * 3 + ["dot"] * 3
    assert "agent: dot, other: dash" in words


def test_no_words_lie_among_the_points_and_every_table_scrolls(scenario, write_run):
    folder = write_run(scenario)
    (label,) = figures.plane(gather(read_run(folder)))["layout"]["annotations"]
    _, elements = read(build(folder))

    assert (label["yref"], label["y"], label["yanchor"]) == ("paper", 1, "bottom")
    around = [outer for outer, (tag, _) in itertools.pairwise(elements) if tag == "table"]
    assert around
    assert all(attrs.get("class") == "scroll" for _, attrs in around)


def retold(folder, change):
    """Write every trial's events again as ``change`` makes them."""
    for path in folder.glob("trials/*/events.jsonl"):
        text = [from_line(line) for line in path.read_text().splitlines(keepends=True)]
        path.write_text("".join(to_line(each) + "\n" for each in change(text)))


def test_the_films_of_an_env_show_its_legend_once(scenario, write_run):
    folder = write_run(scenario)
    known = {"legend": {"A": "agent", "C": "coin, <b>gives 1</b>"}, "captions": ("all quiet",)}
    retold(
        folder,
        lambda reported: [replace(e, **known) if e.kind == "filmed" else e for e in reported],
    )
    words, elements = read(build(folder))

    legends = [attrs for _, attrs in elements if attrs.get("class") == "legend"]
    assert len(legends) == words.count("coin, <b>gives 1</b>") == 1
    assert "A agent" in words  # the letter too: some drawings carry it
    assert sum(tag == "img" for tag, _ in elements) == 3 + 2  # the films, and two things on them


def test_a_film_states_how_it_was_chosen_and_what_was_usual(scenario, write_run):
    folder = write_run(scenario)
    old, _ = read(build(folder))
    chosen = {"harm": 1.0, "among": 16, "harmful": 13}
    retold(
        folder,
        lambda reported: [replace(e, **chosen) if e.kind == "filmed" else e for e in reported],
    )
    words, _ = read(build(folder))

    assert "the first level drawn, which need not be typical" in old
    assert "the median of 16 held-out episodes, ordered by harm" in words
    assert "return 1 in 2 steps, harm 1 any harm in 13 of 16 episodes" in words


def test_films_are_taken_from_every_env_and_condition_in_turn(scenario, write_run, monkeypatch):
    monkeypatch.setattr("sandbox.report.data.MOST_FILMS", 6)
    folder = write_run({**scenario, "envs": TWO})

    def films(reported):
        shots = [each for each in reported if each.kind == "filmed"]
        more = [replace(each, distribution=name) for each in shots for name in ("a", "b", "c")]
        return [*reported[:-1], *more, reported[-1]]

    retold(folder, films)
    shown = gather(read_run(folder)).films

    assert len({(film.env, film.condition) for film in shown}) == 6  # 2 envs x 3 conditions
    assert [film.shot.distribution for film in shown] == ["shifted"] * 6


TWO = [{"id": "sandbox/CoinGrid-v0", "kwargs": {"size": size}} for size in (5, 7)]


def test_returns_of_different_worlds_are_never_averaged(scenario, write_run):
    metrics = ["capability", "goal_misgeneralisation", "mean_return"]
    folder = write_run({**scenario, "envs": TWO, "seeds": [0, 1], "metrics": metrics})
    report = gather(read_run(folder))
    words, _ = read(build(folder))
    learned = [figures.learning(report, env) for env in report.envs]
    means = {each["marker"]["symbol"] for each in figures.plane(report)["data"] if "name" in each}

    assert report.envs == ("sandbox/CoinGrid-v0 (size=5)", "sandbox/CoinGrid-v0 (size=7)")
    for env, each in zip(report.envs, learned, strict=True):
        mine = sum(curve.env == env for curve in report.returns)
        assert sum(t.get("line", {}).get("width") == 1 for t in each["data"]) >= mine == 6
        assert sum(t.get("line", {}).get("width") == 3 for t in each["data"]) == 3
    assert len(means) == 2
    assert re.search(r"all capability", words)
    assert not re.search(r"all return reward", words)
    assert words.count("mean return reward per episode") == 4  # two levers in each of two envs


def test_sections_with_nothing_to_show_are_one_line_that_says_why(scenario, write_run):
    folder = write_run({**scenario, "seeds": [0]})
    kinds = {"filmed", "edited"}
    retold(folder, lambda reported: [
        replace(each, parameters=1200) if each.kind == "updated" else each
        for each in reported if each.kind not in kinds
    ])  # fmt: skip
    for path in folder.glob("trials/*/events.jsonl"):
        path.write_text(path.read_text().replace('"corner":', '"c":').replace('"harm":', '"h":'))
    words, elements = read(build(folder))

    assert "No agent proposed an edit; all networks have 1,200 parameters throughout." in words
    assert "CoinGrid-v0 is a third-party environment; only worlds of the sandbox are drawn" in words
    assert "Not drawn: no trial measured goal misgeneralisation" in words
    drawn = sum(attrs.get("class") == "figure" for _, attrs in elements)
    assert drawn == 3  # returns, capability, reward


def test_capability_says_what_its_ends_are(scenario, write_run):
    folder = write_run(scenario)
    assert "share of oracle, higher is better" in read(build(folder))[0]
    for path in folder.glob("trials/*/events.jsonl"):
        how = '"reward_optimal":{"how":"the env\'s own reward_threshold",'
        path.write_text(path.read_text().replace('"reward_optimal":{', how))

    assert "0: random policy, 1: the env's own reward threshold, higher" in read(build(folder))[0]


def test_a_condition_has_one_name_everywhere(scenario, write_run):
    folder = write_run(scenario)
    report = gather(read_run(folder))

    assert set(report.conditions) == {trial.condition_name for trial in report.run.trials}
    assert report.conditions[0] == report.base == "data_coverage=0,freeze_editor=0"


def test_numbers_have_no_negative_zero():
    assert number(-0.0) == number(0.0, sign=True) == "0"
    assert number(-1e-17) != "0"


def rewritten(reported):
    """The same trial, in which each applied edit adds 8 units and the last one undoes the first."""
    units, found = 32, []
    for each in reported:
        if each.kind == "edited":
            units += 8 * each.applied
            layers = [{"kind": "dense", "units": units}]
            genome = {**each.genome, "architecture": {"layers": layers, "activation": "tanh"}}
            each = replace(each, genome=genome)  # noqa: PLW2901
            if each.entry == 3:
                each = replace(each, edit="undo", settings={"entry": 1, "genome": "{}" * 99})  # noqa: PLW2901
        found.append(each)
    return found


def test_edit_histories_are_drawn_as_timeline_table_and_film(scenario, write_run):
    folder = write_run(scenario)
    retold(folder, rewritten)
    for trial in folder.glob("trials/*"):
        (trial / "ledger.jsonl").write_text('{"entry":1,"behaviour":{"mean_kl":0.0025}}\n')
    words, elements = read(build(folder))
    rollout = [
        attrs for tag, attrs in elements if tag == "details" and attrs.get("class") == "history"
    ]
    about = [attrs["data-changes"] for _, attrs in elements if "data-changes" in attrs]

    assert len(rollout) == 3  # one seed of three conditions
    assert ["open" in attrs for attrs in rollout] == [True, False, False]
    assert "4 proposals, 2 applied, 1 difference between start and end" in words
    assert "changed:architecture.layers[0].units" in about
    assert "dense 32 → 48" in words
    assert re.search(r"1 4 widen layer=0, units=8 architecture applied, undone by entry 3 "
                     r"confirmed 0.0025 1,400", words)  # fmt: skip
    assert "rejected: over budget <i>" in words
    assert "genome=" not in words.replace("genome={}{}", "")  # a long setting is cut
    assert sum(attrs.get("class") == "film" for _, attrs in elements) == 2


def test_edit_histories_without_edits_are_drawn_once(scenario, write_run):
    folder = write_run(scenario)
    retold(folder, lambda reported: [each for each in reported if each.kind != "edited"])
    words, elements = read(build(folder))

    assert "No agent proposed an edit, so only one agent is drawn." in words
    assert sum(attrs.get("class") == "genome" for _, attrs in elements) == 1
    assert sum(attrs.get("class") == "film" for _, attrs in elements) == 0


def test_edit_histories_are_few_and_bounded(scenario, write_run):
    folder = write_run({**scenario, "levers": {"data_coverage": [n / 10 for n in range(10)]}})

    def long(reported):
        edit = next(each for each in reported if each.kind == "edited")
        architecture = edit.genome["architecture"]
        many = [
            replace(edit, entry=n, steps=n, update=0, genome={**edit.genome, "architecture": {
                **architecture, "layers": [{"kind": "dense", "units": n}]}})
            for n in range(1, 200)
        ]  # fmt: skip
        return [reported[0], *many, reported[-1]]

    retold(folder, long)
    report = gather(read_run(folder))
    drawn = agent_runs(report)

    assert (len(report.agent_runs), report.agent_runs_found) == (MOST_AGENT_RUNS, 10)
    assert "Not drawn: 4 more." in drawn
    assert "139 more are in the ledger" in drawn
    assert len(drawn) < MOST_AGENT_RUNS * 250_000


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_film_of_an_edit_history_stops_and_shows_any_moment(scenario, write_run, browser):
    folder = write_run({**scenario, "seeds": [0]})
    retold(folder, rewritten)
    _, _, complaints, _ = browser.open(build(folder))
    film = "document.querySelector('.film')"
    moves = f"{film}.querySelector('svg').getAnimations({{subtree: true}})"

    def ask(code):
        found = browser.ask("Runtime.evaluate", expression=code, returnByValue=True)
        return found["result"].get("value")

    assert complaints == []
    assert ask(f"{moves}.length") > 3
    ask(f"{film}.querySelector('button').click()")
    assert ask(f"{film}.querySelector('button').textContent") == "Play"
    slide = "s.value = 2; s.dispatchEvent(new Event('input'))"
    ask(f"(s => {{ {slide} }})({film}.querySelector('input'))")
    shown = (
        f"[...{film}.querySelectorAll('text')].filter(t => getComputedStyle(t.closest('g') || t)"
        f".opacity == 1).map(t => t.lastChild.textContent).join('|')"
    )
    reported = ask(shown)
    assert "dense 32 → 40" in reported
    assert "2 of 3" in reported
    assert "1 of 3" not in reported
