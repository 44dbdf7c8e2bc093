"""What a Common Transfer File says of one pupil. Every part is taken by itself: its fault keeps no other out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element as Element

from services.education.importers import ctf_attendance
from services.education.importers.addresses import lines_of, postcode_of, uprn_of
from services.education.importers.ctf_attendance import Refused
from services.education.importers.pupils import ADDRESS, ENROLMENT, POINT, RELATION, school_keys
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key, key, plain

__all__ = ["READ", "Reading", "Refused"]
_WHOLE: frozenset[str] = frozenset()
READ: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("UPN", "UniqueLearnerNumber", "Surname", "Forename", "DOB", "Gender", "Sex", "Email"), _WHOLE),
    "BasicDetails": frozenset({"PreferredSurname", "PreferredForename", "MiddleNames", "NCyearActual", "Ethnicity", "Languages",
                               "EnrolStatus", "Disabilities"}),
    "FSMhistory": frozenset({"FSMinstance"}), "SENhistory": frozenset({"SEN"}), "SENneeds": frozenset({"SENneed"}),
    **dict.fromkeys(("Address", "Phones", "Contacts"), _WHOLE), "Attendance": frozenset({"YearData"}),
    "SchoolHistory": frozenset({"School"}),
}  # fmt: skip
"""The elements of a pupil that are read, and of each which parts (none named: all). FormerUPN and FormerSurname are none of them:
this file cannot say whether the pupil was adopted, and of an adopted one they lead back (see `adopted`)."""
NAMES = (("given_name", "Forename"), ("family_name", "Surname"), ("middle_names", "BasicDetails/MiddleNames"))
FIRST_LANGUAGES = frozenset({"", "F", "H"})
NO_DISABILITY = "NONE"
UPRNS = ("uniquepropertyreferencenumber", "uprn")


@dataclass
class Reading:
    """One pupil being read. full: the file is a full one."""

    number: int
    report: Report
    codes: Codes
    provenance: Provenance
    school: str
    called: str | None
    full: bool
    parts: int = 0

    def pupil(self, pupil: Element) -> Said:
        """Everything said of the pupil. Raises Refused."""
        person = self._person(pupil) | {"organisation": self.school}
        if not person.get("family_name") or not person.get("birth_date"):
            where = "DOB" if person.get("family_name") else "Surname"
            raise Refused(where, None, "a pupil without surname or date of birth cannot be told from others")
        statements = [
            Statement("education.person-recorded.v1", "R-IDENT", person, row=self.number),
            *self._schools(pupil),
            *self._provision(pupil),
            *self._disabilities(pupil),
            *self._each(pupil, "FSMhistory/FSMinstance", self._meals),
            *self._places(pupil),
            *self._points(pupil),
            *self._contacts(pupil),
            *self._each(pupil, "Attendance/YearData", self._year),
        ]
        return Said((self._own(person),), tuple(statements), self.report, self.provenance, joins=school_keys(self.school, person))

    def _own(self, person: Mapping[str, Any]) -> Key:
        """The file has no id of a pupil: number, birth date and first name together are one, within the school."""
        upn = next((one["value"] for one in person["identifiers"] if one["type"] == "upn"), "")
        name = plain(person.get("given_name")) if upn else plain(f"{person.get('given_name')} {person['family_name']}")
        return key("ctf", self.school, f"{upn} {person['birth_date']} {name}")

    # -- who it is -----------------------------------------------------------------------------------------------

    def _person(self, pupil: Element) -> dict[str, Any]:
        fields: dict[str, Any] = {name: values.text(pupil.findtext(path)) for name, path in NAMES}
        fields["known_as"] = _known_as(pupil)
        fields["birth_date"] = self._day(pupil, "DOB")
        fields["sex"] = self._code(pupil, "Sex" if pupil.find("Sex") is not None else "Gender", "sex")
        fields["ethnicity"] = self._code(pupil, "BasicDetails/Ethnicity", "ethnicity")
        fields["first_language"] = _first_language(pupil)
        numbers = [
            values.upn(pupil.findtext("UPN")),
            values.uln(pupil.findtext("UniqueLearnerNumber")),
        ]
        fields["identifiers"] = [one for one in numbers if one]
        for one in fields["identifiers"]:
            if not one["valid"]:
                self.report.flag(self.number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
        return fields

    # -- schools -------------------------------------------------------------------------------------------------

    def _schools(self, pupil: Element) -> Iterator[Statement]:
        """The enrolment at this school, and those that are over at others. Of another school's open enrolment only that
        school may tell: it would open the child to its staff."""
        here = self._here(pupil)
        spells = list(self._each(pupil, "SchoolHistory/School", lambda school: self._spell(school, here)))
        if all(one.fields["school"] != self.school for one in spells):
            # Beside the file's own word of an enrolment it would fill that one when the file comes again, and not before.
            yield Statement(ENROLMENT, "R-PUPIL", {"school": self.school, **here}, row=self.number, completes=True)
        yield from spells

    def _here(self, pupil: Element) -> dict[str, Any]:
        found = {
            "nc_year_actual": self._code(pupil, "BasicDetails/NCyearActual", "nc_year"),
            "enrol_status": self._code(pupil, "BasicDetails/EnrolStatus", "enrol_status"),
            "school_name": self.called,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _spell(self, school: Element, here: Mapping[str, Any]) -> Iterator[Statement]:
        number = f"{(school.findtext('LEA') or '').strip()}{(school.findtext('Estab') or '').strip()}"
        entry, left = self._day(school, "EntryDate"), self._day(school, "LeavingDate")
        if not number or entry is None:
            raise Refused("SchoolHistory/School/EntryDate", None, "an enrolment without school or first day cannot be told from others")
        name = values.text(school.findtext("SchoolName"))
        fields = {"school": number, "entry_date": entry, "leaving_date": left, **({"school_name": name} if name else {})}
        if number == self.school:
            yield self._statement(ENROLMENT, "R-PUPIL", {**fields, **({} if left else here)})
        elif left is None or left > self.provenance.extracted:
            raise Refused("SchoolHistory/School/LeavingDate", left, "only that school itself may say that a pupil is on its roll")
        else:
            yield self._statement(ENROLMENT, "R-PUPIL", fields)

    # -- needs and meals -----------------------------------------------------------------------------------------

    def _provision(self, pupil: Element) -> Iterator[Statement]:
        """The provision of now, how it was before, and the ranked needs."""
        history = [one for part in pupil.iterfind("SENhistory/SEN") for one in self._taken(self._sen, part)]
        history.sort(key=lambda one: one["start_date"] or "")
        needs = [one for part in pupil.iterfind("SENneeds/SENneed") for one in self._taken(self._need, part)]
        fields: dict[str, Any] = {"school": self.school}
        if history:
            fields |= {"sen_provision": history[-1]["sen_provision"], "history": history}
        if needs:
            fields["needs"] = sorted(needs, key=lambda need: (need["rank"] or 99, need["sen_type"] or ""))
        if len(fields) > 1:
            yield self._statement("education.sen-recorded.v1", "R-SEN", fields)

    def _sen(self, part: Element) -> Iterator[dict[str, Any]]:
        start = self._day(part, "StartDate")
        provision = self._code(part, "SENprovision", "sen_provision", first=start)
        if provision is None:
            raise Refused("SENhistory/SEN/SENprovision", None, "the entry does not say which provision")
        yield {"start_date": start, "sen_provision": provision}

    def _need(self, part: Element) -> Iterator[dict[str, Any]]:
        found = next((one for one in ("SENtype", "SENType") if part.find(one) is not None), None)
        rank = self._read(values.integer, part, "SENtypeRank")
        said = values.code(part.findtext(found) if found else part.text)
        if said is None:
            raise Refused("SENneeds/SENneed", None, "the entry does not say which need")
        coded.check(self.codes, self.report, self.number, "SENneeds/SENneed", said, "sen_type")
        yield {"rank": rank, "sen_type": said}

    def _disabilities(self, pupil: Element) -> Iterator[Statement]:
        """All that the file names; where it names none it says nothing. NONE is a code: there is no disability."""
        said = [(one.text or "").strip() for one in pupil.iterfind("BasicDetails/Disabilities/Disability")]
        found = dict.fromkeys(NO_DISABILITY if one == NO_DISABILITY else values.code(one) for one in said)
        codes = [code for code in found if code is not None]
        for code in codes:
            coded.check(self.codes, self.report, self.number, "BasicDetails/Disabilities/Disability", code, "disability")
        if codes:
            yield self._statement("education.pupil-disability-recorded.v1", "R-PUPIL", {"school": self.school, "disabilities": codes})

    def _meals(self, part: Element) -> Iterator[Statement]:
        start = self._day(part, "FSMstartDate")
        if start is None:
            raise Refused("FSMinstance/FSMstartDate", None, "a period without its first day cannot be told from others")
        fields = {
            "school": self.school, "start_date": start, "end_date": self._day(part, "FSMendDate"),
            "uk_country": self._code(part, "UKcountry", "uk_country"),
        }  # fmt: skip
        yield self._statement("education.free-meals-recorded.v1", "R-FSM", fields)

    # -- where it lives, and with whom ---------------------------------------------------------------------------

    def _places(self, pupil: Element) -> Iterator[Statement]:
        element = pupil.find("Address")
        found = {} if element is None else _address(element)
        if not found:
            return
        known = {"address_id": f"{self.school} 1", "address_kind": "home", "organisation": self.school}
        for path, (_, odd) in (("Address/PostCode", postcode_of(found.get("postcode"))), ("Address/UPRN", uprn_of(_uprn(found)))):
            if odd:
                self.report.flag(self.number, path, None, f"{odd}; kept as it is")
        fields = {**known, "lines": lines_of(found), "postcode": postcode_of(found.get("postcode"))[0], "uprn": uprn_of(_uprn(found))[0]}
        yield self._statement(ADDRESS, "R-IDENT", fields)
        yield self._older(ADDRESS, {"organisation": self.school})

    def _points(self, pupil: Element) -> Iterator[Statement]:
        phones = [{"telephone": number, "telephone_type": kind} for number, kind in _phones(pupil)]
        email = values.text(pupil.findtext("Email"))
        points = phones + ([{"email": email}] if email else [])
        for place, point in enumerate(points, 1):
            yield self._statement(POINT, "R-IDENT", {"contact_point_id": f"{self.school} {place}", "school": self.school, **point})
        if points:
            yield self._older(POINT, {"school": self.school})

    def _contacts(self, pupil: Element) -> Iterator[Statement]:
        found = list(self._each(pupil, "Contacts/Contact", self._contact))
        yield from found
        if found and self.full:
            yield self._older(RELATION, {"organisation": self.school})

    def _contact(self, contact: Element) -> Iterator[Statement]:
        given, family = values.text(contact.findtext("Forename")), values.text(contact.findtext("Surname"))
        if not given and not family:
            raise Refused("Contacts/Contact/Surname", None, "a contact without a name cannot be told from others")
        order = values.code(contact.findtext("Order")) or ""
        fields = {
            "other_local_id": f"contact {self.school} {order} {plain(given)} {plain(family)}"[:200],
            "relationship": values.code(contact.findtext("Relationship")) or "contact",
            "organisation": self.school,
            "given_name": given,
            "family_name": family,
            "parental_responsibility": self._answer(contact, "Responsibility"),
            "lives_with_child": self._answer(contact, "AddressAsPupil"),
            "telephones": list(dict.fromkeys(number for number, _ in _phones(contact))),
        }
        yield self._statement(RELATION, "R-IDENT", fields)

    def _answer(self, element: Element, path: str) -> str | None:
        found = self._read(values.boolean, element, path)
        return None if found is None else "yes" if found else "no"

    # -- attendance ----------------------------------------------------------------------------------------------

    def _year(self, part: Element) -> Iterator[Statement]:
        yield from ctf_attendance.year(
            part, school=self.school, extracted=self.provenance.extracted, statement=self._statement,
            oddity=lambda code, day: coded.oddity(self.codes, "attendance", code, first=day),
            flag=lambda path, value, why: self.report.flag(self.number, path, value, why),
        )  # fmt: skip

    # -- small things --------------------------------------------------------------------------------------------

    def _statement(self, type: str, record_class: str, fields: Mapping[str, Any]) -> Statement:
        """A part of the pupil: taken or refused by itself."""
        self.parts += 1
        return Statement(type, record_class, fields, row=self.number, part=self.parts)

    def _older(self, type: str, fields: Mapping[str, Any]) -> Statement:
        self.parts += 1
        return Statement(type, "R-IDENT", fields, withdrawn=True, row=self.number, part=self.parts, every="older")

    def _each(self, pupil: Element, path: str, read: Callable[[Element], Iterator[Statement]]) -> Iterator[Statement]:
        for part in pupil.iterfind(path):
            yield from self._taken(read, part)

    def _taken(self, read: Callable[[Element], Iterator[Any]], part: Element) -> list[Any]:
        """What a part says, or nothing when it is refused."""
        try:
            return list(read(part))
        except Refused as refused:
            self.report.refuse(self.number, refused.path, refused.value, refused.why)
            return []

    def _code(self, element: Element, path: str, list: str, **days: str | None) -> str | None:
        return coded.check(self.codes, self.report, self.number, path, values.code(element.findtext(path)), list, **days)

    def _day(self, element: Element, path: str) -> str | None:
        return self._read(values.day, element, path)

    def _read(self, reader: Callable[[str | None], Any], element: Element, path: str) -> Any:
        text = element.findtext(path)
        try:
            return reader(text)
        except values.Unreadable as error:
            raise Refused(f"{element.tag}/{path}", text, f"expected {error}") from error


def _known_as(pupil: Element) -> str | None:
    """The preferred names where they are not the legal ones."""
    parts = ("Forename", "Surname")
    used, legal = ([values.text(pupil.findtext(kind + part)) for part in parts] for kind in ("BasicDetails/Preferred", ""))
    differs = any(one and plain(one) != plain(other) for one, other in zip(used, legal, strict=True))
    return " ".join(part for part in used if part) if differs else None


def _first_language(pupil: Element) -> str | None:
    """`Languages/Type` holds a code, or a language and which of the pupil's it is."""
    for one in pupil.iterfind("BasicDetails/Languages/Type"):
        if (one.findtext("LanguageType") or "").strip() in FIRST_LANGUAGES:
            return values.code(one.findtext("Language") if len(one) else one.text)
    return None


def _address(element: Element) -> dict[str, str]:
    """The parts of an address by their names in lower case, however deep they lie."""
    return {
        str(one.tag).lower(): text
        for one in element.iter()
        if isinstance(one.tag, str) and not len(one) and (text := (one.text or "").strip())
    }


def _uprn(found: Mapping[str, str]) -> str | None:
    return next((found[name] for name in UPRNS if name in found), None)


def _phones(element: Element) -> Iterator[tuple[str, str | None]]:
    for phone in element.iterfind("Phones/Phone"):
        number = values.text(phone.findtext("PhoneNo"))
        if number:
            yield number, values.code(phone.findtext("TelephoneType"))
