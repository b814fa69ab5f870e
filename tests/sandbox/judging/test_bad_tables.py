"""Whatever cannot be used is named with line and column, all of it at once."""

import math
import os

import numpy as np
import pandas as pd
import pytest

import sandbox as lab
from sandbox.errors import InputError
from sandbox.judging import csv_file

CLAIM = "loss: b < a by 0.1"
HEAD = "seed,condition,loss\n"
GOOD = "1,a,0.5\n1,b,0.25\n2,a,0.5\n2,b,0.125\n"


@pytest.fixture
def table(tmp_path):
    """Write a table, text or bytes, and return its path."""

    def write(content, name="t.csv"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(data)
        return path

    return write


def refused(path, claim=CLAIM, **options):
    with pytest.raises(InputError) as error:
        lab.judge(path, claim, **options)
    return str(error.value).replace(f"{path}", "T")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("abc", "'abc' is no number"),
        ("inf", "'inf' is not finite"),
        ("-Infinity", "'-Infinity' is not finite"),
        ("1e999", "'1e999' is too large"),
        ('"0,5"', "'0,5' is no number; write 0.5"),
        ("1_000", "'1_000' is no number"),
        ("٣", "'٣' is no number"),
        ("0x10", "'0x10' is no number"),
        ("True", "'True' is no number; write 1"),
        ("FALSE", "'FALSE' is no number; write 0"),
        ("61.7 %", "'61.7 %' is no number; leave out the %"),
    ],
)
def test_a_cell_that_is_no_finite_number_is_named(table, cell, words):
    said = refused(table(f"{HEAD}{GOOD}3,a,{cell}\n3,b,1\n"))
    assert said.startswith(f"T:6: error: column 'loss': {words}")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("cell", ["", "nan", "NA", "null", " "])
def test_a_blank_cell_is_a_missing_pair(table, cell):
    (found,) = lab.judge(table(f"{HEAD}{GOOD}3,a,{cell}\n3,b,1\n"), CLAIM, ranges={"loss": (0, 1)})
    assert (found.verdict.n, found.effect.missing) == (2, {3: "a cell is blank"})
    assert found.effect.bounds == {3: (0.0, 1.0)}


def test_a_row_that_is_not_there_is_a_missing_pair_that_could_be_anything(table):
    (found,) = lab.judge(table(f"{HEAD}{GOOD}3,b,1\n"), CLAIM, ranges={"loss": (0, 1)})
    assert found.effect.missing == {3: "no row of condition a"}
    assert found.effect.bounds == {3: (-1.0, 1.0)}
    assert any("1 rows are missing at a, 0 at b" in each for each in found.verdict.notes)


def test_without_a_range_a_missing_pair_leaves_it_undetermined(table):
    rows = "".join(f"{i},a,0.9{i}\n{i},b,0.1{i % 3}\n" for i in range(20))
    (found,) = lab.judge(table(f"{HEAD}{rows}20,a,0.9\n"), CLAIM)
    assert found.verdict.title == "undetermined (missing data)"
    assert "no finite range" in found.verdict.reason
    (found,) = lab.judge(table(f"{HEAD}{rows}20,a,0.9\n"), CLAIM, ranges={"loss": (0, 1)})
    assert found.verdict.title == "supported"


def test_every_bad_cell_is_named_at_its_line_whatever_else_is_wrong(table):
    rows = "one,a,1\n\n2,,1\n3,a,x\n3,b,1\n3,b,2\n"
    said = refused(table(HEAD + rows)).splitlines()
    assert said == [
        "T:2: error: column 'seed': must be a whole number, not 'one'",
        "T:4: error: column 'condition': is blank",
        "T:5: error: column 'loss': 'x' is no number",
        "T:7: error: seed 3, condition b stands at T:6 already",
    ]


def test_a_cell_over_several_lines_does_not_shift_the_next(table):
    said = refused(table('seed,condition,text,loss\n1,a,"two\nlines",1\n1,b,,x\n'))
    assert said == "T:4: error: column 'loss': 'x' is no number"


