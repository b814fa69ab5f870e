"""A file there is is a world, a name and a Gymnasium id, and costs nothing until made."""

import json
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

import envs
from envs import registration
from envs.faces.gymnasium import BatchFace, SingleFace

ROOT = Path(__file__).resolve().parents[2]


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_importing_envs_imports_no_world_no_torch_no_pettingzoo():
    code = "import sys, envs; print(*sorted(m for m in sys.modules))"
    loaded = run(code).split()
    heavy = {"torch", "pettingzoo", "stable_baselines3", "PIL", "pandas", "scipy"}
    assert not heavy & set(loaded)
    assert not [each for each in loaded if each.startswith("envs.worlds.")]


def test_ids_are_the_file_names():
    found = envs.env_ids()
    for name in ("SideEffectsSokoban", "WhiskyGold", "CoinGrid"):
        assert found[f"sandbox/{name}-v0"] == "single"
    assert found["sandbox/LabRace-v0"] == "joint"


def test_a_new_file_in_the_part_folder_is_a_new_id(tmp_path, monkeypatch):
    (tmp_path / "one.py").write_text("class _State: ...\nclass One(World): ...\n")
    (tmp_path / "two_of_us.py").write_text("class TwoOfUs(JointWorld): ...\n")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(registration, "_FOLDER", tmp_path)
    assert registration.worlds_by_name.__wrapped__() == {"one": "single", "two_of_us": "joint"}
    assert registration.env_id("two_of_us") == "sandbox/TwoOfUs-v0"


def test_make_passes_settings_and_specs_are_json():
    env = gymnasium.make("sandbox/SideEffectsSokoban-v0", level=2, noop=True)
    assert type(env.unwrapped) is SingleFace
    assert env.unwrapped.world == envs.make_world("side_effects_sokoban", level=2, noop=True)
    assert json.loads(env.spec.to_json())["kwargs"] == {"level": 2, "noop": True}
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.world == env.unwrapped.world
    vector = gymnasium.make_vec("sandbox/CoinGrid-v0", num_envs=3, coverage=0.5)
    assert type(vector) is BatchFace
    assert vector.world == envs.make_world("coin_grid", coverage=0.5)


def test_unknown_names_and_settings_say_what_there_is():
    with pytest.raises(ValueError, match=r"coin_grid.*did you mean 'coin_grid'"):
        envs.make_world("coingrid")
    with pytest.raises(ValueError, match="did you mean 'sandbox/LabRace-v0'"):
        envs.parallel_env("sandbox/LabRac-v0")
    with pytest.raises(ValueError, match=r"size, coverage, told, horizon.*'coverage'"):
        gymnasium.make("sandbox/CoinGrid-v0", covrage=1)
    with pytest.raises(ValueError, match="coverage must be from 0 to 1"):
        gymnasium.make("sandbox/CoinGrid-v0", coverage=2)
    with pytest.raises(ValueError, match=r"gymnasium\.make"):
        envs.parallel_env("coin_grid")
    with pytest.raises(ValueError, match="no setting"):
        envs.make_world("coin_grid", __class__=1)


def test_a_plug_in_registers_its_world_once():
    new_id, target = "elsewhere/Coin-v0", "envs.worlds.coin_grid:CoinGrid"
    try:
        envs.register_world(new_id, target)
        envs.register_world(new_id, target)
        assert gymnasium.make(new_id, size=4).unwrapped.world.size == 4
        assert gymnasium.make_vec(new_id, num_envs=2).num_envs == 2
        assert envs.env_ids()[new_id] == "single"
        with pytest.raises(ValueError, match="registered already"):
            envs.register_world(new_id, "envs.worlds.whisky_gold:WhiskyGold")
    finally:
        gymnasium.registry.pop(new_id)
        registration._ENTRIES.pop(new_id)


def test_registering_twice_changes_nothing():
    before = dict(gymnasium.registry)
    envs.register()
    assert dict(gymnasium.registry) == before
