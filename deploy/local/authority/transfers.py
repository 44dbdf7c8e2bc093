"""Common Transfer Files: what a school passes on of the pupils who left it this year, one file a school.

Where they went is not known to it (XXXXXXX): such files go to the lost pupils' database, and to the authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deploy.local.authority import mis, names, schooling
from deploy.local.authority.homes import home_of, mother_of, origin_of
from deploy.local.authority.people import Authority
from deploy.local.authority.sen import needs_of
from deploy.local.authority.spells import Spell, spells, year_of

VERSION = "25.0"
LATER = 3
"""Days after the last of them left."""


def write(folder: Path, authority: Authority) -> None:
    """A file for every school that a pupil left this year, beside its censuses."""
    left: dict[str, list[Spell]] = {}
    for child in authority.children:
        for spell in spells(child, authority.today) if child.school else ():
            if spell.last is not None:
                left.setdefault(spell.school, []).append(spell)
    for school, some in left.items():
        path = schooling.folder_of(folder, authority, school) / f"{school}_CTF_XXXXXXX_001.xml"
        path.write_text(_file(authority, school, some), encoding="utf-8")


def _file(authority: Authority, school: str, left: Sequence[Spell]) -> str:
    written = min(max(spell.last for spell in left if spell.last) + timedelta(days=LATER), authority.today - timedelta(days=1))
    source = _within("SourceSchool", _said(LEA=school[:3], Estab=school[3:], SchoolName=mis.school_of(school)["name"]))
    header = _said(DocumentName="Common Transfer File", CTFversion=VERSION, DateTime=f"{written}T16:00:00", DocumentQualifier="full")
    header += source + _within("DestSchool", _said(LEA="XXX", Estab="XXXX"))
    pupils = "".join(_pupil(authority, spell) for spell in left)
    body = _within("Header", header) + _within("CTFpupilData", pupils)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_within("CTfile", body)}\n'


def _pupil(authority: Authority, spell: Spell) -> str:
    child = spell.child
    assert child.born is not None and spell.last is not None
    ethnicity, language = origin_of(child.household)
    who = _said(UPN=child.upn, Surname=spell.family, Forename=child.given, DOB=child.born, Sex=child.sex)
    basic = _said(NCyearActual=year_of(child, spell.last), Ethnicity=ethnicity)
    basic += _within("Languages", _said(Type=language)) + _said(EnrolStatus="C")
    parts = (who, _within("BasicDetails", basic), _meals(authority, spell), _needs(spell), _home(authority, spell), _history(spell), _attendance(authority, spell))
    return _within("Pupil", "".join(parts))


def _meals(authority: Authority, spell: Spell) -> str:
    period = schooling.meals_of(authority, spell)
    if period is None or period[0] > _day(spell):
        return ""
    return _within("FSMhistory", _within("FSMinstance", _said(FSMstartDate=period[0], UKcountry="ENG")))


def _day(spell: Spell) -> date:
    assert spell.last is not None
    return spell.last


def _needs(spell: Spell) -> str:
    if spell.child.sen == "N":
        return ""
    provision = _within("SENhistory", _within("SEN", _said(StartDate=spell.first, SENprovision=spell.child.sen)))
    ranked = "".join(_within("SENneed", _said(SENtypeRank=rank, SENtype=need)) for rank, need in enumerate(needs_of(spell.child), 1))
    return provision + _within("SENneeds", ranked)


def _home(authority: Authority, spell: Spell) -> str:
    """Where the pupil lives, and the first contact."""
    household = spell.child.household
    home, mother = home_of(authority, household), mother_of(authority, household)
    place = _within("BS7666Address", _said(PAON=home.number, Street=home.street, Town=names.PLACE) + _said(PostCode=home.postcode))
    phones = _within("Phones", _within("Phone", _said(TelephoneType="H", PhoneNo=home.telephone)))
    contact = _said(Order=1, Surname=mother.family, Forename=mother.given, Relationship="PAM", Responsibility="true", AddressAsPupil="true")
    return _within("Address", place) + phones + _within("Contacts", _within("Contact", contact + phones))


def _history(spell: Spell) -> str:
    known = _said(LEA=spell.school[:3], Estab=spell.school[3:], SchoolName=mis.school_of(spell.school)["name"])
    return _within("SchoolHistory", _within("School", known + _said(EntryDate=spell.first, LeavingDate=spell.last)))


def _attendance(authority: Authority, spell: Spell) -> str:
    """The sessions of the school year that the pupil left in, in sum."""
    possible, authorised, rest = schooling.sums_of_year(authority, spell)
    if not possible:
        return ""
    year = _day(spell).year - (_day(spell).month < 9)
    told = _said(Year=year, LEA=spell.school[:3], Estab=spell.school[3:], SessionsPossible=possible, SessionsAuthorised=authorised,
                 SessionsAttended=possible - authorised - rest, SessionsUnauthorised=rest)  # fmt: skip
    return _within("Attendance", _within("YearData", told))


def _said(**values: Any) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items() if value not in (None, ""))


def _within(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"
