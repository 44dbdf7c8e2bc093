"""A file that is refused takes nothing of the delivery's other files along, wherever it stands among them."""

from __future__ import annotations

import pytest

from tests.education.test_every_column import ROLL, table


@pytest.mark.parametrize("bad", ["2026_spring_a.csv", "2026_spring_z.csv"])
@pytest.mark.parametrize("content", ["", "colour,size\nred,3\n", "pupilonrolltableid,NativeId\nP1\n"])
async def test_the_good_files_of_a_delivery_are_taken_whole_beside_a_refused_one(school, bad, content):
    reports = await school.take({name: content if name == bad else table(ROLL) for name in sorted({bad, "2026_spring_m.csv"})})
    found = {one["file"]: one for one in reports}
    assert found[bad]["why"] and found[bad]["accepted"] == 0
    assert "why" not in found["2026_spring_m.csv"] and found["2026_spring_m.csv"]["accepted"] == 1
    assert len(school.said("person")) == 1 and len(school.said("enrolment")) == 1
