"""The chain: any changed byte, missing, inserted or moved line is found, and named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import IntegrityError
from sandbox.record.ledger import Chain, check

TRIAL = "0123456789ab"
BODIES = [
    {"kind": "start", "weights": "aa"},
    {"kind": "proposal", "edit": "widen", "cost": 1.5, "ü": None},
    {"kind": "end", "list": [1, 2, {"a": True}]},
]


def lines(bodies=BODIES) -> list[str]:
    chain = Chain(TRIAL)
    return [chain.link(body) + "\n" for body in bodies]


def test_a_whole_ledger_gives_its_entries_and_head():
    chain = Chain(TRIAL)
    written = [chain.link(body) + "\n" for body in BODIES]

    entries, head = check(written, TRIAL, "ledger.jsonl")

    assert head == chain.head
    assert [entry["kind"] for entry in entries] == ["start", "proposal", "end"]


def test_every_single_byte_matters():
    """Each byte of each line, changed to two other ones: all found, at their line."""
    whole = lines()
    for number, line in enumerate(whole, start=1):
        data = line.encode()
        for i in range(len(data)):
            for flip in (1, 128):
                changed = data[:i] + bytes([data[i] ^ flip]) + data[i + 1 :]
                text = changed.decode(errors="replace")
                parts = whole[: number - 1] + text.splitlines(keepends=True) + whole[number:]
                if parts == whole:
                    continue
                with pytest.raises(IntegrityError) as found:
                    check(parts, TRIAL, "ledger.jsonl")
                assert f"ledger.jsonl:{number}:" in str(found.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda x: [x[0], x[2]], 2),
        (lambda x: [x[1], x[2]], 1),
        (lambda x: [x[0], x[2], x[1]], 2),
        (lambda x: [x[0], x[0], x[1], x[2]], 2),
        (lambda x: [x[0], "\n", x[1]], 2),
        (lambda x: [*x[:2], x[2].rstrip("\n")], 3),
    ],
    ids=["removed", "first removed", "swapped", "doubled", "blank", "torn"],
)
def test_a_line_out_of_place_is_found(change, line):
    with pytest.raises(IntegrityError, match=f"broken at line {line}"):
        check(change(lines()), TRIAL, "ledger.jsonl")


def test_a_cut_tail_keeps_a_valid_chain_but_another_head():
    """Why the head is also kept elsewhere."""
    _, head = check(lines()[:2], TRIAL, "ledger.jsonl")
    assert head != check(lines(), TRIAL, "ledger.jsonl")[1]


def test_a_ledger_of_another_trial_is_refused():
    with pytest.raises(IntegrityError, match="line 1"):
        check(lines(), "ffffffffffff", "ledger.jsonl")


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        Chain(TRIAL).link({"x": float("nan")})


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
bodies = st.lists(
    st.dictionaries(
        st.text(min_size=1).filter(lambda k: k not in {"entry", "previous", "hash"}), scalars
    ),
    min_size=1,
    max_size=5,
)


@given(bodies)
@settings(max_examples=100, deadline=None)
def test_whatever_is_linked_checks(found):
    entries, _ = check(lines(found), TRIAL, "x")
    assert len(entries) == len(found)


@given(bodies, st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_done_to_whatever_line_is_found_there(found, data):
    """One line changed, removed, doubled or moved, at a place and in a way that chance picks."""
    whole = lines([{"kind": "start"}, *found, {"kind": "end"}])
    at = data.draw(st.integers(0, len(whole) - 2))
    kind = data.draw(st.sampled_from(["changed", "removed", "doubled", "moved"]))
    to = data.draw(st.integers(0, len(whole) - 1).filter(lambda i: i != at))
    spoiled = [*whole[:at], *whole[at + 1 :]]
    if kind == "changed":
        place = data.draw(st.integers(0, len(whole[at]) - 1))
        letter = data.draw(st.characters().filter(lambda c: c != whole[at][place]))
        spoiled.insert(at, whole[at][:place] + letter + whole[at][place + 1 :])
    elif kind == "doubled":
        spoiled[at:at] = [whole[at]] * 2
    elif kind == "moved":
        spoiled.insert(to, whole[at])
    first = next(i for i, pair in enumerate(zip(whole, spoiled, strict=False)) if len({*pair}) > 1)

    with pytest.raises(IntegrityError, match=f"broken at line {first + 1}:"):
        check(spoiled, TRIAL, "ledger.jsonl")
