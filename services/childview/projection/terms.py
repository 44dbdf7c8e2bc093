"""Search terms: searchable values, normalised so that spelling habits make no difference."""

from __future__ import annotations

import unicodedata

from services.childview.projection.catalogue import Field


def normal_name(text: str) -> str:
    """A name without case, accents, hyphens, apostrophes and spaces: O'Brien-Łęcki -> obrienlecki."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(letter for letter in letters if letter.isalnum())


def normal(field: Field, value: str) -> str:
    """A value of a searchable field as it is compared."""
    if field.search == "name":
        return normal_name(value)
    return "".join(value.upper().split())


def term_of(field: Field, value: object) -> str | None:
    """What a search finds this value by; None for a value that nothing is found by."""
    text = value.get("value") if isinstance(value, dict) else value
    return (normal(field, text) or None) if isinstance(text, str) else None
