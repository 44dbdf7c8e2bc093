"""Relationships are dated and end by themselves; gates open only by positive evidence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from services.childview.projection.view import Enrolled, Home, Inputs, Involved, Period, Protected, Related, View
from services.childview.reading.gates import pass_gates
from services.childview.reading.relationship import NONE, Relationship, relationship
from services.disclosure.lease import Cover, Lease

TODAY = date(2026, 11, 24)


def day(back: int) -> str:
    return (TODAY - timedelta(days=back)).isoformat()


def lease(**changes) -> Lease:
    plain = {
        "person": "p", "post": "q", "role": "social-worker", "organisation_kind": "social_care", "organisations": [], "team_ids": [],
        "professional_ids": ["sw-1"], "supervises": [], "covers": [], "on_duty": False, "assigned_schools": [], "training": [],
        "vetting_current": True, "address_hash": None, "conflicts": {}, "colleagues_children": [], "purpose": "casework", "bundle": "b",
        "policy_version": 1, "issued": 0.0, "expires": 9e9, "name": "n", "purposes": [],
    }  # fmt: skip
    return Lease(**{**plain, **changes})


def involved(kind: str = "allocated", *, start: str | None = day(90), end: str | None = None, who: str = "sw-1", team: str | None = None) -> Inputs:
    return Inputs(involved=[Involved(kind, who, team, "social_care", start, end)])


@pytest.mark.parametrize(
    ("end", "kinds", "phase"),
    [(None, {"allocated"}, "current"), (day(-1), {"allocated"}, "current"), (day(0), {"allocated"}, "closing"), (day(1), {"allocated"}, "closing"),
     (day(27), {"allocated"}, "closing"), (day(28), set(), "current"), (day(400), set(), "current")],
)  # fmt: skip
def test_work_that_ended_is_closing_for_28_days_and_then_as_if_it_had_never_been(end, kinds, phase):
    assert relationship(involved(end=end), lease(), TODAY) == Relationship(frozenset(kinds), phase)


def test_work_that_has_not_begun_and_work_of_others_relate_nobody():
    assert relationship(involved(start=day(-1)), lease(), TODAY) == NONE
    assert relationship(involved(who="sw-2"), lease(), TODAY) == NONE


def test_what_is_current_counts_alone():
    both = Inputs(involved=[*involved(end=day(3)).involved, *involved("reviewing").involved])
    assert relationship(both, lease(), TODAY) == Relationship(frozenset({"reviewing"}))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"professional_ids": [], "supervises": ["sw-1"]}, "supervising"),
        ({"professional_ids": [], "covers": [Cover("sw-1", day(1), day(-1))]}, "cover"),
        ({"professional_ids": [], "on_duty": True}, "duty"),
    ],
)
def test_supervising_cover_and_duty_come_from_the_staff_file(changes, kind):
    assert kind in relationship(involved(), lease(**changes), TODAY).kinds


def test_a_team_relates_its_social_workers_and_no_health_visitor():
    team = involved(who="sw-2", team="t1")
    assert relationship(team, lease(team_ids=["t1"]), TODAY).kinds == {"case_team"}
    assert relationship(team, lease(team_ids=["t1"], role="health-visitor"), TODAY) == NONE


def test_school_staff_are_related_to_children_on_their_roll():
    inputs = Inputs(enrolments=[Enrolled("9994001", day(100), None)])
    teacher = lease(role="teacher", organisations=["9994001"], professional_ids=[])
    assert relationship(inputs, teacher, TODAY).kinds == {"school_staff"}
    assert relationship(inputs, lease(role="teacher", organisations=["9994002"]), TODAY) == NONE


def test_a_family_is_registered_at_the_centre_and_not_with_one_of_its_workers():
    registered = involved("centre_registered", who="cc-1", team="centre-1")
    for place in ({"team_ids": ["centre-1"]}, {"organisations": ["centre-1"]}, {"professional_ids": ["cc-1"]}):
        assert relationship(registered, lease(**{"role": "childrens-centre-worker", "professional_ids": ["cc-2"], **place}), TODAY).kinds == {"centre_registered"}
    assert relationship(registered, lease(role="childrens-centre-worker", professional_ids=["cc-2"], organisations=["centre-2"]), TODAY) == NONE
    assert relationship(registered, lease(professional_ids=["sw-2"], team_ids=["centre-1"]), TODAY) == NONE


def test_a_family_that_left_the_centre_is_closing_for_all_its_workers():
    left = involved("centre_registered", who="cc-1", team="centre-1", end=day(3))
    assert relationship(left, lease(role="childrens-centre-worker", organisations=["centre-1"]), TODAY).phase == "closing"


def test_a_health_visitor_is_named_in_person_whatever_the_team():
    named = involved("health_named", who="hv-1", team="clinic-1")
    assert relationship(named, lease(role="health-visitor", professional_ids=["hv-1"]), TODAY).kinds == {"health_named"}
    assert relationship(named, lease(role="health-visitor", professional_ids=["hv-2"], team_ids=["clinic-1"], organisations=["clinic-1"]), TODAY) == NONE


@pytest.mark.parametrize("role", ["teacher", "school-safeguarding-lead", "childrens-centre-worker", "health-visitor"])
def test_whoever_is_recorded_in_the_core_group_is_of_the_case_team(role):
    assert relationship(involved("case_team", who="w-7"), lease(role=role, professional_ids=["w-7"]), TODAY).kinds == {"case_team"}


@pytest.mark.parametrize(
    ("kind", "end", "kinds", "phase"),
    [("looked_after", None, {"virtual_school"}, "current"), ("protection", None, {"virtual_school"}, "current"),
     ("looked_after", day(3), {"virtual_school"}, "closing"), ("looked_after", day(28), set(), "current"), ("care_leaver", None, set(), "current")],
)  # fmt: skip
def test_a_virtual_school_is_related_while_the_child_is_looked_after_or_has_a_social_worker(kind, end, kinds, phase):
    child = Inputs(periods=[Period(kind, day(90), end)])
    assert relationship(child, lease(role="virtual-school-officer"), TODAY) == Relationship(frozenset(kinds), phase)


def test_a_virtual_school_named_in_work_with_a_child_not_in_its_care_is_not_related():
    assert relationship(involved("virtual_school", who="vs-1"), lease(role="virtual-school-officer", professional_ids=["vs-1"]), TODAY) == NONE


# -- gates -------------------------------------------------------------------------------------------------------


def view(kind: str | None = None, *, named=(), end: str | None = None, withheld: bool = False, **inputs) -> View:
    protections = [Protected(kind, day(10), end, list(named), None)] if kind else []
    return View(child="c", inputs=Inputs(protections=protections, **inputs), withheld=withheld)


def opens(found: View, asker: Lease, kinds=("allocated",), phase: str = "current") -> bool:
    return pass_gates(found, asker, Relationship(frozenset(kinds), phase), TODAY).open


def test_a_shielded_child_opens_to_those_named_and_to_the_protection_team():
    assert opens(view("shielded", named=["sw-1"]), lease())
    assert not opens(view("shielded", named=["sw-2"]), lease())
    assert opens(view("shielded", named=["sw-2"]), lease(role="protection-officer"), kinds=())


def test_where_nobody_is_named_the_allocated_worker_and_the_manager_pass_and_no_closing_one():
    assert opens(view("shielded"), lease())
    assert opens(view("shielded"), lease(), kinds=("supervising",))
    assert not opens(view("shielded"), lease(), kinds=("case_team",))
    assert not opens(view("shielded"), lease(), phase="closing")


def test_a_protection_holds_until_its_last_day_has_passed():
    assert not opens(view("shielded", named=["sw-2"], end=day(0)), lease())
    assert opens(view("shielded", named=["sw-2"], end=day(1)), lease())


def test_an_adopted_child_opens_to_the_adoption_team_alone():
    assert [role for role in ("social-worker", "protection-officer", "adoption-officer") if opens(view("adopted"), lease(role=role))] == ["adoption-officer"]


def test_a_lookalike_of_a_protected_child_opens_to_the_protection_team_alone():
    assert not opens(view(withheld=True), lease())
    assert opens(view(withheld=True), lease(role="protection-officer"))


def test_a_declared_conflict_and_the_same_address_close_the_gate():
    assert not opens(view(), lease(conflicts={"c": "relative"}))
    assert not opens(view(homes=[Home("h", None)]), lease(address_hash="h"))
    assert not opens(view(homes=[Home("h", day(-30))]), lease(address_hash="h")), "a home until a day to come is a home"
    assert opens(view(homes=[Home("h", day(0))]), lease(address_hash="h"))
    assert opens(view(), lease(colleagues_children=["c"]))


def guarded(local_id: str, protection: Protected, **inputs) -> View:
    return View(child="other", inputs=Inputs(local_ids=[local_id], protections=[protection], **inputs))


def silent(found: View, kin: View, asker: Lease) -> frozenset[str]:
    return pass_gates(found, asker, NONE, TODAY, kin=[kin]).silent


def test_a_shielded_brother_is_not_named_to_whoever_may_not_open_him():
    brother = guarded("SC2", Protected("shielded", day(10), None, ["sw-1"], None))
    assert silent(view(related=[Related("SC2", True)]), brother, lease(professional_ids=["sw-9"])) == {"SC2"}
    assert not silent(view(related=[Related("SC2", True)]), brother, lease())
    assert not silent(view(related=[Related("SC2", True)]), brother, lease(role="protection-officer", professional_ids=[]))


@pytest.mark.parametrize("found", [view(related=[Related("DAD", True)]), view(local_ids=["DAD"])], ids=["lives with him", "is the risk"])
def test_where_someone_is_a_risk_to_another_child_nothing_of_its_whereabouts_shows(found):
    other = guarded("SC2", Protected("risk_linked", day(10), None, [], "DAD"), homes=[Home("safe", None), Home("old", day(3))])
    assert silent(found, other, lease()) == {"SC2", "safe"}
    assert not silent(view(related=[Related("MUM", True)]), other, lease())


DAD = Related("DAD", False, True, "dad")
MUM = Related("MUM", True, False, "mum")
SON = guarded("SC2", Protected("risk_linked", day(10), None, [], "DAD"), related=[DAD, MUM], names=["son"])
SCHOOLS_DAD, SCHOOLS_MUM, SCHOOLS_SON = (Related(f"contact 9994001 {n}", False, False, name, True) for n, name in enumerate(("dad", "mum", "son")))


def test_a_school_that_alone_names_the_risk_as_a_contact_silences_as_social_care_would():
    assert silent(view(related=[SCHOOLS_DAD]), SON, lease()) == {"SC2"}
    assert not silent(view(related=[replace(SCHOOLS_DAD, name="dads-namesake")]), SON, lease())
    assert not silent(view(related=[replace(SCHOOLS_DAD, name="")]), SON, lease()), "half a name is nobody's"


def test_where_the_risk_is_near_no_contact_tells_by_which_telephone_the_child_or_who_lives_with_it_is_reached():
    found = view(related=[Related("DAD", True, False, "dad"), SCHOOLS_DAD, SCHOOLS_MUM, SCHOOLS_SON])
    assert silent(found, SON, lease()) == {"SC2", SCHOOLS_MUM.local_id, SCHOOLS_SON.local_id}
    told = view(related=[Related("DAD", True, False, "dad"), Related("MUM", False, False, "mum"), replace(SCHOOLS_SON, reached=False)])
    assert silent(told, SON, lease()) == {"SC2", SCHOOLS_SON.local_id}, "that she is related stays, that he is there does not"


def test_who_is_known_to_live_elsewhere_keeps_the_telephone():
    other = guarded("SC2", Protected("risk_linked", day(10), None, [], "DAD"), related=[DAD, replace(MUM, lives_with=False, elsewhere=True)])
    assert silent(view(related=[DAD, SCHOOLS_MUM]), other, lease()) == {"SC2"}


def test_the_risk_himself_keeps_the_telephone_though_nobody_says_where_he_lives():
    other = guarded("SC2", Protected("risk_linked", day(10), None, [], "DAD"), related=[replace(DAD, elsewhere=False), MUM])
    assert silent(view(related=[SCHOOLS_DAD, SCHOOLS_MUM]), other, lease()) == {"SC2", SCHOOLS_MUM.local_id}


def test_far_from_the_risk_every_contact_keeps_the_telephone():
    assert not silent(view(related=[SCHOOLS_MUM, SCHOOLS_SON]), SON, lease())


def test_what_was_declared_of_a_child_holds_for_the_child_it_became():
    passed = pass_gates(view(), lease(conflicts={"before": "relative"}), NONE, TODAY, former=["before"])
    assert not passed.open and passed.flags["relative"] and not passed.flags["self"]


def test_the_clearing_house_comes_to_pairs_in_its_queue_and_the_adoption_team_to_the_adopted():
    officer = lease(role="clearing-house-officer")
    assert not pass_gates(view(), officer, NONE, TODAY).open
    assert pass_gates(view(), officer, NONE, TODAY, in_pair=True).open
    assert not opens(view(), lease(role="adoption-officer"), kinds=())


def test_a_lookalike_of_an_adopted_child_opens_to_the_adoption_team_too():
    officer = lease(role="adoption-officer")
    assert pass_gates(view(withheld=True), officer, NONE, TODAY, beside_adopted=True).open
    assert not pass_gates(view(withheld=True), officer, NONE, TODAY).open
    assert not pass_gates(view(withheld=True), lease(), NONE, TODAY, beside_adopted=True).open
