"""Whether two records are near enough that one could be the other, mistyped: what holds a record beside a protected child.

Far more generous than any link: a mistyped record must not become a second child whom everybody sees. Pure.
"""

from __future__ import annotations

from services.childview.identity.compare import Comparison, compare
from services.childview.identity.demographics import Demographics
from services.childview.identity.names import Spelling

_GIVEN = ("equal", "variant", "close", "similar", "crossed", "initial", "distinct")
_FAMILY = ("equal", "part", "close", "similar")
_BIRTH = ("equal", "swapped", "slip", "default", "near")


def resembles(one: Demographics, other: Demographics, spelling: Spelling) -> bool:
    """Whether a shared number, a birth date with one name, or both names with a place or nothing against it, agree at least
    nearly."""
    return near(compare(one, other, spelling))


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
