"""JSON of any length is read a row at a time, says what msgspec says of the whole, and is refused whole before any row is taken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.plumbing.files import json_rows
from services.plumbing.files.report import FileRefused

SAME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
WORDS = st.sampled_from(['"', "\\", "[", "]", "{", "}", ",", ":", "é", " ", "a", "\n", "\u2028"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.lists(WORDS, max_size=6).map("".join),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.lists(WORDS, max_size=2).map("".join), inner, max_size=4),
    max_leaves=20,
)
BODIES = st.dictionaries(st.sampled_from(["data", "students", "school", "x"]), VALUES, max_size=4)


def opened(folder: Path, content: bytes, *, deep: int = 2):
    path = folder / "x.json"
    path.write_bytes(content)
    return json_rows.opened(path, "x.json", deep=deep)[0]


def whole(found, deep: int):
    """The same with every list in memory."""
    if isinstance(found, json_rows.Rows):
        return list(found)
    return {name: whole(value, deep - 1) for name, value in found.items()} if isinstance(found, dict) and deep else found


@SAME
@given(body=BODIES, indent=st.sampled_from([None, 1]), deep=st.sampled_from([1, 2]))
def test_what_is_read_row_by_row_is_what_the_whole_says(tmp_path, monkeypatch, body, indent, deep):
    monkeypatch.setattr(json_rows, "PIECE", 7)
    text = json.dumps(body, indent=indent, ensure_ascii=False).encode()
    assert whole(opened(tmp_path, text, deep=deep), deep) == msgspec.json.decode(text)


@SAME
@given(body=BODIES, cut=st.integers(0, 200), put=st.sampled_from([b"", b",", b"]", b"}", b"[", b"{", b'"', b"\0", b" ", b"1", b"\\", b"\xff"]), gone=st.integers(0, 2))
def test_what_msgspec_refuses_is_refused_and_nothing_else(tmp_path, body, cut, put, gone):
    text = json.dumps(body, ensure_ascii=False).encode()
    text = text[:cut] + put + text[cut + gone :]
    try:
        wanted = msgspec.json.decode(text)
        json_rows._names.scan_once(text.decode().lstrip(), 0)
    except (msgspec.DecodeError, ValueError):
        wanted = None
    if wanted is None:
        with pytest.raises(FileRefused):
            opened(tmp_path, text)
    elif isinstance(wanted, dict):
        assert whole(opened(tmp_path, text), 2) == wanted


def test_a_list_can_be_read_again_at_any_place_and_beside_another(tmp_path):
    found = opened(tmp_path, b'\xef\xbb\xbf{"a": [{"n": 1}, 2 ,"x,]"], "b": {"data": [[3], null]}}')
    rows = found["a"] + found["b"]["data"]
    assert list(rows) == [{"n": 1}, 2, "x,]", [3], None] == list(rows) and rows[3] == [3] and len(rows) == 5


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"), (b" \n ", "empty"), (b"\xef\xbb\xbf", "empty"),
        (b'{"data": [{"id": 1}, {"id": 2}', "broken or cut off"), (b'{"data": [{"id": 1}]} {}', "broken or cut off"),
        (b'{"data": [{"id": 1},]}', "broken or cut off"), (b'{"data": [{"id": 1} {"id": 2}]}', "broken or cut off"),
        (b'{"data": [{"id": 1}}]', "broken or cut off"), (b'{"data": ["a\0b"]}', "broken or cut off"), (b'{"data": [1]}\0', "broken or cut off"),
        (b'{"data": [{"name": "\xff"}]}', "broken or cut off"), (b'{"data": [NaN]}', "broken or cut off"),
        (b'{"data": [{"id": 1}, {"id": 2, "id": 3}]}', "row 2: an object has the same name twice"),
        (b'{"data": [1], "data": [2]}', "the same name twice"), (b'{"data": [{"a": {"b": 1, "b": 1}}]}', "the same name twice"),
        (b'{"data": [' + b"[" * 65 + b"]" * 65 + b"]}", "nested deeper than 64"), (b'{"x":' * 70 + b"1" + b"}" * 70, "nested deeper than 64"),
    ],
)  # fmt: skip
def test_json_that_is_not_whole_is_refused_with_the_reason(tmp_path, content, why):
    with pytest.raises(FileRefused, match=why):
        opened(tmp_path, content)


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "MOST_BYTES", 1024 * 1024)
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        opened(tmp_path, b'{"data": [' + b" " * 1024 * 1024 + b"]}")


# -- JSON that would fill the memory -----------------------------------------------------------------------------------

HELD = """
import sys, time
from pathlib import Path
from services.plumbing.files import json_rows
from services.plumbing.files.report import FileRefused
started = time.monotonic()
try:
    body, _ = json_rows.opened(Path(sys.argv[1]), "x.json", deep=2)
    found = sum(1 for _ in body["data"])
except FileRefused as refused:
    found = str(refused)
highest = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(highest) // 1024, round(time.monotonic() - started, 1), found)
"""
LARGE = 64 * 1024 * 1024
ROW = ',{"id": 1, "student_id": "a", "date": "2026-11-20", "name": "' + "x" * 50 + '"}'


@pytest.mark.parametrize(
    ("before", "part", "after", "wanted"),
    [
        ('{"data": [{}', ROW, "]}", str(1 + LARGE // len(ROW))),
        ('{"data": ["', "x" * 64, '"]}', "larger than 4 MB"),
        ('{"data": [{"a": [0', ",1" * 32, "]}]}", "larger than 4 MB"),
        ('{"x": {"y": {"z": [0', ",1" * 32, "]}}}", "larger than 4 MB"),
        ('{"data": [', "[" * 64, "", "nested deeper than 64"),
        ("", '{"a":' * 16, "", "nested deeper than 64"),
        ("[0", ",1" * 32, "]", "larger than 4 MB"),
    ],
    ids=["rows", "one string", "one row", "what is no row", "deep lists", "deep objects", "a bare list"],
)
def test_json_of_any_length_and_depth_is_streamed_or_refused_in_little_memory(tmp_path, before, part, after, wanted):
    path = tmp_path / "x.json"
    path.write_text(before + part * (LARGE // len(part)) + after)
    done = subprocess.run([sys.executable, "-c", HELD, path], capture_output=True, text=True, check=True, timeout=60)
    memory, _, found = done.stdout.split(" ", 2)
    assert int(memory) < 150
    assert wanted in found
