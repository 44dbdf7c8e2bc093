"""A table that would fill the memory is refused before any row is taken."""

from __future__ import annotations

import pytest

from services.plumbing.files import tables
from services.plumbing.files.report import FileRefused
from services.plumbing.files.tables import MOST_LINE, open_table


@pytest.mark.parametrize("text", ["a,b\n1," + "x" * MOST_LINE + "\n", "a,b\n" + '"1","' + "x," * (MOST_LINE // 2) + '"\n', "a," + "b" * MOST_LINE + "\n1,2\n"])
def test_a_line_longer_than_any_tables_is_refused(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FileRefused, match="a line is longer than any table's"):
        open_table(path)


def test_a_long_line_within_the_limit_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1," + "x" * 100_000 + "\n")
    assert len(next(open_table(path).rows())[1]["b"]) == 100_000


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_BYTES", 1024 * 1024)
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 300_000)
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        open_table(path)
