"""What a file may import and call, and the rules that every file keeps."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sandbox import catalogue

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sandbox", "envs", "agents")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SCRIPTS = sorted((ROOT / "benchmarks").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

PART_FOLDERS = tuple(package for package, _ in catalogue.PART_FOLDERS.values())
READERS = (
    "sandbox.record",
    "sandbox.analysis",
    "sandbox.metrics",
    "sandbox.report",
    "sandbox.tensorboard",
    "sandbox.pictures",
)
"""Read old runs from files, so they need neither worlds nor agents, nor torch."""
DRAWS = ("sandbox.pictures.film", "envs.drawing.picture")
"""The one exception: a film that is asked for is drawn as the world draws itself."""


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in FILES}


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path, *, lazy):
    """Modules imported when the file is run, or (``lazy``) also inside its functions.

    What only type checkers read does not count: it never runs.
    """
    found = set()
    waiting = list(_tree(path).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy:
            continue
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found |= {_from(node.module, each.name) for each in node.names}
        waiting += ast.iter_child_nodes(node)
    return found


def _from(module, name):
    """Separate ``from sandbox import effects``, a module, from ``from sandbox.x import y``."""
    whole = f"{module}.{name}"
    return whole if whole in MODULES else module


def _reached(name):
    """Every module outside or inside that importing ``name`` runs, parents included."""
    seen, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        parts = module.split(".")
        for parent in (".".join(parts[: i + 1]) for i in range(len(parts))):
            if parent not in seen:
                seen.add(parent)
                if parent in MODULES:
                    waiting += _imports(MODULES[parent], lazy=False)
    return seen


def _package(module):
    return module.split(".")[0]


def _inside(module, packages):
    return any(module == each or module.startswith(each + ".") for each in packages)


# --- imports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["envs", "agents"])
def test_worlds_and_agents_know_neither_each_other_nor_the_laboratory(package):
    others = {*PACKAGES} - {package}
    wrong = [
        f"{name} -> {target}"
        for name, path in MODULES.items()
        if _package(name) == package
        for target in _imports(path, lazy=True)
        if _package(target) in others
    ]
    assert wrong == []


def test_what_reads_old_runs_knows_neither_worlds_nor_agents_nor_torch():
    banned = {"envs", "agents", "torch", "stable_baselines3", "gymnasium", "pettingzoo"}
    wrong = [
        f"{name} -> {target}"
        for name, path in MODULES.items()
        if _inside(name, READERS)
        for target in _imports(path, lazy=True)
        if _package(target) in banned and (name, target) != DRAWS
    ]
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in MODULES if _inside(name, READERS)])
def test_nor_does_anything_that_it_builds_on(name):
    assert not {"envs", "agents", "torch", "stable_baselines3"} & _reached(name)


@pytest.mark.parametrize(
    "name", [name for name in MODULES if _inside(name, PART_FOLDERS) and name not in PART_FOLDERS]
)
def test_a_part_in_a_part_folder_is_light_to_import(name):
    assert not {"torch", "stable_baselines3", "pandas", "plotly"} & _reached(name)


def test_the_arrow_reader_sees_what_python_does():
    """The static reading above, held against a real import."""
    code = "import sys, sandbox.verdicts.verdict, agents.genome; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    ran = {each for each in done.stdout.split() if each in MODULES}
    assert ran == (_reached("sandbox.verdicts.verdict") | _reached("agents.genome")) & set(MODULES)


# --- rules that every file keeps ---------------------------------------------------------------

BANNED_MODULES = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
BANNED_CALLS = {
    "eval",
    "exec",
    "compile",
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "torch.load",
    "PPO.load",
    "os.system",
    "os.popen",
    "np.random.seed",
    "random.seed",
    "torch.seed",
}
BANNED_NAMES = {"SubprocVecEnv", "AsyncVectorEnv"}
ALLOWED = {
    (
        "sandbox/checkup/check_env.py",
        "np.random",
    ),  # disturbs global generators, to see who used them
    ("sandbox/checkup/check_env.py", "random.random"),
    ("sandbox/checkup/check_env.py", "random.getstate"),
    ("sandbox/checkup/check_env.py", "random.setstate"),
    ("agents/algorithms/ppo.py", "torch.manual_seed"),
    ("sandbox/execution/worker.py", "torch.manual_seed"),
}
GENERATORS = {
    "default_rng",
    "Generator",
    "SeedSequence",
    "PCG64",
    "MT19937",
    "BitGenerator",
    "Philox",
}
CLOCKS = {"time.time", "time.perf_counter", "time.monotonic", "datetime.now", "datetime.utcnow"}
CLOCKLESS = (
    *(f"{each}." for each in ("envs", "agents")),
    "sandbox.record.events",
    "sandbox.record.ledger",
    "sandbox.trial.recorder",
    "sandbox.levers",
    "sandbox.metrics",
    "sandbox.probes",
)


def _calls(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def _allowed(path, what):
    return (str(path.relative_to(ROOT)), what) in ALLOWED


def _faults(path):
    for module in _imports(path, lazy=True):
        if _package(module) in BANNED_MODULES:
            yield f"imports {module}"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in BANNED_NAMES:
                yield f"line {node.lineno}: {name}"
    for node, name in _calls(path):
        yield from _call_faults(path, node, name)


def _call_faults(path, node, name):
    words = {each.arg: ast.unparse(each.value) for each in node.keywords}
    if name in BANNED_CALLS or words.get("shell") == "True":
        yield f"line {node.lineno}: {name}"
    if words.get("allow_pickle") == "True" or words.get("weights_only") == "False":
        yield f"line {node.lineno}: {name} unpickles"
    match = re.fullmatch(r"(?:np|numpy)\.random\.(\w+)", name)
    if match and match[1] not in GENERATORS and not _allowed(path, "np.random"):
        yield f"line {node.lineno}: {name} uses numpy's global generator"
    if re.fullmatch(r"random\.[a-z]\w*", name) and not _allowed(path, name):
        # With a capital it is random.Random, a generator of one's own.
        yield f"line {node.lineno}: {name} uses Python's global generator"
    if name == "torch.manual_seed" and not _allowed(path, name):
        yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_unpickles_evaluates_text_or_draws_from_a_global_generator(path):
    assert list(_faults(path)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "np.random.normal()",
        "np.load(x, allow_pickle=True)",
        "import random\nrandom.random()",
        "subprocess.run('ls', shell=True)",
        "def f():\n    return yaml.load(x)",
        "model = PPO.load(x)",
        "SubprocVecEnv([])",
        "torch.manual_seed(0)",
    ],
)
def test_the_rule_sees_each_banned_thing(code, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "part.py"
    path.write_text(code)
    assert list(_faults(path)) != []


def test_what_is_recorded_holds_no_clock():
    wrong = [
        f"{name}:{node.lineno}: {called}"
        for name, path in MODULES.items()
        if name.startswith(CLOCKLESS)
        for node, called in _calls(path)
        if called.endswith(tuple(CLOCKS))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_are_small(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


def test_rules_of_the_linter_are_seldom_waived():
    """Late imports are marked (``PLC0415``): each is there so that something light stays so."""
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    waived = re.findall(r"# noqa: ([A-Z0-9, ]+)", "\n".join(sources))
    codes = [code for each in waived for code in re.findall(r"[A-Z]+[0-9]+", each)]
    lines = sum(text.count("\n") for text in sources)
    assert not any(re.search(r"# noqa(?!: [A-Z])", text) for text in sources)
    assert 1000 * len([code for code in codes if code != "PLC0415"]) <= 2 * lines


def test_no_file_is_named_after_nothing():
    names = {word for path in [*FILES, *TESTS, *SCRIPTS] for word in path.stem.split("_")}
    assert not names & {"utils", "util", "common", "misc", "helpers", "helper"}


def test_no_file_names_a_machine():
    """Paths of the machine a file was written on are of no use on another one."""
    places = re.compile(r"(?<![\w.])/(?:work|root|home|farm|opt|Users|mnt)/\w")
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".json", ".cff", ".in", ""}
    folders = [*(ROOT / each for each in (*PACKAGES, "scenarios", "tests", "benchmarks"))]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    files += [path for path in ROOT.iterdir() if path.suffix in kinds and path.name != ".git"]
    files += [*(ROOT / "constraints").iterdir(), ROOT / ".ci" / "run"]
    wrong = [
        str(path.relative_to(ROOT))
        for path in files
        if path.is_file() and places.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert wrong == []
