"""Labelled files: what is wrong with one is said before anything is judged, and figures count what they say."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from services.childview.identity import evaluate, labelled, picture
from services.childview.identity.labelled import FileRefused
from services.cli import main

HEADER = "id,given_name,family_name,birth_date,postcode,upn,person\n"
ROWS = [
    "1,Ada,Berg,2015-03-05,ZZ1 1ZZ,A1,p1", "2,Ada,Berg,05/03/2015,ZZ1 1ZZ,A1,p1", "3,Grace,Berg,20150305,ZZ1 1ZZ,A2,p2",
    "4,Bo,Corn,2011-01-20,ZZ9 9ZZ,A3,p3", "5,Bo,Corn,20/01/2011,ZZ9 9ZZ,A3,p3",
]  # fmt: skip


def file(folder: Path, text: str, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(folder: Path, text: str, *, column: str | None = "person", **fields: tuple[str, ...]) -> list[labelled.Labelled]:
    return labelled.read([file(folder, text)], fields=fields, truth_column=column)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("first,last,person\n1,2,3\n", "none of its columns is known"),
        ("id,id,given_name,person\n", "twice"),
        (HEADER.replace("person", "other"), "no column person"),
        (HEADER + "1,Ada\n", "row 2"),
        (HEADER + ROWS[0] + "\n" + ROWS[0] + "\n", "stands twice"),
        (HEADER + ROWS[0].replace("Ada", "A\0da") + "\n", "NUL"),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_refused_with_the_place(tmp_path, text, why):
    with pytest.raises(FileRefused, match=why):
        read(tmp_path, text)


@pytest.mark.parametrize("label", ["high", "nan", ""])
def test_a_label_that_is_no_number_is_refused_with_its_row(tmp_path, label):
    with pytest.raises(FileRefused, match="row 2"):
        labelled.truth(file(tmp_path, f"a,b,label\n1,2,{label}\n"), ["1", "2"], label="label")


def test_pairs_in_splinks_own_form_and_below_half_are_understood(tmp_path):
    text = "unique_id_l,set_l,unique_id_r,set_r,score\n1,x,2,x,0.9\n2,x,3,x,0.2\n"
    same = labelled.truth(file(tmp_path, text), ["1", "2", "3"], label="score")
    assert same["1"] == same["2"] != same["3"]


def test_dates_in_three_forms_are_read_and_others_are_named(tmp_path):
    found = read(tmp_path, HEADER + "\n".join(ROWS) + "\n")
    assert all(one.who.birth_date and not one.unread for one in found)
    (odd,) = read(tmp_path, HEADER + "9,Ada,Berg,06-17-2014,,,p\n")
    assert odd.unread == ("birth_date",) and odd.who.birth_date is None


def test_a_number_of_any_name_is_evidence_with_and_without_a_map(tmp_path):
    text = "id,given_name,identifier.pass,person\n1,Ada,X 1,p\n"
    (one,) = read(tmp_path, text)
    assert one.who.identifiers == {"identifier.pass:x1"}


def test_the_figures_count_links_holds_and_what_is_missed(tmp_path):
    records = read(tmp_path, HEADER + "\n".join(ROWS) + "\n")
    done = evaluate.run([one.who for one in records], [one.entity or "" for one in records], expected=5)
    figures = evaluate.figures(done)
    assert (figures["records"], figures["children"], figures["wrong_auto_links"]) == (5, 3, 0)
    assert figures["auto_links"] + figures["held"] + figures["missed"] + 3 == 5
    assert "<svg" in picture.draw(evaluate.thresholds(done)) and picture.table(evaluate.thresholds(done)).startswith("risk,")


def test_a_number_that_is_nobodys_is_learned_ignored_and_counted_and_not_named(tmp_path, capsys):
    luck = random.Random(1)
    names = ["".join(luck.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(500)]
    rows = [f"{n},{name},{name[::-1]},20{n % 15 + 5:02d}-{n % 12 + 1:02d}-{n % 27 + 1:02d},9999999999,{n}" for n, name in enumerate(names)]
    path = file(tmp_path, "id,given_name,family_name,birth_date,nhs_number,person\n" + "\n".join(rows) + "\n")
    with pytest.raises(SystemExit) as ended:
        main(["identity", "evaluate", "--records", str(path), "--truth-column", "person", "--json"])
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert (figures["numbers_ignored"], figures["records_with_ignored"], figures["auto_links"], figures["held"]) == (1, 500, 0, 0)
    assert not ended.value.code and "numbers that are nobody's and ignored: 1, on 500 records" in said.out + said.err
    assert "9999999999" not in said.out + said.err
