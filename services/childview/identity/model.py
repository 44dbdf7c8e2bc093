"""What agreement is worth: Fellegi-Sunter weights for four kinds of pair, and how common every name and place is. Pure.

A pair of records is of the same child, of twins, of other children of one household, or of strangers. `chances` holds, for
each kind, how likely each level of each field is; `learn` finds them without labels. (Fellegi and Sunter, A Theory for
Record Linkage, JASA 64, 1969; term frequencies after Winkler 1988.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from services.childview.identity.compare import LEVELS, UNKNOWN, Comparison
from services.childview.identity.names import Known, Spelling

SAME, TWIN, SIBLING, STRANGER = KINDS = ("same", "twin", "sibling", "stranger")
Chances = Mapping[str, Mapping[str, Mapping[str, float]]]
USUAL = 2000
"""A value that nobody was counted with is taken to be borne by one in so many."""
BACKGROUND = 4.0
"""For how many records that belief counts."""
WRONG_NUMBER = 0.01
"""The share of numbers that belong to somebody else."""

_NUMBER = {
    SAME: (0.96, 0.005, 0.035),
    TWIN: (0.01, 0.1, 0.89),
    SIBLING: (0.003, 0.02, 0.977),
    STRANGER: (1e-6, 0.0005, 0.9995),
}


def _rows(**kinds: tuple[float, ...]) -> dict[str, tuple[float, ...]]:
    return kinds


FIRST: dict[str, dict[str, tuple[float, ...]]] = {
    "given_name": _rows(
        same=(0.81, 0.06, 0.07, 0.02, 0.005, 0.015, 0.01, 0.01),
        twin=(0.001, 0.004, 0.01, 0.04, 0.001, 0.004, 0.04, 0.90),
        sibling=(0.003, 0.006, 0.006, 0.03, 0.001, 0.004, 0.02, 0.93),
        stranger=(0.004, 0.006, 0.003, 0.02, 0.0005, 0.003, 0.006, 0.9575),
    ),
    "middle_names": _rows(
        same=(0.90, 0.06, 0.04),
        twin=(0.06, 0.04, 0.90),
        sibling=(0.06, 0.04, 0.90),
        stranger=(0.02, 0.05, 0.93),
    ),
    "family_name": _rows(
        same=(0.86, 0.04, 0.05, 0.01, 0.04),
        twin=(0.91, 0.02, 0.05, 0.01, 0.01),
        sibling=(0.80, 0.04, 0.05, 0.01, 0.10),
        stranger=(0.004, 0.002, 0.003, 0.011, 0.98),
    ),
    "birth_date": _rows(
        same=(0.94, 0.01, 0.03, 0.005, 0.01, 0.002, 0.003),
        twin=(0.94, 0.01, 0.03, 0.005, 0.01, 0.002, 0.003),
        sibling=(0.001, 0.0005, 0.012, 0.002, 0.012, 0.0325, 0.94),
        stranger=(0.00016, 0.00006, 0.0045, 0.0003, 0.01, 0.045, 0.93998),
    ),
    "sex": _rows(same=(0.985, 0.015), twin=(0.62, 0.38), sibling=(0.5, 0.5), stranger=(0.5, 0.5)),
    "place": _rows(
        same=(0.72, 0.02, 0.04, 0.03, 0.19),
        twin=(0.78, 0.02, 0.04, 0.02, 0.14),
        sibling=(0.72, 0.02, 0.04, 0.03, 0.19),
        stranger=(0.0002, 0.0008, 0.0002, 0.003, 0.9958),
    ),
    "contacts": _rows(
        same=(0.82, 0.10, 0.08),
        twin=(0.84, 0.09, 0.07),
        sibling=(0.75, 0.12, 0.13),
        stranger=(0.0005, 0.006, 0.9935),
    ),
    "upn": _NUMBER,
    "nhs_number": _NUMBER,
    "uln": _NUMBER,
    "identifier": _rows(
        same=(0.75, 0.10, 0.15), twin=(0.02, 0.03, 0.95), sibling=(0.02, 0.03, 0.95), stranger=(0.0005, 0.002, 0.9975)
    ),
    "local": _rows(same=(0.95, 0.05), twin=(0.0005, 0.9995), sibling=(0.0005, 0.9995), stranger=(0.00001, 0.99999)),
}
"""Where learning starts, and what it falls back to where there is little to learn from."""


def first_chances() -> dict[str, dict[str, dict[str, float]]]:
    """The chances before anything is learned: kind -> field -> level."""
    return {
        kind: {name: dict(zip(LEVELS[name], rows[kind], strict=True)) for name, rows in FIRST.items()} for kind in KINDS
    }


@dataclass(frozen=True)
class Model:
    """Everything a judgement rests on besides the records themselves.

    chances: kind -> field -> level. names: how common they are. places: postcode, address or mere evidence -> records.
    each: how many records a child has. twins, siblings: of
    each child, how many twins and other brothers or sisters there are in the population. ignored: numbers that are borne
    by too many to be anybody's. expected: how many children there are to be known. made: when, and from what.
    """

    chances: Chances = field(default_factory=first_chances)
    names: Known = field(default_factory=Known)
    places: Mapping[str, int] = field(default_factory=dict)
    each: float = 1.0
    twins: float = 0.03
    siblings: float = 0.9
    ignored: frozenset[str] = frozenset()
    expected: int = 0
    made: str = "first"

    @cached_property
    def version(self) -> str:
        """The hash of its content, by which decisions name it."""
        return hashlib.sha256(to_json(self)).hexdigest()[:16]

    @property
    def families(self) -> bool:
        """Whether brothers, sisters and twins are among these people: then names alone tell them apart."""
        return self.twins >= 0.002 or self.siblings >= 0.03

    @cached_property
    def spelling(self) -> Spelling:
        """How names are compared under this model."""
        return Spelling(self.names)

    @cached_property
    def _ratios(self) -> dict[str, dict[str, dict[str, float]]]:
        strangers = self.chances[STRANGER]
        return {
            kind: {
                name: {level: chance / strangers[name][level] for level, chance in levels.items()}
                for name, levels in self.chances[kind].items()
            }
            for kind in (SAME, TWIN, SIBLING)
        }

    def ratios(self, found: Comparison, *, expected: int) -> tuple[float, float, float]:
        """How much likelier what was found is for the same child, for twins and for siblings than for strangers."""
        same, twin, sibling = 1.0, 1.0, 1.0
        tables = self._ratios
        for name, level in found.levels.items():
            scale = self.rarity(name, level, found.agreed.get(name, ""), expected)
            same *= tables[SAME][name][level] * scale
            twin *= tables[TWIN][name][level] * scale
            sibling *= tables[SIBLING][name][level] * scale
        return same, twin, sibling

    def namesake(self, found: Comparison) -> float:
        """How much likelier name and birth date are for the same child, or one who bears its name, than for strangers."""
        ratio = 1.0
        for name in ("given_name", "family_name", "birth_date"):
            level = found[name]
            if level != UNKNOWN:
                ratio *= self._ratios[SAME][name][level] * self.rarity(name, level, found.agreed.get(name, ""), 0)
        return ratio

    def rarity(self, field: str, level: str, value: str, expected: int) -> float:
        """How much rarer this very value is than the field's agreements are on the whole: above 1 for a rare one."""
        if level not in _WEIGHED.get(field, ()) or not value:
            return 1.0
        usual = self.chances[STRANGER][field][level]
        if field in ("upn", "nhs_number", "uln"):
            return usual / (WRONG_NUMBER / max(expected, 100))
        return usual / self._share(field, value)

    def _share(self, field: str, value: str) -> float:
        """The share of others who bear a value: those counted, but for one child's own records; never none (half a child)."""
        counts = {"given_name": self.names.given, "family_name": self.names.family}.get(field, self.places)
        records = self.names.records
        others = max(counts.get(value, 0) - self.each, 0.0) + 0.5 * self.each if records else 0.0
        return (others + BACKGROUND / USUAL) / (records + BACKGROUND)


