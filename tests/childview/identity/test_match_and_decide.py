"""Who is who: the first form's rule, and what is decided by it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.childview.identity import decide, match
from services.childview.identity.decide import Candidate, Linked, Pair
from services.childview.identity.match import Agreement

UPN = {"type": "upn", "value": "A123456789012", "valid": True, "reason": None}
ADA = {"given_name": "Ada", "family_name": "Zwillings", "birth_date": "2015-03-05", "identifiers": [UPN]}


def who(**changes) -> match.Demographics:
    return match.demographics({**ADA, **changes})


def candidate(child: str = "c1", record: str = "r1", *, protected: bool = False, **changes) -> Candidate:
    return Candidate(record, child, who(**changes), protected)


def decided(*candidates: Candidate, now: Linked | None = None, fellows=(), apart=(), pairs=(), **changes) -> decide.Decision | None:
    return decide.decide(
        "mine", who(**changes), candidates=candidates, now=now, fellows=fellows, apart=apart, pairs=pairs, new_id=lambda: "new-child"
    )


def test_the_same_number_with_agreeing_names_and_birth_date_is_the_same_child():
    assert match.compare(who(), who()).agreement is Agreement.SAME
    decision = decided(candidate())
    assert decision.kind == "link" and decision.sets["mine"].child == "c1"


def test_twins_with_each_others_numbers_are_not_linked():
    decision = decided(candidate(given_name="Ida"))
    assert decision.kind == "hold" and decision.sets["mine"].child == "new-child"
    assert decision.opens == (Pair("mine", "r1", "ordinary"),)


def test_the_same_number_with_another_birth_date_is_held():
    assert match.compare(who(), who(birth_date="2014-03-05")).agreement is Agreement.DOUBT


def test_day_and_month_swapped_with_one_name_equal_is_held():
    found = match.compare(who(identifiers=[]), who(identifiers=[], birth_date="2015-05-03", given_name="Eda"))
    assert found.agreement is Agreement.DOUBT and found.fields["birth_date"] == "swapped"


def test_everything_else_is_a_new_child():
    assert decided(candidate(identifiers=[], birth_date="2011-01-01")).kind == "new"
    assert decided(candidate(identifiers=[], given_name="Bo", family_name="Berg")).kind == "new"


def test_a_bad_number_never_links_and_never_drops_a_child():
    bad = {**UPN, "valid": False, "reason": "check letter"}
    assert match.compare(who(identifiers=[bad]), who(identifiers=[bad])).identifiers == ()
    assert decided(identifiers=[bad]).kind == "new"


def test_a_birth_date_in_no_calendar_never_drops_a_child():
    assert decided(birth_date="2015-02-31").kind == "new"


def test_names_agree_whatever_their_case_accents_and_hyphens():
    assert match.compare(who(given_name="Anaïs-Marie"), who(given_name="ANAIS MARIE")).fields["given_name"] == "equal"


def test_what_resembles_a_protected_child_is_invisible_and_in_the_protection_teams_queue():
    decision = decided(candidate(protected=True, identifiers=[], family_name="Zwilling"))
    assert decision.sets["mine"].withheld and decision.sets["mine"].status == "held"
    assert {pair.queue for pair in decision.opens} == {"protection"}


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


def test_decisions_hold_no_values():
    said = repr(decided(candidate(given_name="Ida")))
    assert "Zwillings" not in said and "A123456789012" not in said and "2015" not in said


people = st.builds(
    lambda g, f, b, n: match.demographics({"given_name": g, "family_name": f, "birth_date": b, "identifiers": [UPN] if n else []}),
    st.sampled_from(["Ada", "Ida", ""]), st.sampled_from(["Berg", "Borg", ""]),
    st.sampled_from([None, "2015-03-05", "2015-05-03", "2011-01-01"]), st.booleans(),
)  # fmt: skip


@given(people, people)
def test_comparing_is_the_same_both_ways(one, other):
    there, back = match.compare(one, other), match.compare(other, one)
    assert (there.agreement, there.fields, there.identifiers) == (back.agreement, back.fields, back.identifiers)


@given(people, st.lists(st.tuples(people, st.booleans()), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_no_decision(one, others, luck):
    found = [Candidate(f"r{n}", f"c{n}", other, shielded) for n, (other, shielded) in enumerate(others)]
    mixed = luck.sample(found, len(found))
    made = [decide.decide("mine", one, candidates=c, now=None, fellows=(), apart=(), new_id=lambda: "new") for c in (found, mixed)]
    assert made[0].sets == made[1].sets and set(made[0].opens) == set(made[1].opens)


@given(people, st.lists(people, max_size=4))
def test_nothing_is_linked_without_number_birth_date_and_both_names(one, others):
    found = [Candidate(f"r{n}", f"c{n}", other, False) for n, other in enumerate(others)]
    made = decide.decide("mine", one, candidates=found, now=None, fellows=(), apart=(), new_id=lambda: "new")
    if made.kind == "link":
        assert (one.identifiers and one.given and one.family and one.birth_date == date(2015, 3, 5)) or one.birth_date is not None
        assert any(other == one for other in others)
