"""Why a pair is held, in a sentence, and how much harm its waiting may do."""

from __future__ import annotations

import pytest

from services.childview.identity import explain

ALL = {"given_name": "equal", "family_name": "equal", "birth_date": "equal"}
TOLD = [
    ("a twin", {**ALL, "given_name": "different", "place": "equal"}, ["other-given-name"], "may be twins", explain.LOW),
    ("a twin's number", {**ALL, "given_name": "different", "upn": "equal"}, ["number-without-name"], "one another's numbers", explain.LOW),
    ("somebody else's number", {"given_name": "different", "birth_date": "year", "upn": "equal"}, ["number-without-name"], "somebody else", explain.LOW),
    ("a name change", {**ALL, "family_name": "different", "place": "equal"}, [], "name may have changed", explain.MIDDLE),
    ("a wrong UPN", {**ALL, "upn": "different"}, ["number-conflict"], "a UPN of its own", explain.MIDDLE),
    ("two of a name", {**ALL, "birth_date": "year", "upn": "different"}, ["number-conflict"], "a UPN of its own", explain.LOW),
    ("a common name", {**ALL, "given_name": "variant"}, ["prefix-name"], "a common name says little", explain.MIDDLE),
    ("another of the name", {**ALL, "place": "different"}, ["lookalike"], "may bear the same name", explain.HIGH),
    ("a slip", {**ALL, "birth_date": "swapped"}, [], "a slip, or another child", explain.MIDDLE),
    ("nothing weighed", {}, [], "nothing was weighed", explain.MIDDLE),
]  # fmt: skip


@pytest.mark.parametrize(("what", "levels", "vetoes", "words", "risk"), TOLD, ids=[one[0] for one in TOLD])
def test_a_sentence_says_why_a_pair_is_held_and_ranks_it(what, levels, vetoes, words, risk):
    assert words in explain.explain(levels, vetoes)
    assert explain.risk(levels, vetoes) == risk


def test_an_adopted_or_shielded_childs_pair_says_whose_it_is_to_decide():
    told = explain.explain(ALL, [], protected=True)
    assert told.startswith(explain.PROTECTED) and "adopt" not in told


def test_nothing_of_a_third_child_stands_in_the_words_of_two():
    assert explain.own(["lookalike", "number-conflict"]) == ["number-conflict"]
    assert explain.explain(ALL, ["lookalike"]) == explain.explain(ALL, [])


def test_every_level_of_every_field_is_told_as_agree_close_or_differ():
    words = explain.in_words({"given_name": "crossed", "birth_date": "year", "sex": "equal", "place": "unknown"})
    assert words == {"given_name": "close", "birth_date": "differ", "sex": "agree"}
