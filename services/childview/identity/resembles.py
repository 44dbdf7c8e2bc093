"""Whether two records are near enough that one could be the other, mistyped: what holds a record beside a protected child.

Far more generous than any link: a mistyped record must not become a second child whom everybody sees. Pure.
"""

from __future__ import annotations

from itertools import product

from rapidfuzz.distance import OSA

from services.childview.identity.compare import Comparison, compare
from services.childview.identity.demographics import Demographics
from services.childview.identity.names import Spelling, joined

_GIVEN = ("equal", "variant", "close", "similar", "crossed", "initial", "distinct")
_FAMILY = ("equal", "part", "close", "similar")
_BIRTH = ("equal", "swapped", "slip", "default", "near")


def resembles(one: Demographics, other: Demographics, spelling: Spelling) -> bool:
    """Whether a shared number, a birth date with one name, or both names with a place or nothing against it, agree at least
    nearly: two mistakes at once do not part a record from a child, nor does a slip in a given name, however short."""
    found = compare(one, other, spelling)
    if found["birth_date"] == "equal" and _one_slip(one, other):
        return True
    return near(found) and not _too_far(found)


def _too_far(found: Comparison) -> bool:
    """Whether one name and a birth date that is nearly so are all there is, and three mistakes would be needed: so far chance
    goes, too, and whoever is held is not shown."""
    given, family = found["given_name"] in _GIVEN, found["family_name"] in _FAMILY
    home = found["place"] in ("equal", "street", "close") or found["contacts"] == "equal"
    both = (given and family) or found["given_name"] == "crossed"
    if found.shared or found["local"] == "equal" or home or both or found["birth_date"] not in ("swapped", "slip", "default", "near"):
        return False
    named = found["given_name"] in ("equal", "variant", "close") or found["family_name"] in ("equal", "part", "close")
    slipped = found["birth_date"] in ("swapped", "slip", "default")
    return not (named and slipped) or bool(found.conflicts) or found["sex"] == "different"


def _one_slip(one: Demographics, other: Demographics) -> bool:
    """Whether a given name is one slip from the other's: of a short name that leaves little alike, yet it may be the same."""
    pairs = product(map(joined, one.given), map(joined, other.given))
    return any(min(len(a), len(b)) > 1 and OSA.distance(a, b, score_cutoff=1) <= 1 for a, b in pairs)


def near(found: Comparison) -> bool:
    """The same of what was compared already."""
    if found.shared or found["local"] == "equal":
        return True
    given, family = found["given_name"] in _GIVEN, found["family_name"] in _FAMILY or found["given_name"] == "crossed"
    home = found["place"] in ("equal", "street", "close") or found["contacts"] == "equal"
    if found["birth_date"] in _BIRTH:
        return given or family or home
    strict = found["given_name"] in ("equal", "variant", "close", "crossed") and family
    return strict and (home or found["birth_date"] in ("unknown", "year"))


def consistent(found: Comparison) -> bool:
    """Whether nothing speaks against a link that stands: what went missing does not break it, what differs does."""
    named = found["given_name"] in ("equal", "variant", "close", "crossed", "initial", "unknown")
    kin = found["family_name"] in ("equal", "part", "close", "unknown") or found["given_name"] == "crossed"
    born = found["birth_date"] in ("equal", "swapped", "slip", "default", "near", "unknown")
    return named and kin and born and (bool(found.shared) or not found.conflicts)
