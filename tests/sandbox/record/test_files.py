"""The door of durable writes: whole or absent, whatever fails wherever."""

import errno
import os
from pathlib import Path

import pytest

from sandbox.errors import ResourceError
from sandbox.record.files import TEMPORARY, Disk, Operation


class CutError(Exception):
    """Stands for a kill at an operation."""


def operations(work) -> list[Operation]:
    seen: list[Operation] = []
    work(Disk(before=seen.append))
    return seen


def work_on(folder: Path):
    def work(disk: Disk) -> None:
        disk.folder(folder / "a" / "b")
        disk.write(folder / "a" / "b" / "file", b"old")
        disk.write_all(folder / "a" / "b", {"file": b"new text", "beside": b"new, too"})
        with disk.appending(folder / "a" / "log") as log:
            log.append("one", durable=True)
            log.append("two", durable=True)

    return work


def test_every_operation_is_counted_and_named(tmp_path):
    seen = operations(work_on(tmp_path))

    assert [each.number for each in seen] == list(range(1, len(seen) + 1))
    kinds = [each.kind for each in seen if each.path.name in {"file", f"{TEMPORARY}file", "b"}]
    assert kinds[-5:] == ["fsync_folder", "write", "fsync", "rename", "fsync_folder"]


def test_files_that_are_written_together_take_one_fsync_each_and_one_of_their_folder(tmp_path):
    seen = operations(lambda disk: disk.write_all(tmp_path, {"x": b"1", "y": b"2"}))

    assert [(each.kind, each.path.name.removeprefix(TEMPORARY)) for each in seen] == [
        *(("write", "x"), ("fsync", "x"), ("write", "y"), ("fsync", "y")),
        *(("rename", "x"), ("rename", "y"), ("fsync_folder", tmp_path.name)),
    ]


def test_a_new_log_is_a_new_file_whatever_its_name_led_to(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "same").hardlink_to(victim)
    for name in ("link", "same"):
        with Disk().appending(tmp_path / name) as log:
            log.append("evil", durable=True)
        assert (tmp_path / name).read_text() == "evil\n"
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("torn", [False, True])
def test_a_failure_at_any_operation_leaves_old_or_new_never_a_mixture(tmp_path, torn):
    (tmp_path / "count").mkdir()
    total = len(operations(work_on(tmp_path / "count")))
    for n in range(1, total + 1):
        folder = tmp_path / str(n)
        folder.mkdir()

        def before(operation: Operation, n: int = n) -> int | None:
            if operation.number != n:
                return None
            if torn and operation.kind == "write":
                return 2
            raise CutError

        with pytest.raises((CutError, OSError)):
            work_on(folder)(Disk(before=before))

        file, log = folder / "a" / "b" / "file", folder / "a" / "log"
        assert not file.exists() or file.read_bytes() in {b"old", b"new text"}
        whole = (
            [line for line in log.read_text().splitlines(True) if line.endswith("\n")]
            if log.exists()
            else []
        )
        assert "".join(whole) in {"", "one\n", "one\ntwo\n"}

        work_on(folder)(Disk())
        assert file.read_bytes() == b"new text"
        assert log.read_text() == "one\ntwo\n"


def test_a_full_disk_says_what_to_do(tmp_path):
    def full(_: Operation) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ResourceError, match=r"No space left.*run the same command again"):
        Disk(before=full).write(tmp_path / "x", b"")


def test_a_planted_link_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f"{TEMPORARY}x").symlink_to(victim)

    with pytest.raises(OSError, match="x"):
        Disk().write(tmp_path / "x", b"evil")
    assert victim.read_text() == "precious"
