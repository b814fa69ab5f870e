"""The strict loader: YAML 1.2 as data, every refusal at its place, and no other exception ever."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.errors import InputError
from sandbox.scenario.strict_yaml import parse, read


def says(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "s.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("3e-4", 0.0003),
        ("2.0e+12", 2e12),
        (".5", 0.5),
        ("1.", 1.0),
        ("200_000", 200_000),
        ("1_2", "1_2"),
        ("0x1F", 31),
        ("0o17", 15),
        ("-7", -7),
        ("+7", 7),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("010", "010"),
        ("0b11", "0b11"),
        ("'1'", "1"),
        ('"tab\\t"', "tab\t"),
        ("inf", "inf"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_scalars_are_yaml_1_2(text, value):
    found = parse(f"a: {text}", "s.yaml").data["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("seed: 1\nseed: 2", "s.yaml:2:1", "'seed' is given twice (first on line 1)"),
        ("a: {b: 1, b: 2}", "s.yaml:1:11", "'b' is given twice"),
        ("a: !!python/object/apply:os.system ['x']", "s.yaml:1:4", "tags are not allowed"),
        ("a: !mine 1", "s.yaml:1:4", "tags are not allowed"),
        ("a: !!int 1", "s.yaml:1:4", "tags are not allowed"),
        ("!x k: 1", "s.yaml:1:1", "tags are not allowed"),
        ("a: &x 1", "s.yaml:1:4", "anchors are not allowed"),
        ("a: &x [*x]", "s.yaml:1:8", "aliases are not allowed"),
        ("a: &x {b: 1}\n<<: *x", "s.yaml:2:1", "merge keys are not allowed"),
        ("1: x", "s.yaml:1:1", "keys must be plain words"),
        ("~: x", "s.yaml:1:1", "keys must be plain words"),
        ("yes: x", "s.yaml:1:1", "keys must be plain words"),
        ("true: x", "s.yaml:1:1", "keys must be plain words"),
        ("? [a]\n: x", "s.yaml:1:3", "keys must be plain words"),
        ("? {a: 1}\n: x", "s.yaml:1:3", "keys must be plain words"),
        ("a: .nan", "s.yaml:1:4", "must be a finite number"),
        ("a: -.inf", "s.yaml:1:4", "must be a finite number"),
        ("a: [1, 1e999]", "s.yaml:1:8", "must be a finite number"),
        ("a: " + "9" * 5000, "s.yaml:1:4", "at most 63 bits"),
        ("a: 9223372036854775808", "s.yaml:1:4", "at most 63 bits"),
        ("a: " + "[" * 16 + "]" * 16, "s.yaml:1:19", "nested deeper than 16"),
        ("a: " + "[" * 50_000, "s.yaml:1:19", "nested deeper than 16"),
        ("", "s.yaml:1:1", "the file is empty"),
        ("# only a comment\n", "s.yaml:1:1", "the file is empty"),
        ("a: 1\n---\nb: 2", "s.yaml:2:1", "a second document starts here"),
        ("a:\n\tb: 1", "s.yaml:2:1", "YAML syntax"),
        ("a: [1, 2", "s.yaml:1:9", "YAML syntax"),
        ("a: {b: 1]", "s.yaml:1:9", "YAML syntax"),
        ("a: \0", "s.yaml:1:4", "U+0000"),
        ('a: "\\0"', "s.yaml:1:4", "control character U+0000"),
        ('a: "\\uD800"', "s.yaml:1:4", "U+D800"),
        ('a: "\\e[31m"', "s.yaml:1:4", "control character U+001B"),
        ('a: "\\UFFFFFFFF"', "s.yaml:1", "YAML syntax"),
        (b"a: 1\nb: \xff", "s.yaml:2:4", "not UTF-8"),
        ("a: 1".encode("utf-16"), "s.yaml:1:1", "UTF-16"),
        ("[" + "1," * 20_001 + "]", "s.yaml:1", "more than 20,000 values"),
    ],
)
def test_refusals_name_place_and_reason(text, where, what):
    message = says(text)
    assert any(line.startswith(where) and what in line for line in message.splitlines())


def test_every_problem_at_once_with_source_and_caret():
    message = says("seed: 1\nseed: .nan\nlr: !x 3\n7: 1\n")
    assert message == (
        "s.yaml:2:1: error: 'seed' is given twice (first on line 1)\n"
        "    2 | seed: .nan\n"
        "      | ^\n"
        "s.yaml:2:7: error: must be a finite number (got .nan)\n"
        "    2 | seed: .nan\n"
        "      |       ^\n"
        "s.yaml:3:5: error: tags are not allowed ('!x')\n"
        "    3 | lr: !x 3\n"
        "      |     ^\n"
        "s.yaml:4:1: error: keys must be plain words (got '7')\n"
        "    4 | 7: 1\n"
        "      | ^"
    )


def test_billion_laughs_stays_small():
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    assert "aliases are not allowed" in says("\n".join(lines))


def test_byte_order_mark_and_windows_line_ends_are_accepted():
    document = parse("\ufeffa: 1\r\nb: [2,\r\n  3]\r\n".encode(), "s.yaml")
    assert document.data == {"a": 1, "b": [2, 3]}
    assert document.values["b", 1] == (2, 2)
    assert document.keys["b",] == (1, 0)


def test_a_long_line_is_shown_around_the_caret():
    message = says("a: [" + "1, " * 500 + ".nan]")
    shown, caret = message.splitlines()[1:]
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith(".nan")


def test_a_patched_value_is_blamed_on_its_option():
    document = parse("a: {b: 1}", "s.yaml")
    patched = document.patched(("a", "c"), {"a": {"b": 1, "c": 2}}, "--set a.c=2")
    assert patched.problem(("a", "c"), "bad").where == "--set a.c=2"
    assert patched.problem(("a", "c", "deep"), "bad").where == "--set a.c=2"
    assert patched.problem(("a", "b"), "bad").where == "s.yaml:1:8"
    assert patched.problem(("a",), "bad").where == "s.yaml:1:4"


@pytest.mark.parametrize("text", ["[1, 2]", "word", "3"])
def test_the_top_of_a_file_is_a_mapping(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="must be a mapping"):
        read(path)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (2**20 + 1))
    for path in (tmp_path / "fifo", tmp_path, "/dev/zero"):
        with pytest.raises(InputError, match="not a regular file"):
            read(path)
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read(large)
    for missing in (tmp_path / "none.yaml", "", "a\0b"):
        with pytest.raises(InputError, match="cannot be read"):
            read(missing)


def test_no_text_makes_it_take_much_memory():
    code = (
        "import resource\n"
        "from sandbox.errors import InputError\n"
        "from sandbox.scenario.strict_yaml import parse\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({512 * 2**20}, {512 * 2**20}))\n"
        "for text in ['[' * 10**6, '{a: ' * 10**5, '- ' * 10**5, '? ' * 10**5, '!' * 10**6]:\n"
        "    try:\n"
        "        parse(text, 's.yaml')\n"
        "    except InputError:\n"
        "        pass\n"
        "    else:\n"
        "        raise SystemExit('accepted: ' + text[:9])\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, timeout=100, check=False)
    assert done.returncode == 0
    assert resource.getrlimit(resource.RLIMIT_AS) != (512 * 2**20, 512 * 2**20)


YAML_LIKE = st.text(
    st.sampled_from("ab01.:-_ \n\r\t[]{},!&*#?|>'\"\\%@`<~eEnN\u2028\x85\ufeff\x00é"), max_size=80
)


@given(st.one_of(st.text(max_size=60), YAML_LIKE, st.binary(max_size=60)))
@example('"\\UFFFFFFFF"')
@example("%YAML 3.0\n---\na: 1")
@example("%TAG ! tag:x\n---\n!a b")
@example("- ? - ? - ?")
def test_nothing_but_an_input_error_ever_leaves(text):
    try:
        parse(text, "s.yaml")
    except InputError as error:
        places = [each.where for each in error.problems]
    else:
        places = ["s.yaml:1:1"]
    assert places
    assert all(place.startswith("s.yaml:") for place in places)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcxyz_", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_json_reads_as_itself(value):
    import json

    text = json.dumps(value, ensure_ascii=False)
    assert parse(text, "s.yaml").data == value
