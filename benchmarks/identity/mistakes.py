"""How names, dates, numbers and addresses go wrong when people write them down. Each function gives back one wrong writing."""

from __future__ import annotations

import random
import unicodedata
from datetime import date

from benchmarks.identity import names
from benchmarks.identity.settings import Setting

_SPELLINGS, _SHORT = names.spellings(), names.short_forms()
_NEAR = {"a": "sqz", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k",
         "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
         "y": "tu", "z": "xa"}  # fmt: skip
_SOUNDS = (("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "c"), ("c", "k"), ("ee", "ea"), ("ea", "ee"), ("ie", "y"), ("y", "ie"), ("ey", "y"),
           ("ai", "ay"), ("ay", "ai"), ("ei", "ie"), ("s", "z"), ("z", "s"), ("th", "t"), ("wh", "w"), ("gh", "g"), ("ll", "l"), ("l", "ll"),
           ("nn", "n"), ("n", "nn"), ("tt", "t"), ("ss", "s"), ("rr", "r"), ("mm", "m"), ("ou", "oo"), ("u", "oo"), ("i", "y"), ("sh", "ch"),
           ("j", "g"), ("w", "v"), ("x", "ks"), ("oe", "o"), ("ae", "e"), ("o", "u"), ("a", "e"), ("e", "a"))  # fmt: skip
_STROKES = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "đ": "d", "ı": "i"})
_SHORTER = {"Road": "Rd", "Street": "St", "Avenue": "Ave", "Close": "Cl", "Gardens": "Gdns", "Court": "Ct", "Lane": "La"}


def typed(rng: random.Random, text: str) -> str:
    """A letter too many, one too few, two changed about, or the one beside it on the keys."""
    if len(text) < 3:
        return text
    at, way = rng.randrange(len(text) - 1), rng.randrange(4)
    if way == 0:
        return text[:at] + text[at] + text[at:]
    if way == 1:
        return text[: at + 1] + text[at + 2 :]
    if way == 2:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[: at + 1] + rng.choice(_NEAR.get(text[at + 1].lower(), "e")) + text[at + 2 :]


def heard(rng: random.Random, text: str) -> str:
    """Written as it sounds; the first letter stays."""
    lower = text.lower()
    fitting = [(old, new) for old, new in _SOUNDS if lower.find(old, 1) > 0]
    if not fitting:
        return text
    old, new = rng.choice(fitting)
    at = lower.find(old, 1)
    return text[:at] + new + text[at + len(old) :]


def respelled(rng: random.Random, text: str) -> str:
    """Another spelling of the same name, where it has one."""
    return rng.choice(_SPELLINGS[text]) if text in _SPELLINGS else text


def shortened(rng: random.Random, text: str) -> str:
    """What its bearer is called, where the name has a short form."""
    return rng.choice(_SHORT[text]) if text in _SHORT else text


def unaccented(text: str) -> str:
    """In plain letters."""
    plain = unicodedata.normalize("NFKD", text.translate(_STROKES))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def unpunctuated(rng: random.Random, text: str) -> str:
    """Hyphen, space and apostrophe written otherwise, or not at all."""
    if "-" in text:
        return text.replace("-", rng.choice((" ", " ", "")))
    if "'" in text:
        return text.replace("'", rng.choice(("", "", " ", "’")))
    return text.replace(" ", rng.choice(("-", ""))) if " " in text else text


def half(rng: random.Random, text: str) -> str:
    """One of two family names."""
    parts = text.replace("-", " ").split()
    return rng.choice((parts[0], parts[-1], parts[-1])) if len(parts) > 1 else text


def name(rng: random.Random, setting: Setting, text: str, *, given: bool) -> str:
    """A name as somebody wrote it: mostly right."""
    if given and rng.random() < setting.shortened:
        text = shortened(rng, text)
    elif rng.random() < setting.respelled:
        text = respelled(rng, text)
    if not given and rng.random() < setting.half_name:
        text = half(rng, text)
    if not text.isascii() and rng.random() < setting.unaccented:
        text = unaccented(text)
    if not text.isalpha() and rng.random() < setting.unpunctuated:
        text = unpunctuated(rng, text)
    if rng.random() < setting.typed:
        text = typed(rng, text)
    elif rng.random() < setting.phonetic:
        text = heard(rng, text)
    return text.upper() if rng.random() < 0.02 else text


def birth_date(rng: random.Random, setting: Setting, born: date, *, often_unknown: float) -> str:
    """An ISO date: mostly right; typed wrong, day and month turned, 1 January, or blank."""
    luck = rng.random()
    if luck < setting.birth_missing:
        return ""
    if luck < setting.birth_missing + setting.birth_typed:
        return _mistyped_date(rng, born)
    if luck > 1 - setting.birth_turned and born.day <= 12:
        return date(born.year, born.day, born.month).isoformat()
    if rng.random() < setting.first_january * often_unknown:
        return date(born.year + rng.choice((0, 0, 0, 0, -1, 1)), 1, 1).isoformat()
    return born.isoformat()


def _mistyped_date(rng: random.Random, born: date) -> str:
    """One figure of day, month or year another, and still a date."""
    for _ in range(30):
        text = born.isoformat()
        at = rng.choice((3, 3, 5, 6, 8, 9, 9))
        text = text[:at] + rng.choice("0123456789") + text[at + 1 :]
        try:
            found = date.fromisoformat(text)
        except ValueError:
            continue
        if found != born:
            return text
    return born.isoformat()


def number(rng: random.Random, text: str) -> str:
    """One figure another, or two changed about: its check digit is wrong then, mostly."""
    at = rng.randrange(2, len(text) - 1)
    if rng.random() < 0.4 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + str((int(text[at]) + rng.randrange(1, 10)) % 10) + text[at + 1 :]


def postcode(rng: random.Random, text: str) -> str:
    """One character another, or the space left out."""
    if rng.random() < 0.3:
        return text.replace(" ", "")
    at = rng.choice([at for at, character in enumerate(text) if character != " "])
    return text[:at] + rng.choice("0123456789" if text[at].isdigit() else "ABDEFGHJLNPQRSTUWXYZ") + text[at + 1 :]


def address(rng: random.Random, setting: Setting, text: str) -> str:
    """A street shortened, a flat left out, a letter wrong."""
    if rng.random() < 0.25:
        start, _, kind = text.rpartition(" ")
        text = f"{start} {_SHORTER.get(kind, kind)}"
    if text.startswith("Flat") and rng.random() < 0.2:
        text = text.partition(", ")[2]
    return typed(rng, text) if rng.random() < 2 * setting.typed else text
