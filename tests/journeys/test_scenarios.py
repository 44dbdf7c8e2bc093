"""Every named child of the demonstration keeps its promise, over the API, as `make demo` tells people to try it."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta

import pytest

from tests.journeys.installation import Installation, eventually


@pytest.fixture(scope="module")
def told(demonstration: Installation) -> dict[str, dict]:
    found = json.loads((demonstration.state / "demonstration" / "scenarios.json").read_text())
    return {one["name"]: one for one in found}


def manifest(here: Installation) -> dict:
    return json.loads((here.state / "demonstration" / "manifest.json").read_text())


def child(here: Installation, told: dict, name: str, *, who: str | None = None, purpose: str | None = None) -> dict:
    """What the person of a scenario reads of its child."""
    one = told[name]
    who, purpose = who or one["be"], purpose or one["purpose"]
    items = here.search(who, purpose=purpose, **one["search"])
    assert items, f"{who} does not find the child of {name}"
    answer = here.read(who, items[0]["id"], purpose=purpose)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_clue_across_files_stands_in_one_chronology(demonstration, told):
    found = child(demonstration, told, "The clue across files")
    dated = demonstration.read(told["The clue across files"]["be"], found["id"], "/chronology").json()["items"]
    assert {"attendance", "referrals", "assessments", "plans"} <= {one["category"] for one in dated}
    kinds = {one["kind"] for one in found["entries"]["referrals"]["items"]}
    assert kinds == {"referral", "contact"} and found["fields"]["plan_status"]["value"] == "need"
    assert "voice" in found["entries"]
    assert found["fields"]["persistent_absence"]["value"] == "yes"
    assert [one["date"] for one in dated] == sorted((one["date"] for one in dated), reverse=True)


def test_her_teacher_sees_a_part_and_nothing_of_social_care(demonstration, told):
    found = child(demonstration, told, "The same child, as her teacher")
    assert "attendance" in found["entries"]
    assert not {"referrals", "assessments", "plans", "involvements", "voice"} & found["entries"].keys()
    own = [one for category in ("contact", "household") for one in found["entries"][category]["items"]]
    assert {one["source"] for one in own} == {"education"}, "what her own school wrote"
    assert "socialcare" not in json.dumps(found) and "social care" not in json.dumps(found).lower()


def test_a_practitioner_with_no_relation_sees_who_she_is_and_whom_to_ask(demonstration, told):
    found = child(demonstration, told, "The same child, with no relation")
    assert set(found["entries"]) <= {"involvements"} and found["ask"]
    assert "attendance_rate" not in found["fields"]


def test_a_child_on_a_protection_plan_shows_the_way_to_it_and_what_is_next(demonstration, told):
    found = child(demonstration, told, "A child on a protection plan")
    assert found["fields"]["plan_status"]["value"] == "protection"
    assert kinds_of(found, "assessments") == {"assessment", "section_47"}
    assert kinds_of(found, "plans") == {"plan", "conference", "review", "visit"}
    plans = [one for one in found["entries"]["plans"]["items"] if one["kind"] == "plan"]
    assert len(plans) == 1 and plans[0]["fields"]["abuse_category"]["value"]
    assert [one for one in found["entries"]["plans"]["items"] if one["kind"] == "review" and one["fields"]["plan_review_due"]["value"] > date.today().isoformat()]


def kinds_of(found: dict, category: str) -> set[str]:
    return {one["kind"] for one in found["entries"].get(category, {"items": []})["items"]}


def test_her_schools_lead_sees_which_plan_and_its_next_review_alone(demonstration, told):
    found = child(demonstration, told, "The same child, as the safeguarding lead of the school")
    text = json.dumps(found["entries"]["plans"])
    assert kinds_of(found, "plans") <= {"plan", "review"} and "abuse_category" not in text
    assert "assessments" not in found["entries"] and '"protection"' in text


def test_a_child_in_care_shows_every_kind_of_record_of_care(demonstration, told):
    found = child(demonstration, told, "A child in care")
    assert found["fields"]["plan_status"]["value"] == "looked_after"
    assert kinds_of(found, "looked_after") >= {"episode", "review"} and len(found["entries"]["placement"]["items"]) >= 2
    assert {"missing", "health", "voice", "sen", "involvements", "referrals", "assessments"} <= found["entries"].keys()
    assert {"sdq_band", "missing_episodes_year", "placement_moves_year", "care_review_overdue"} <= found["fields"].keys()
    assert all(one["fields"]["legal_status"]["value"] for one in found["entries"]["looked_after"]["items"] if one["kind"] == "episode")


def test_where_she_lives_reaches_nobody_in_education(demonstration, told):
    placed = child(demonstration, told, "A child in care")["entries"]["placement"]["items"]
    secrets = {one["fields"][name]["value"] for one in placed for name in ("placement_postcode", "placement_urn")}
    teacher = child(demonstration, told, "The same child, as her teacher in school")
    virtual = child(demonstration, told, "The same child, as the virtual school")
    lead = child(demonstration, told, "A child in care", who="lead-1", purpose="casework")
    for found in (teacher, virtual, lead):
        assert not [one for one in secrets if one in json.dumps(found)]
    assert "looked_after" in virtual["entries"] and "placement" not in virtual["entries"]
    assert not {"looked_after", "placement", "missing", "health", "referrals", "plans"} & teacher["entries"].keys()
    assert "social care" not in json.dumps(teacher).lower() and "socialcare" not in json.dumps(teacher)


def test_a_care_leaver_is_seen_by_his_adviser(demonstration, told):
    found = child(demonstration, told, "A care leaver")
    status = found["entries"]["care_leaving"]["items"][0]["fields"]
    assert status["in_touch"]["value"] == "YES" and status["care_leaver_eligibility"]["value"]
    assert {"activity", "accommodation", "pathway_plan_review"} <= status.keys()
    assert not {"looked_after", "placement"} & found["entries"].keys()


def test_early_help_shows_that_it_is_open_and_who_leads_it_but_not_why(demonstration, told):
    found = child(demonstration, told, "Early help")
    shown = found["entries"]["early_help"]["items"]
    assert len(shown) == 1 and {field["level"] for field in shown[0]["fields"].values()} == {"masked"}
    assert "early_help_reason" not in shown[0]["fields"] and "referrals" not in found["entries"]


def test_twins_with_each_others_numbers_are_held_not_linked(demonstration, told):
    search = told["A twin pair, each with the other's number"]["search"]
    found = demonstration.search("clearing-house-officer", purpose="data_quality", **search)
    assert len(found) >= 2
    pairs = demonstration.ask("clearing-house-officer", "GET", "/v1/duplicates", purpose="data_quality").json()["items"]
    held = {one["id"] for pair in pairs for one in pair["children"]}
    assert {one["id"] for one in found} & held


def test_a_shielded_child_and_her_mistyped_school_record_are_found_by_the_protection_team_alone(demonstration, told):
    typed = told["A shielded child with a mistyped school record"]["search"]
    right = told["The same, as the protection team"]["search"]
    for who, purpose in (("teacher", "casework"), ("school-safeguarding-lead", "casework"), ("social-work-manager", "enquiry"), ("health-visitor", "enquiry")):
        assert not demonstration.search(who, purpose=purpose, **typed), who
        assert not demonstration.search(who, purpose=purpose, **right), who
    assert demonstration.search("protection-officer", purpose="enquiry", **right)
    assert demonstration.search("sw-001", purpose="casework", **right), "her named worker"
    queue = demonstration.ask("protection-officer", "GET", "/v1/duplicates", purpose="data_quality").json()["items"]
    assert any(pair["queue"] == "protection" for pair in queue)
    ordinary = demonstration.ask("clearing-house-officer", "GET", "/v1/duplicates", purpose="data_quality").text
    assert "Verborgenw" not in ordinary


def test_adoption_made_two_children_and_nothing_joins_them(demonstration, told):
    before, after = told["The same child before adoption"]["search"], told["A child after adoption"]["search"]
    for who, purpose in (("social-worker", "casework"), ("protection-officer", "enquiry"), ("clearing-house-officer", "data_quality")):
        assert not demonstration.search(who, purpose=purpose, **before), who
    old = demonstration.search("adoption-officer", purpose="casework", **before)[0]["id"]
    new = child(demonstration, told, "A child after adoption")
    assert old != new["id"] and "Vormalsberg" not in json.dumps(new)
    assert "Vormalsberg" not in demonstration.ask("clearing-house-officer", "GET", "/v1/duplicates", purpose="data_quality").text
    assert demonstration.search("social-worker", purpose="enquiry", **after)
    taught = child(demonstration, told, "The same child, as her teacher after adoption")
    assert "Vormalsberg" not in json.dumps(taught) and "adoption" not in json.dumps(taught).lower()
    record = child(demonstration, told, "The same child before adoption")
    assert len(record["entries"]["adoption"]["items"]) >= 3 and "Nachmalsberg" not in json.dumps(record)


def test_an_involvement_that_ended_yesterday_shows_what_a_closing_worker_may_see(demonstration, told):
    found = child(demonstration, told, "An involvement that ended yesterday")
    assert "contact" not in found["entries"]
    levels = {field["level"] for one in found["entries"].get("referrals", {"items": []})["items"] for field in one["fields"].values()}
    assert "full" not in levels


def test_a_relative_does_not_find_her_and_any_other_social_worker_does(demonstration, told):
    one = told["A worker who is a relative"]
    assert not demonstration.search(one["be"], purpose="enquiry", **one["search"])
    assert demonstration.search("sw-001", purpose="enquiry", **one["search"])


def test_without_training_the_allocated_worker_sees_less(demonstration, told):
    found = child(demonstration, told, "Training that has expired")
    assert "plan_status" not in found["fields"] and "referrals" not in found["entries"]
    assert found["noted"]


def test_two_birth_dates_are_held_merged_shown_with_their_sources_and_unmerged(demonstration, told):
    one = told["Two sources with different birth dates"]
    names = {"family_name": one["search"]["family_name"], "given_name": one["search"]["given_name"]}
    found = [item["id"] for item in demonstration.search("sw-001", purpose="enquiry", **names)]
    assert len(found) == 2
    before = {id: demonstration.read("sw-001", id, purpose="enquiry").json() for id in found}
    officer = {"who": "clearing-house-officer", "purpose": "data_quality"}
    pairs = demonstration.ask(officer["who"], "GET", "/v1/duplicates", purpose="data_quality").json()["items"]
    pair = next(pair["id"] for pair in pairs if {c["id"] for c in pair["children"]} == set(found))
    assert demonstration.ask(officer["who"], "POST", f"/v1/duplicates/{pair}/claim", purpose="data_quality").status_code == 204
    dry = demonstration.ask(officer["who"], "POST", f"/v1/duplicates/{pair}/decision", purpose="data_quality", json={"outcome": "same", "reason": "the certificate says so", "dry_run": True})
    assert dry.status_code == 200 and set(dry.json()["moves"][0].values()) == set(found), dry.text
    answer = demonstration.ask(officer["who"], "POST", f"/v1/duplicates/{pair}/decision", purpose="data_quality", json={"outcome": "same", "reason": "the certificate says so"})
    assert answer.status_code == 201, answer.text
    merged = eventually(lambda: (items := demonstration.search("sw-001", purpose="enquiry", **names)) and len(items) == 1 and items[0]["id"])
    shown = demonstration.read("sw-001", merged, purpose="enquiry").json()["fields"]["birth_date"]
    assert {shown["value"], *(other["value"] for other in shown["others"])} == {"2016-03-05", "2016-09-23"} or len(shown["others"]) == 1
    gone = next(id for id in found if id != merged)
    moved = demonstration.read("sw-001", gone, purpose="enquiry")
    assert moved.status_code == 308 and moved.headers["Location"].endswith(merged)
    undone = demonstration.ask(officer["who"], "POST", f"/v1/children/{merged}/unmerge", purpose="data_quality", json={"decision": answer.json()["decision"], "reason": "the wrong certificate"})
    assert undone.status_code == 201 and undone.json()["seen"]["people"] == 1, undone.text
    saw = demonstration.ask("auditor", "GET", f"/v1/unmerges/{undone.json()['decision']}/seen", purpose="audit")
    assert {one["person"] for one in saw.json()["items"]} == {"sw-001"}, saw.text
    eventually(lambda: len(demonstration.search("sw-001", purpose="enquiry", **names)) == 2)
    after = {id: demonstration.read("sw-001", id, purpose="enquiry").json() for id in found}
    assert {id: one["fields"] for id, one in after.items()} == {id: one["fields"] for id, one in before.items()}
    assert {id: one["entries"] for id, one in after.items()} == {id: one["entries"] for id, one in before.items()}


def test_an_unborn_sibling_is_named_in_the_household_and_has_a_view(demonstration, told):
    found = child(demonstration, told, "An unborn sibling")
    relations = [one["fields"]["relationship"]["value"] for one in found["entries"]["household"]["items"]]
    assert "unborn sibling" in relations
    number = int(found["fields"]["local_child_id"]["value"][2:]) + 1
    unborn = demonstration.search("sw-001", purpose="casework", identifier={"type": "local_child_id", "value": f"SC{number:06d}"})
    assert unborn and demonstration.read("sw-001", unborn[0]["id"], purpose="casework").json()["fields"]["expected_birth_date"]


def test_a_parked_stream_is_said_and_the_rest_goes_on(demonstration, told):
    found = child(demonstration, told, "A parked stream")
    assert found["may_be_out_of_date"] == ["education"]
    parked = demonstration.json("park", "list")
    assert {one["process"] for one in parked} >= {"projector"} and all("reason" in one for one in parked)


def test_a_later_file_corrects_a_mark(demonstration, told):
    told_of = manifest(demonstration)["correction"]
    path = demonstration.state / "demonstration" / told_of["file"]
    before = child(demonstration, told, "A mark corrected later")

    def mark(found: dict) -> str:
        wanted = {"date": told_of["date"], "session": told_of["session"]}
        return next(one["fields"]["attendance_code"]["value"] for one in found["entries"]["attendance"]["items"]
                    if one["fields"].get("attendance_session", {}).get("value") == wanted)  # fmt: skip

    assert mark(before) == told_of["before"]
    done = demonstration.json("import", "education", "--yes", str(path))
    assert done["files"][0]["events"] == 1
    assert demonstration.json("import", "education", "--yes", str(path))["files"][0]["events"] == 0
    demonstration.wait()
    assert mark(child(demonstration, told, "A mark corrected later")) == told_of["after"]


def test_a_later_file_deletes_a_contact(demonstration, told):
    path = demonstration.state / "demonstration" / manifest(demonstration)["deletion"]["file"]

    def contacts(found: dict) -> set[str]:
        return {one["fields"]["relationship"]["value"] for one in found["entries"]["household"]["items"] if one["kind"] == "relation"}

    assert "Grandparent" in contacts(child(demonstration, told, "A contact deleted later"))
    done = demonstration.json("import", "education", "--yes", str(path))
    assert (done["files"][0]["events"], done["files"][0]["refused"]) == (1, 0)
    assert demonstration.json("import", "education", "--yes", str(path))["files"][0]["events"] == 0
    demonstration.wait()
    after = contacts(child(demonstration, told, "A contact deleted later"))
    assert "Grandparent" not in after and "Mother" in after


def test_ending_an_involvement_takes_the_case_away(demonstration, told):
    before = child(demonstration, told, "An involvement that you end")
    assert "contact" in before["entries"]
    assert demonstration.run("demo", "end-involvement").returncode == 0
    demonstration.wait()
    after = child(demonstration, told, "An involvement that you end")
    assert "contact" not in after["entries"]


def test_a_shield_takes_effect_in_reads_within_two_seconds(demonstration, told):
    one = told["A mark corrected later"]
    found = demonstration.search("teacher", purpose="casework", **one["search"])[0]["id"]
    local = demonstration.read("sw-001", found, purpose="casework").json()["fields"]["local_child_id"]["value"]
    person = demonstration.client.ask("POST", "socialcare", "/v1/persons", json={"local_id": local})["id"]
    body = {"protection_kind": "shielded", "start_date": date.today().isoformat(), "named_professional_ids": ["sw-001"]}
    path = f"/v1/persons/{person}/protection"
    demonstration.client.ask("PUT", "socialcare", path, json=body)
    started = time.monotonic()
    eventually(lambda: demonstration.read("teacher", found, purpose="casework").status_code == 404, every=0.05)
    took = time.monotonic() - started
    assert demonstration.read("sw-001", found, purpose="casework").status_code == 200
    body["end_date"] = (date.today() - timedelta(days=1)).isoformat()
    demonstration.client.ask("PUT", "socialcare", path, json=body)
    eventually(lambda: demonstration.read("teacher", found, purpose="casework").status_code == 200)
    assert took < 2


def test_nothing_unequal_after_all_this_when_rebuilt(demonstration):
    demonstration.wait()
    done = demonstration.run("rebuild", "--verify")
    assert done.returncode == 0, done.stdout