def test_many_bad_cells_are_counted(table):
    said = refused(table(HEAD + "".join(f"{i},a,x\n" for i in range(100)))).splitlines()
    assert len(said) == 21
    assert said[-1] == "error: and 80 more like these"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "T:1: error: the file is empty"),
        ("\n\n", "T:1: error: the file is empty"),
        (HEAD, "T: error: has a heading and no rows"),
        ("seed;condition;loss\n1;a;2\n", "T:1: error: the columns are separated by semicolons"),
        ("seed\tcondition\tloss\n1\ta\t2\n", "T:1: error: the columns are separated by tabs"),
        ("seed,condition,loss,loss\n", "T:1: error: column 'loss' stands twice"),
        ("seed,condition,los\n1,a,2\n", "'loss'; there are seed, condition, los — did you mean"),
        ("Seed,condition,loss\n1,a,2\n", "'seed'; there are Seed, condition, loss — did you mean"),
        (f"{HEAD}1,a\n", "T:2: error: has 2 cells, the heading (line 1) has 3: seed, condition"),
        (f"{HEAD}1,a,2,3\n", "T:2: error: has 4 cells, the heading (line 1) has 3: seed"),
        (f"\n# ours\n{HEAD}", "T:3: error: has 3 cells, the heading (line 2) has 1: # ours"),
        (f"{HEAD}run-07,a,2\n", "must be a whole number, not 'run-07'; write 7"),
        (f'{HEAD}1,a,"2\n', "T:2: error: is no CSV: unexpected end of data"),
        (HEAD.encode() + "1,é,2\n".encode("latin-1"), "T:2:3: error: is not UTF-8 (byte 0xE9)"),
        (f"{HEAD}1,a,2\n".encode("utf-16"), "T:1:1: error: looks like UTF-16"),
        (f"{HEAD}1.5,a,2\n", "T:2: error: column 'seed': must be a whole number, not '1.5'"),
        (f"{HEAD}1,a,2\n", "claim 1: error: no condition is called 'b'; there are a"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_says_where(table, content, words):
    assert words in refused(table(content))


@pytest.mark.parametrize("name", ["seed", "condition"])
def test_what_names_a_trial_is_no_metric(table, name):
    assert (
        refused(table(HEAD + GOOD), f"{name}: b < a by 0.1")
        == f"T: error: '{name}' names trials and is no metric"
    )


def test_an_env_in_which_nothing_can_be_paired_is_named(table):
    rows = "".join(f"{i},a,x,0.9{i}\n{i},b,x,0.1{i % 3}\n{i},a,y,0\n" for i in range(9))
    (found,) = lab.judge(table(f"seed,condition,env,loss\n{rows}"), CLAIM)
    assert found.verdict.n == 9
    assert "left out, no seed has both conditions there: y" in found.verdict.notes


def test_a_byte_order_mark_windows_line_ends_and_spaces_are_read(table):
    plain = lab.judge(table(HEAD + GOOD), CLAIM)
    text = "\ufeff" + (HEAD + GOOD).replace(",", ", ").replace("\n", "\r\n")
    assert lab.judge(table(text, "windows.csv"), CLAIM) == plain


def test_a_file_that_is_none_or_too_large_is_refused(table, tmp_path, monkeypatch):
    assert "No such file" in refused(tmp_path / "nothing.csv")
    assert "Is a directory" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in refused(tmp_path / "pipe.csv")
    monkeypatch.setattr(csv_file, "MOST_ROWS", 3)
    assert "T:5: error: more than 3 rows" in refused(table(HEAD + GOOD))
    monkeypatch.setattr(csv_file, "MOST_BYTES", 2**20)
    assert "larger than 1 MiB" in refused(table(HEAD + GOOD * 2**16))


def test_a_value_outside_its_range_is_named(table):
    path = table(HEAD + GOOD)
    said = refused(path, ranges={"loss": (0.2, 1)})
    assert said.startswith("T:5: error: column 'loss': '0.125' lies outside 0.2 to 1")
    ours = table("seed,condition,harm\n1,a,0.5\n1,b,17\n", "ours.csv")
    claim = "harm: b < a by 0.1"
    assert "'17' lies outside 0 to 1, the range of 'harm'" in refused(ours, claim)
    assert lab.judge(ours, claim, ranges={"harm": (0, math.inf)})


def test_a_data_frame_is_named_by_its_rows():
    rows = [(1, "a", 0.5), (1, "b", 0.2), (2, "a", np.inf), (2, "b", "x"), (2.5, "b", 1)]
    frame = pd.DataFrame(rows, columns=["seed", "condition", "loss"])
    said = refused(frame).splitlines()
    assert said[0].startswith("data frame, row 3: error: column 'loss': 'inf' is not finite")
    assert said[1] == "data frame, row 4: error: column 'loss': 'x' is no number"
    assert said[2].startswith("data frame, row 5: error: column 'seed': must be a whole number")
    assert "must be a data frame, got list" in refused([1, 2])
    twice = pd.DataFrame([[1, "a", 1, 2]], columns=["seed", "condition", "loss", "loss"])
    assert "column 'loss' is there twice" in refused(twice)


def test_a_frame_holds_what_a_file_holds(table):
    path = table(HEAD + GOOD + "3,a,\n3,b,1\n")
    frame = pd.read_csv(path)
    assert lab.judge(frame, CLAIM) == lab.judge(path, CLAIM)
    floats = frame.astype({"seed": "float64", "loss": "Float64"})
    assert lab.judge(floats, CLAIM) == lab.judge(path, CLAIM)


def test_conditions_may_be_numbers():
    frame = pd.DataFrame(
        [(i, dose, dose * i) for i in range(8) for dose in (0.0, 0.5, 10.0)],
        columns=["seed", "condition", "loss"],
    )
    (found,) = lab.judge(frame, {**KEYS, "treatment": 0.5, "control": 0, "direction": "higher"})
    assert found.effect.turned == "condition 0 → 0.5"
    assert found.verdict.estimate == 1.75


KEYS = {"metric": "loss", "treatment": "b", "direction": "lower", "smallest_effect": 0.1}


def test_parquet_is_read_as_a_frame_and_names_what_it_needs(table, monkeypatch):
    path = table(b"PAR1", "t.parquet")
    frame = pd.read_csv(table(HEAD + GOOD))
    monkeypatch.setattr(pd, "read_parquet", lambda _: frame)
    assert lab.judge(path, CLAIM) == lab.judge(frame, CLAIM)

    def absent(_):
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", absent)
    assert "pip install 'sandbox-lab[parquet]'" in refused(path)

    def broken(_):
        raise OSError("not a Parquet file\nmore")

    monkeypatch.setattr(pd, "read_parquet", broken)
    assert refused(path) == "T: error: cannot be read as Parquet: not a Parquet file"
    assert "no such file" in refused(path.with_name("nothing.parquet"))


def test_an_env_of_a_table_without_such_a_column_is_named(table):
    said = refused(table(HEAD + GOOD), f"{CLAIM} in maze")
    assert said == (
        "T, claim 1: error: the table has one env without a name; leave out 'in maze', or add a"
        " column 'env'"
    )
