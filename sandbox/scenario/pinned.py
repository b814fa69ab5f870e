"""Files that a control reads, pinned by what is in them: a changed file is another trial.

A setting of a control that names a file has a companion, the same name ending in ``_sha256``. A
scenario fills it in, so that the bytes are part of what a trial is and the place where they lie is
not; the control holds the file against it when a trial begins.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.scenario.findings import Findings
from sandbox.scenario.strict_yaml import Path as Place

HASH = "_sha256"

Controls = Mapping[str, Mapping[str, Any]]
"""Control -> its settings."""


def pin(
    found: Findings, controls: Controls, folder: Path, at: Place = ("controls",)
) -> dict[str, dict[str, Any]]:
    """Settings with every file as a whole path and its hash; relative paths start in ``folder``.

    A file that cannot be read, or is not the one whose hash is written down, is noted; ``at`` is
    where the controls are written.
    """
    pinned = {name: dict(settings) for name, settings in controls.items()}
    for name, settings in pinned.items():
        for key in [each for each in settings if settings[each] and each + HASH in settings]:
            path = (folder / settings[key]).resolve()
            if path.exists() and not path.is_file() and not path.is_dir():  # it may be endless
                found.add((*at, name, key), f"cannot read '{settings[key]}': it is no file")
                continue
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or str(error)
                found.add((*at, name, key), f"cannot read '{settings[key]}': {why}")
                continue
            written = settings[key + HASH]
            if written not in {"", digest}:
                what = f"'{settings[key]}' is another file: its SHA-256 is {digest}"
                found.add((*at, name, key + HASH), what)
            settings.update({key: path.as_posix(), key + HASH: digest})
    return pinned


def identity(controls: Controls) -> dict[str, dict[str, Any]]:
    """The settings without the paths of pinned files: moving a file makes no other trial."""
    return {
        name: {key: value for key, value in settings.items() if not settings.get(key + HASH)}
        for name, settings in controls.items()
    }
