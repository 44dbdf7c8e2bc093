"""Why a pair is held, in words: what agrees, how much harm waiting may do, and one sentence. Pure; never a value in it.

Of the vetoes `lookalike` alone depends on a third child, and the share of explanations on every child there is; whoever
reviews a pair may be told of neither. So the words rest on the two children's own levels, and on the vetoes that do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

AGREE, CLOSE, DIFFER = "agree", "close", "differ"
HIGH, MIDDLE, LOW = 1, 2, 3
RISKS = {HIGH: "high", MIDDLE: "middle", LOW: "low"}
"""What may be missed while the two stand apart: the likelier it is that they are one child, the more."""
OF_OTHERS = frozenset({"lookalike"})
NUMBERS = {"upn": "UPN", "nhs_number": "NHS number", "uln": "ULN"}
_DIFFER = ("different", "distinct", "year")
_HOME = ("equal", "street", "close")
_ORDER = (
    "number-without-name", "number-conflict", "other-given-name", "two-given-names", "two-local-numbers", "two-middle-names",
    "prefix-name",
    "no-birth-date", "initial-alone", "little-known",
)  # fmt: skip
PROTECTED = "A protected child may be concerned, so this team alone decides. "
OPENED = "People, or a protection, opened this pair: nothing was weighed for it."


def in_words(levels: Mapping[str, str], *, without: Collection[str] = ()) -> dict[str, str]:
    """Each field that both speak of: agree, close or differ."""
    return {name: _word(level) for name, level in levels.items() if level != "unknown" and name not in without}


def _word(level: str) -> str:
    return AGREE if level == "equal" else DIFFER if level in _DIFFER else CLOSE


def own(vetoes: Collection[str]) -> list[str]:
    """The vetoes that rest on these two children alone."""
    return [name for name in vetoes if name not in OF_OTHERS]


def risk(levels: Mapping[str, str], vetoes: Collection[str]) -> int:
    """HIGH where the two are most likely one child, LOW where they are most likely two, MIDDLE else, also unweighed: so a
    number that contradicts all that agrees."""
    if not levels:
        return MIDDLE
    given, family, birth = (_word(levels.get(name, "different")) for name in ("given_name", "family_name", "birth_date"))
    if {"other-given-name", "two-given-names", "two-local-numbers"} & set(vetoes) or given == DIFFER:
        return LOW
    if "number-conflict" in vetoes:
        return MIDDLE if birth == AGREE and family != DIFFER else LOW
    numbered = any(levels.get(kind) == "equal" for kind in NUMBERS)
    whole = birth == AGREE and family != DIFFER
    return HIGH if (numbered and birth != DIFFER) or (whole and "prefix-name" not in vetoes) else MIDDLE


def explain(levels: Mapping[str, str], vetoes: Collection[str], *, protected: bool = False) -> str:
    """Why a pair is held, in a sentence. protected: it waits for the team of a protected child."""
    first = next((name for name in _ORDER if name in vetoes), "")
    found = OPENED if not levels else _vetoed(first, levels) if first else _doubted(levels)
    return PROTECTED + found if protected else found


def _vetoed(veto: str, levels: Mapping[str, str]) -> str:
    born = levels.get("birth_date") == "equal"
    home = levels.get("place") in _HOME or levels.get("contacts") == "equal"
    number = next((name for kind, name in NUMBERS.items() if levels.get(kind) in _number_levels(veto)), "number")
    match veto:
        case "number-without-name" if born:
            return f"The {number} and the birth date agree, the given name does not: twins have been given one another's numbers."
        case "number-without-name" if in_words(levels).get("given_name") == AGREE:
            return f"The {number} and the given name agree, the birth date does not: one date is wrong, or the number is."
        case "number-without-name":
            return f"The {number} agrees, the name or the birth date does not: it may be the number of somebody else."
        case "number-conflict":
            return f"Much agrees, but each has a {number} of its own: one of the two is wrong, or these are two children."
        case "other-given-name" | "two-given-names" if born:
            return f"The birth date{' and the home agree' if home else ' agrees'}, the given name does not: these may be twins."
        case "other-given-name" | "two-given-names":
            return "The given names are those of two children: these may be brothers or sisters."
        case "two-local-numbers":
            return "One source knows the two by two numbers of its own."
        case "two-middle-names":
            return "The given names are alike, the middle names are not: these may be twins."
        case "prefix-name":
            return "Of the given names only a part agrees that very many children bear: a common name says little."
        case "no-birth-date":
            return "The names agree, and the birth date does not, or nobody gave one."
        case "initial-alone":
            return "Of the given name there is no more than an initial."
        case _:
            return "Too little is known of one of the two to say anything."


def _number_levels(veto: str) -> tuple[str, ...]:
    return ("different", "close") if veto == "number-conflict" else ("equal",)


def _doubted(levels: Mapping[str, str]) -> str:
    words = in_words(levels)
    named = words.get("given_name") != DIFFER
    if named and words.get("birth_date") == AGREE and words.get("family_name") == DIFFER:
        return "All but the family name agrees: the name may have changed."
    if named and words.get("birth_date") == CLOSE:
        return "The names agree and the birth date nearly: a slip, or another child."
    rest = set(words) - {"given_name", "family_name", "middle_names", "birth_date", "sex"}
    if named and words.get("birth_date") == AGREE and not any(words[name] == AGREE for name in rest):
        return "Name and birth date agree, and nothing else does: other children may bear the same name."
    return "Much agrees, and not enough to be sure."
