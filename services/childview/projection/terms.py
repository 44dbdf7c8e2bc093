"""Search terms: each searchable field of each record, normalised so that spelling habits make no difference."""

from __future__ import annotations

import unicodedata

from services.childview.projection.catalogue import Catalogue, Field, value_of
from services.childview.projection.fold import Held
from services.childview.projection.view import Term


def normal_name(text: str) -> str:
    """A name without case, accents, hyphens, apostrophes and spaces: O'Brien-Łęcki -> obrienlecki."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(letter for letter in letters if letter.isalnum())


def normal(field: Field, value: str) -> str:
    """A value of a searchable field as it is compared."""
    if field.search == "name":
        return normal_name(value)
    return "".join(value.upper().split())


def terms_of(held: Held, catalogue: Catalogue) -> list[Term]:
    """Every term of the child: what any record says, not only the value that is shown."""
    found = {
        Term(field.id, normal(field, text))
        for field in catalogue.searchable()
        for one in held.get(field.category, ())
        if (text := _text(value_of(field, one.data, one.event)))
    }
    return sorted(found, key=lambda term: (term.field, term.term))


def _text(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str) else ""
