"""Files that are not what they should be are refused before any row is taken, and say why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs

from services.plumbing.files import markup, values
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import open_table


def table(folder: Path, content: bytes):
    path = folder / "t.csv"
    path.write_bytes(content)
    return open_table(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"a,b,A\n1,2,3\n", "there twice"),
        (b'a,b\n1,"2\n', "quote"),
        (b"a,b\n1,2\n3\n", "cut off"),
        (b"only one column\n1\n", "no CSV table"),
        (b"a,b\n\x00\x01,2\n", "not text"),
        ("a,b\n1,x\0y\n".encode("utf-16"), "not text"),
        (b'a,"b\n1,2\n', "quote"),
        (b'a,"b"c\n1,2\n', "quote"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path, content, why):
    with pytest.raises(FileRefused, match=why):
        table(tmp_path, content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_come_whole_out_of_every_encoding_of_the_sector(tmp_path, encoding):
    found = table(tmp_path, "id,name\n1,Zoë\n".encode(encoding))
    assert [row for _, row in found.rows()] == [{"id": "1", "name": "Zoë"}]


def test_a_row_knows_its_number_in_the_file(tmp_path):
    assert [number for number, _ in table(tmp_path, b"a,b\n1,2\n3,4\n").rows()] == [2, 3]


@pytest.mark.parametrize("content", [b"", b"<a><b></a>", b"<a><b>", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'])
def test_xml_that_is_broken_or_has_entities_is_refused(tmp_path, content):
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    with pytest.raises(FileRefused):
        list(markup.elements(path, "x.xml", "b"))


@pytest.mark.parametrize(("text", "day"), [("2015-03-27", "2015-03-27"), ("27/03/2015", "2015-03-27"), ("2020-Apr-25 00:00:00", "2020-04-25"), ("", None), ("null", None), ("2015-03-27T00:00:00Z", "2015-03-27"), ("2020-apr-25", "2020-04-25")])
def test_dates_are_read_day_first_and_never_guessed(text, day):
    assert values.day(text) == day


@pytest.mark.parametrize("text", ["2015-02-31", "13/13/2015", "yesterday", "2015", "3/5/15", "2015-maybe-05", "2015-03-05T99junk", "1899-12-31", "9999-12-31", "٢٠١٥-03-05"])
def test_what_is_no_date_is_said_to_be_none(text):
    with pytest.raises(values.Unreadable):
        values.day(text)


@given(st.integers(0, 999_999_999))
def test_nhs_numbers_are_valid_when_the_library_says_so(number):
    for last in range(10):
        text = f"{number:09d}{last}"
        assert values.nhs_number(text)["valid"] == nhs.is_valid(text)


@given(st.text(max_size=20))
def test_a_bad_number_is_kept_raw_with_its_reason(text):
    found = values.upn(text)
    if found is not None and not found["valid"]:
        assert found["value"].strip().upper() == text.strip().upper() or found["value"] == text.strip()
        assert found["reason"]


def test_a_report_counts_rows_and_keeps_values_to_its_own_file(tmp_path):
    report = Report("f.csv", rows=3, accepted=2)
    report.flag(2, "upn", "X1", "format")
    report.flag(2, "uln", "Y", "format")
    report.refuse(3, "dob", "yesterday", "expected a date")
    report.open(tmp_path, name="r")
    report.close()
    path = tmp_path / "reports" / "r.json"
    assert (report.flagged, report.refused) == (1, 1)
    assert path.stat().st_mode & 0o777 == 0o600 and "yesterday" in path.read_text()
    assert "yesterday" not in str(report.summary())


@pytest.mark.parametrize("text", ["9" * 400, "-1", "1e3", "1.5", "1000001"])
def test_what_is_no_number_of_the_sector_is_said_to_be_none(text):
    with pytest.raises(values.Unreadable):
        values.integer(text)


def test_a_systems_word_for_nothing_is_a_blank_code_and_a_surname():
    assert values.code("NULL") is None and values.text("Null") == "Null"


def test_a_report_lists_every_refused_row_and_counts_the_flags_it_does_not_list(tmp_path):
    report = Report("f.csv")
    report.open(tmp_path, name="r")
    for row in range(12_000):
        report.refuse(row, "dob", "x", "expected a date")
        report.flag(row, "upn", "y", "format")
    report.close()
    items = json.loads((tmp_path / "reports" / "r.json").read_text())["items"]
    assert sum(one["outcome"] == "refused" for one in items) == 12_000 == report.flagged
    assert items[-1]["why"].startswith("2000 more values were flagged") and len(items) == 22_001


def test_flagged_counts_rows_in_whatever_order_they_are_flagged():
    report = Report("f.csv")
    for row in (1, 2, 1, 2):
        report.flag(row, "upn", "x", "format")
    assert report.flagged == 2


# -- XML that would fill the memory ------------------------------------------------------------------------------------

TALL = 24 * 1024 * 1024
HELD = """
import sys
from pathlib import Path
from services.plumbing.files import markup
from services.plumbing.files.report import FileRefused
try:
    found = sum(1 for _ in markup.elements(Path(sys.argv[1]), "x.xml", "Child"))
except FileRefused as refused:
    found = str(refused)
highest = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(highest) // 1024, found)
"""


@pytest.mark.parametrize(
    ("before", "part", "after", "wanted"),
    [
        ("<a>", "<Child><b>1</b></Child>\n", "</a>", TALL // 24),
        ("<a>", "<junk><b>1</b></junk>\n", "</a>", 0),
        ("<a><Child/>", "<!-- a comment -->", "</a>", "larger than 4 MB"),
        ("<a><Child>", "<b>1</b><b>2</b>", "</Child></a>", "larger than 4 MB"),
        ("<a><Child>", "x" * 64, "</Child></a>", "larger than 4 MB"),
        ("<a><Child/><Child b='", "x" * 64, "'/></a>", "larger than 4 MB"),
        ("", "<!-- a comment -->", "<a/>", "more than a megabyte"),
        ("", "<a>", "", "nested too deep"),
    ],
    ids=["children", "junk", "comments", "one child", "text", "attribute", "prolog", "deep"],
)
def test_xml_of_any_length_and_depth_is_streamed_or_refused_in_little_memory(tmp_path, before, part, after, wanted):
    path = tmp_path / "x.xml"
    path.write_text(before + part * (TALL // len(part)) + after)
    done = subprocess.run([sys.executable, "-c", HELD, path], capture_output=True, text=True, check=True, timeout=60)
    memory, _, found = done.stdout.partition(" ")
    assert int(memory) < 300
    assert str(wanted) in found
