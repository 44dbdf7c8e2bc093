"""Small families as registers tell of them, for tests that draw: twins, siblings, namesakes elsewhere, wrong numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from services.childview.identity.demographics import Demographics, combine, of_address, of_person

NEAR_NAMES = [("Ada", "Ida"), ("Luca", "Lucas"), ("Jacob", "Jakub"), ("Mariam", "Miriam"), ("Zara", "Zahra"), ("Tom", "Grace")]
SOURCES = ["education", "socialcare", "health", "youth"]
Child = dict[str, Any]


@st.composite
def children(draw: st.DrawFn) -> list[Child]:
    """One child or two that may be taken for each other, and perhaps as many of another family of these names."""
    found: list[Child] = []
    for _ in range(draw(st.integers(1, 2))):
        one, other = draw(st.sampled_from(NEAR_NAMES))
        name, home = draw(st.sampled_from(["Berg", "Corn"])), draw(st.sampled_from(["ZZ1 1AA", "ZZ2 1AA"]))
        birth = draw(st.sampled_from(["2015-03-05", "2015-05-03", "2014-07-20"]))
        found.append(_child(len(found), one, name, birth, home))
        kind = draw(st.sampled_from(["alone", "twin", "sibling", "namesake"]))
        second = {"twin": (other, name, birth, home), "sibling": (other, name, "2012-01-20", home), "namesake": (one, name, birth, "YY9 9ZZ")}
        found += [_child(len(found), *second[kind])] if kind in second else []
    return found


def _child(n: int, given: str, family: str, birth: str, home: str) -> Child:
    return {"given_name": given, "family_name": family, "birth_date": birth, "home": home, "upn": f"U{n}", "nhs_number": f"N{n}", "n": n}


@st.composite
def records(draw: st.DrawFn) -> list[Demographics]:
    """What one to three sources say of each of these children; one number in a few is another child's."""
    family = draw(children())
    return [
        draw(_record(child, family, source))
        for child in family
        for source in draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3, unique=True))
    ]


@st.composite
def _record(draw: st.DrawFn, child: Child, family: list[Child], source: str) -> Demographics:
    seldom = st.sampled_from([True, False, False, False, False])
    numbers = [
        {"type": kind, "value": (draw(st.sampled_from(family)) if draw(seldom) else child)[kind], "valid": True}
        for kind in draw(st.sets(st.sampled_from(["upn", "nhs_number"])))
    ]
    if draw(st.booleans()):
        numbers.append({"type": "local_child_id", "value": f"{child['n']}", "valid": True})
    said = {**child, "identifiers": numbers, "birth_date": None if draw(seldom) else child["birth_date"]}
    if draw(seldom):
        said["family_name"] = "Other"
    home = {"address_kind": "home", "postcode": child["home"], "lines": ["1 Elm"]}
    return combine([of_person(said, source=source), *([of_address(home)] if draw(st.booleans()) else [])])
