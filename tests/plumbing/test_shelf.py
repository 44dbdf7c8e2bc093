"""What is kept of a delivery's files: groups in their order, one row once, and nothing of it readable on disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.plumbing.files.shelf import Row, Shelf
from tests.serving import ROOT


@pytest.fixture
def shelf():
    with contextlib.closing(Shelf()) as found:
        yield found


def test_a_later_value_takes_the_place_of_the_older_and_an_unknown_name_has_none(shelf):
    shelf.put(("a", None, "1"), {"n": 1})
    shelf.put(("a", None, "1"), {"n": 2})
    assert shelf.get(("a", None, "1")) == {"n": 2} and shelf.get(("a", "1", None)) is None


def test_a_file_gives_its_groups_in_order_each_with_the_rows_of_every_file(shelf):
    first, second = shelf.new_file(), shelf.new_file()
    for file, group, number in ((first, "b", 2), (first, "a", 3), (second, "a", 2), (second, "c", 3), (first, "b", 4)):
        shelf.add((group,), Row(file, number, {"n": str(number)}))
    assert [(group, [(row.file, row.number) for row in rows]) for group, rows in shelf.groups(first)] == [
        (("b",), [(first, 2), (first, 4)]), (("a",), [(first, 3), (second, 2)]),
    ]  # fmt: skip
    assert [group for group, _ in shelf.groups(second)] == [("a",), ("c",)]


def test_the_same_cells_of_a_group_are_kept_once_where_they_are_to_be(shelf):
    file = shelf.new_file()
    assert shelf.add(("a",), Row(file, 2, {"n": "1", "m": "2"}), once=True)
    assert not shelf.add(("a",), Row(file, 3, {"m": "2", "n": "1"}), once=True)
    assert shelf.add(("b",), Row(file, 4, {"n": "1", "m": "2"}), once=True)
    assert shelf.add(("a",), Row(file, 5, {"n": "1", "m": "2"})) and shelf.add(("a",), Row(file, 6, {"n": "1", "m": "2"}))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what a process has open is read from /proc")
def test_on_disk_it_has_no_name_and_nothing_of_it_stands_in_clear(tmp_path):
    script = """
import os
from services.plumbing.files.shelf import Row, Shelf
shelf = Shelf()
file = shelf.new_file()
for number in range(60_000):
    shelf.put(("Unmistakable", str(number)), "Unmistakable" * 10)
    shelf.add(("Unmistakable", str(number)), Row(file, number, {"name": "Unmistakable" * 10}))
names = {one: os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{one}")}
spilled = [one for one, name in names.items() if name.startswith(os.environ["SQLITE_TMPDIR"])]
assert spilled and all("(deleted)" in names[one] for one in spilled), names
content = b"".join(open(f"/proc/self/fd/{one}", "rb").read() for one in spilled)
print(len(content) > 1_000_000, b"Unmistakable" in content, os.listdir(os.environ["SQLITE_TMPDIR"]))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SQLITE_TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "True False []", (done.stdout, done.stderr)