_WEIGHED = {
    "given_name": ("equal", "variant"),
    "family_name": ("equal", "part"),
    "place": ("equal", "street"),
    "upn": ("equal",),
    "nhs_number": ("equal",),
    "uln": ("equal",),
    "identifier": ("equal",),
}
"""Where an agreement is worth more for a rare value than for a common one."""


def to_json(model: Model) -> bytes:
    """A model as it is stored."""
    return msgspec.json.encode(_plain(model), order="deterministic")


def _plain(model: Model) -> dict[str, Any]:
    names = model.names
    return {
        "chances": model.chances,
        "records": names.records,
        "given": names.given,
        "family": names.family,
        "learned": sorted(names.learned),
        "separating": sorted(names.separating),
        "places": model.places,
        "each": model.each,
        "twins": model.twins,
        "siblings": model.siblings,
        "ignored": sorted(model.ignored),
        "expected": model.expected,
        "made": model.made,
    }


def from_json(text: bytes) -> Model:
    """A stored model."""
    plain = msgspec.json.decode(text)
    pairs = {name: frozenset((one, other) for one, other in plain[name]) for name in ("learned", "separating")}
    return Model(
        chances=plain["chances"],
        names=Known(plain["records"], plain["given"], plain["family"], **pairs),
        places=plain["places"],
        each=plain["each"],
        twins=plain["twins"],
        siblings=plain["siblings"],
        ignored=frozenset(plain["ignored"]),
        expected=plain["expected"],
        made=plain["made"],
    )
