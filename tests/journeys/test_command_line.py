"""What a person reads at the command line of a running demonstration."""

from __future__ import annotations

import json

from tests.journeys.installation import Installation


def test_the_screen_says_how_many_there_are_and_the_view_knows_about_as_many(demonstration: Installation):
    screen = demonstration.run("demo", "show").stdout
    counts = json.loads((demonstration.state / "demonstration" / "manifest.json").read_text())["counts"]
    for said in (
        f"{counts['children']:,} children at {counts['schools']} schools", f"{counts['practitioners']} practitioners",
        f"{counts['in_need']} children in need, {counts['plans']} of them on protection plans, {counts['looked_after']} looked after",
        f"{counts['shielded']} shielded, {counts['adopted']} adopted",
    ):  # fmt: skip
        assert said in screen, screen
    status = demonstration.json("status")
    apart = sum(status["held"].values()) + 0.05 * counts["children"]
    assert abs(status["children"] - counts["children"]) <= apart


def test_this_school_years_attendance_is_believable_on_the_first_day(demonstration: Installation):
    scenario = next(one for one in json.loads((demonstration.state / "demonstration" / "scenarios.json").read_text()) if one["name"] == "A mark corrected later")
    found = demonstration.search("teacher", **scenario["search"])[0]["id"]
    rate = demonstration.read("teacher", found).json()["fields"]["attendance_rate"]["value"]
    assert rate >= 99.0, "she missed nothing, or the one session that another journey corrects"


def test_an_operator_sees_the_headers_of_a_stream_and_none_of_its_data(demonstration: Installation):
    body = {"kind": "census", "value": "P0000001"}
    known = [one for one in (demonstration.state / "demonstration" / "truth.csv").read_text().splitlines() if one.endswith(",census")]
    body["value"] = known[0].split(",")[1]
    stream = demonstration.client.ask("POST", "education", "/v1/pupils/find", json=body)["id"]
    shown = demonstration.json("events", "show", stream)
    assert {one["type"] for one in shown["events"]} >= {"education.person-recorded.v1", "education.attendance-recorded.v1"}
    assert all("data" not in one and "data_base64" not in one for one in shown["events"])
    versions = [one["streamversion"] for one in shown["events"] if one["place"].startswith("education.events/")]
    assert versions == list(range(1, len(versions) + 1))
