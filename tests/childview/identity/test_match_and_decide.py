"""Who is who, and what is decided by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.childview.identity import decide
from services.childview.identity.compare import compare
from services.childview.identity.decide import Candidate, Linked, Matching, Pair
from services.childview.identity.demographics import Demographics, of_address, of_person
from services.childview.identity.demographics import combine as together
from services.childview.identity.model import Model
from services.childview.identity.resembles import resembles

UPN = {"type": "upn", "value": "A123456789012", "valid": True, "reason": None}
ADA = {"given_name": "Ada", "family_name": "Zwillings", "birth_date": "2015-03-05", "identifiers": [UPN]}
MODEL = Model()
HOME = of_address({"lines": ["1 Long Lane", "Wexmoor"], "postcode": "ZZ1 1ZZ"})


def who(*, home: bool = False, **changes) -> Demographics:
    person = of_person({**ADA, **changes})
    return together([person, HOME]) if home else person


def found(one: Demographics, other: Demographics):
    return compare(one, other, MODEL.spelling)


def candidate(child: str = "c1", record: str = "r1", *, protected: bool = False, **changes) -> Candidate:
    return Candidate(record, child, who(**changes), protected)


def decided(*candidates: Candidate, now: Linked | None = None, fellows=(), apart=(), pairs=(), **changes) -> decide.Decision | None:
    return decide.decide(
        "mine", who(**changes), candidates=candidates, now=now, fellows=fellows, apart=apart, pairs=pairs, new_id=lambda: "new-child"
    )


def test_the_same_number_with_agreeing_names_and_birth_date_is_the_same_child():
    decision = decided(candidate())
    assert decision.kind == "link" and decision.sets["mine"].child == "c1"


def test_without_a_number_the_same_name_birth_date_and_home_are_the_same_child():
    decision = decided(candidate(identifiers=[], home=True), identifiers=[], home=True)
    assert decision.kind == "link"


def test_without_number_and_home_name_and_birth_date_are_held():
    decision = decided(candidate(identifiers=[]), identifiers=[])
    assert decision.kind == "hold" and decision.opens == (Pair("mine", "r1", "ordinary"),)


def test_twins_with_each_others_numbers_are_not_linked():
    decision = decided(candidate(given_name="Grace"))
    assert decision.kind == "hold" and decision.sets["mine"].child == "new-child"
    assert decision.opens == (Pair("mine", "r1", "ordinary"),)


def test_a_twin_of_the_same_home_is_a_child_of_its_own():
    assert decided(candidate(identifiers=[], given_name="Grace", home=True), identifiers=[], home=True).kind == "new"


def test_two_valid_numbers_of_one_kind_are_held_whatever_else_agrees():
    other = {**UPN, "value": "B123456789012"}
    decision = decided(candidate(home=True), identifiers=[other], home=True)
    assert decision.kind == "hold" and decision.evidence["r1"]["vetoes"] == ["number-conflict"]


def test_the_same_number_with_another_birth_date_is_held():
    assert decided(candidate(birth_date="2011-11-28")).kind == "hold"


def test_a_former_family_name_a_short_name_and_a_typing_error_do_not_part_a_child_from_itself():
    for change in ({"family_name": "Berg", "former_family_name": "Zwillings"}, {"family_name": "Zwilings"}):
        assert decided(candidate(**change)).kind == "link"
    lizzie = {"given_name": "Lizzie"}
    assert decided(candidate(given_name="Elizabeth"), **lizzie).kind == "link"


def test_names_in_each_others_fields_are_recognised():
    assert found(who(), who(given_name="Zwillings", family_name="Ada"))["given_name"] == "crossed"


def test_everything_else_is_a_new_child():
    assert decided(candidate(identifiers=[], birth_date="2011-01-20")).kind == "new"
    assert decided(candidate(identifiers=[], given_name="Bo", family_name="Berg")).kind == "new"


def test_a_bad_number_never_links_and_never_drops_a_child():
    bad = {**UPN, "valid": False, "reason": "check letter"}
    assert found(who(identifiers=[bad]), who(identifiers=[bad])).shared == []
    assert decided(identifiers=[bad]).kind == "new"


def test_a_birth_date_in_no_calendar_never_drops_a_child():
    assert decided(birth_date="2015-02-31").kind == "new"


def test_names_agree_whatever_their_case_accents_script_and_hyphens():
    for one, other in (("Anaïs-Marie", "ANAIS MARIE"), ("O’Neill", "oneill"), ("Łucja", "Lucja"), ("Юлия", "Yuliya")):
        assert found(who(given_name=one), who(given_name=other))["given_name"] == "equal"


def test_any_text_in_any_field_drops_no_child():
    for text in ("x" * 300, "👧🏽", "\u202eאבג", "'; drop table", " ", "-"):
        assert decided(candidate(), given_name=text, family_name=text, middle_names=text, sex=text) is not None


def test_what_resembles_a_protected_child_is_invisible_and_in_the_protection_teams_queue():
    decision = decided(candidate(protected=True, identifiers=[], family_name="Zwilling"))
    assert decision.sets["mine"].withheld and decision.sets["mine"].status == "held"
    assert {pair.queue for pair in decision.opens} == {"protection"}


def test_only_exact_agreement_with_a_number_joins_a_protected_child():
    assert decided(candidate(protected=True)).kind == "link"
    held = decided(candidate(protected=True, given_name="Adda", home=True), home=True)
    assert held.kind == "hold" and held.sets["mine"].withheld


def test_what_is_withheld_stays_so_at_its_next_version_until_the_protections_end_is_decided():
    withheld = Linked("c9", "new", "held", True)
    open_pair = [Pair("mine", "r1", "protection")]
    other = candidate("c2", "r2", given_name="Ada", family_name="Other")
    for near in ((candidate(given_name="Ida"),), (candidate(given_name="Ida"), other)):
        decision = decided(*near, now=withheld, pairs=open_pair, family_name="Zwillings")
        assert decision is None or decision.sets["mine"].withheld


def test_not_the_same_sticks():
    assert decided(candidate(), apart={"r1"}).kind == "new"


def test_what_people_verified_is_never_decided_anew():
    assert decided(candidate(), now=Linked("c9", "verified", "linked")) is None


def test_a_link_that_nothing_contradicts_stays():
    held = Linked("c1", "automatic", "linked")
    assert decided(candidate(), now=held, fellows={"r1"}, identifiers=[]) is None


def test_a_link_that_is_contradicted_is_left():
    held = Linked("c1", "automatic", "linked")
    decision = decided(candidate(), now=held, fellows={"r1"}, given_name="Somebody", family_name="Else", identifiers=[])
    assert decision.sets["mine"].child == "new-child"


def test_two_children_with_the_same_number_are_never_chosen_between():
    decision = decided(candidate("c1", "r1"), candidate("c2", "r2"))
    assert decision.kind == "hold" and len(decision.opens) == 2


def test_where_too_many_share_a_key_nothing_is_linked_and_nothing_new_is_made_unseen():
    made = decide.decide(
        "mine", who(), candidates=[candidate()], now=None, fellows=(), apart=(), matching=Matching(crowded=True), new_id=lambda: "new"
    )
    assert made.kind == "hold" and made.opens


def test_decisions_hold_no_values():
    said = repr(decided(candidate(given_name="Ida")))
    assert "zwillings" not in said.lower() and "A123456789012" not in said and "2015" not in said


def test_a_decision_says_by_which_model_and_how_sure():
    evidence = decided(candidate()).evidence
    assert evidence["model"] == MODEL.version and evidence["r1"]["share"] > 0.99 and evidence["r1"]["fields"]["upn"] == "equal"


people = st.builds(
    lambda g, f, b, n: of_person({"given_name": g, "family_name": f, "birth_date": b, "identifiers": [UPN] if n else []}),
    st.sampled_from(["Ada", "Ida", "Grace", ""]), st.sampled_from(["Berg", "Borg", "Berg-Borg", ""]),
    st.sampled_from([None, "2015-03-05", "2015-05-03", "2011-01-01"]), st.booleans(),
)  # fmt: skip


@given(people, people)
def test_comparing_is_the_same_both_ways(one, other):
    assert found(one, other).levels == found(other, one).levels
    assert resembles(one, other, MODEL.spelling) == resembles(other, one, MODEL.spelling)


@given(people, st.lists(st.tuples(people, st.booleans()), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_no_decision(one, others, luck):
    near = [Candidate(f"r{n}", f"c{n}", other, shielded) for n, (other, shielded) in enumerate(others)]
    mixed = luck.sample(near, len(near))
    made = [decide.decide("mine", one, candidates=c, now=None, fellows=(), apart=(), new_id=lambda: "new") for c in (near, mixed)]
    assert made[0].sets == made[1].sets and set(made[0].opens) == set(made[1].opens)


@given(people, st.lists(people, max_size=4))
def test_nothing_is_linked_without_a_given_name_and_more_that_agree(one, others):
    near = [Candidate(f"r{n}", f"c{n}", other, False) for n, other in enumerate(others)]
    made = decide.decide("mine", one, candidates=near, now=None, fellows=(), apart=(), new_id=lambda: "new")
    if made.kind == "link":
        to = found(one, others[int(made.sets["mine"].child[1:])])
        assert to["given_name"] in ("equal", "variant", "close") and to["birth_date"] not in ("year", "different")
        assert to.shared or to["birth_date"] != "unknown"
