"""Who the students and leavers of a MIS are: names, numbers, the enrolment, where they live, how they are reached, and whose
contacts they have. A student's own list of contacts is the whole list: it takes the place of every older one of the school.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.education.importers.addresses import lines_of, postcode_of
from services.education.importers.pupils import ADDRESS, ENROLMENT, EXCLUSION, POINT, RELATION, school_keys
from services.education.importers.wonde_json import Json, day_of, id_of, name_of, nested, objects, student_of, texts
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.report import Report
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import Key, key

SEXES = {"male": "M", "m": "M", "female": "F", "f": "F", "unknown": "U", "u": "U"}
EXCLUSIONS = {"permanent": "PERM", "suspension": "SUSP", "fixed term": "SUSP", "fixed period": "SUSP", "lunchtime": "LNCH"}
"""How systems write a kind of exclusion in words."""
MOST_CODE, MOST_REASONS = 20, 3
NOBODY = "no pupil of the register is this student, and the file says too little to register one"


@dataclass(frozen=True)
class School:
    """The school that speaks, and as of when."""

    number: str
    name: str | None
    provenance: Provenance
    codes: Codes

    def own(self, student: str) -> Key:
        """The key of one of its students."""
        return key("mis", self.number, student)

    def item(self, kind: str, id: str) -> Key:
        """The key of something of a student's that the system numbers: a later deletion names no more than that."""
        return key(f"mis {kind}", self.number, id)


def person_of(report: Report, row: int, said: Json) -> dict[str, Any]:
    """Who a student is: legal names first. What is called gender is the sex; how the child says it is gender_identity."""
    born, education = said.get("date_of_birth"), nested(said, "education_details")
    fields = {
        "given_name": name_of(said, "legal_forename", "forename"),
        "family_name": name_of(said, "legal_surname", "surname"),
        "middle_names": name_of(said, "middle_names"),
        "known_as": _known_as(said),
        "birth_date": day_of(born),
        "sex": _sex(report, row, said.get("gender")),
        "gender": name_of(said, "gender_identity"),
    }
    if born and fields["birth_date"] is None:
        report.flag(row, "date_of_birth", born, "expected a date such as 2015-03-27; left out")
    # no former_upn: this file cannot say whether the pupil was adopted, and then that number leads back (see `adopted`)
    numbers = [
        values.upn(id_of(education.get("upn"))),
        values.uln(id_of(education.get("learner_number"))),
    ]
    found = [one for one in numbers if one]
    for one in found:
        if not one["valid"]:
            report.flag(row, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
    return {**{n: v for n, v in fields.items() if v}, "identifiers": found}


def _known_as(said: Json) -> str | None:
    """The names in use where they are not the legal ones."""
    used, legal = (tuple(name_of(said, f"{kind}{part}") for part in ("forename", "surname")) for kind in ("", "legal_"))
    differs = any(one and other and one != other for one, other in zip(used, legal, strict=True))
    return " ".join(part for part in used if part) if differs else None


def _sex(report: Report, row: int, said: Any) -> str | None:
    word = id_of(said)
    found = SEXES.get((word or "").lower())
    if word and found is None:
        report.flag(row, "gender", word, "expected male or female; left out")
    return found


@dataclass(frozen=True)
class Students:
    """Students, or leavers, of one file."""

    school: School
    students: Sequence[Any]
    first: int
    leavers: bool = False

    def read(self, report: Report) -> Iterator[Said]:
        """Each student; a row that cannot be taken is refused, the rest goes in."""
        for row, item in enumerate(self.students, self.first):
            student = id_of(item.get("id")) if isinstance(item, dict) else None
            if student is None:
                report.refuse(row, "id", item, "a student without an id cannot be told from others")
            else:
                yield self._said(report, row, student, item)

    def _said(self, report: Report, row: int, student: str, item: Json) -> Said:
        person = person_of(report, row, item) | {"organisation": self.school.number}
        enough = bool(person.get("birth_date") and person.get("family_name"))
        statements = [
            *([Statement("education.person-recorded.v1", "R-IDENT", person, row=row)] if enough else ()),
            *self._enrolled(report, row, item),
            *_places(self.school, row, nested(item, "contact_details")),
            *self._contacts(report, row, student, item),
        ]
        contacts = [id for one in objects(item, "contacts") or () if (id := id_of(one.get("id")))]
        return Said(
            (self.school.own(student),), tuple(statements), report, self.school.provenance, must_exist=not enough, otherwise=NOBODY,
            joins=school_keys(self.school.number, person), aliases=tuple(self.school.item("contact", id) for id in contacts),
            rows=((report, row),),
        )  # fmt: skip

    def _enrolled(self, report: Report, row: int, item: Json) -> Iterator[Statement]:
        """The enrolment by its first day; a leaver's, without that day, is the one that the register holds open."""
        education = nested(item, "education_details")
        entry, left = (day_of(item.get(name) or education.get(name)) for name in ("admission_date", "leaving_date"))
        fields: dict[str, Any] = {"school": self.school.number, "school_name": self.school.name, "leaving_date": left}
        if self.leavers and left is None:
            why = "the file does not say when the pupil left; the enrolment stays as it is"
            report.flag(row, "leaving_date", education.get("leaving_date"), why)
        if entry is not None:
            fields |= {"entry_date": entry, **self._year(report, row, education)}
            kept = {name: value for name, value in fields.items() if value is not None or name == "leaving_date"}
            yield Statement(ENROLMENT, "R-PUPIL", kept, row=row)
        elif left is not None or self.school.name:
            yield Statement(ENROLMENT, "R-PUPIL", fields, row=row, completes=True)

    def _year(self, report: Report, row: int, education: Json) -> dict[str, Any]:
        found: dict[str, Any] = {}
        year = id_of(education.get("current_nc_year"))
        if year is not None:
            found["nc_year_actual"] = coded.check(self.school.codes, report, row, "current_nc_year", year, "nc_year")
        if isinstance(education.get("part_time"), bool):
            found["part_time"] = education["part_time"]
        return found

    def _contacts(self, report: Report, row: int, student: str, item: Json) -> Iterator[Statement]:
        found = objects(item, "contacts")
        for part, contact in enumerate(found or (), 1):
            relation = relation_of(self.school, contact)
            if relation is None:
                report.flag(row, "contacts.id", contact.get("id"), "a contact without an id cannot be told from others; left out")
            else:
                yield Statement(RELATION, "R-IDENT", relation, row=row, part=part)
        if found:
            yield Statement(RELATION, "R-IDENT", {"organisation": self.school.number}, withdrawn=True, row=row, part=-1, every="older")


def relation_of(school: School, contact: Json) -> dict[str, Any] | None:
    """A contact as a relation; None where it has no id."""
    id, how = id_of(contact.get("id")), nested(contact, "relationship")
    if id is None:
        return None
    phones = nested(nested(contact, "contact_details"), "phones")
    return {
        "other_local_id": f"contact {school.number} {id}",
        "relationship": name_of(how, "relationship") or name_of(contact, "relationship") or "contact",
        "organisation": school.number,
        "given_name": name_of(contact, "forename", "legal_forename"),
        "family_name": name_of(contact, "surname", "legal_surname"),
        "parental_responsibility": _answer(how.get("parental_responsibility")),
        "lives_with_child": _answer(how.get("lives_with_pupil")),
        "telephones": list(texts(phones)),
    }


def _answer(said: Any) -> str | None:
    return {True: "yes", False: "no"}.get(said) if isinstance(said, bool) else None


def _places(school: School, row: int, details: Json) -> Iterator[Statement]:
    """Where a student lives and how it is reached; they take the place of the school's older words where the file has any."""
    home = nested(nested(details, "addresses"), "home") or nested(details, "address")
    words = {name: str(value) for name, value in home.items() if isinstance(value, (str, int))}
    lines = lines_of({**words, "paon": words.get("house_number") or words.get("house_name") or ""})
    postcode = postcode_of(words.get("postcode"))[0]
    if lines or postcode:
        known = {"address_id": f"{school.number} 1", "address_kind": "home", "organisation": school.number}
        yield Statement(ADDRESS, "R-IDENT", {**known, "lines": lines, "postcode": postcode}, row=row)
        yield Statement(ADDRESS, "R-IDENT", {"organisation": school.number}, withdrawn=True, row=row, every="older")
    phones = [("telephone", number) for number in texts(nested(details, "phones"))]
    points = phones + [("email", address) for address in texts(nested(details, "emails"))]
    for place, (kind, value) in enumerate(points, 1):
        fields = {"contact_point_id": f"{school.number} {place}", "school": school.number, kind: value}
        yield Statement(POINT, "R-IDENT", fields, row=row)
    if points:
        yield Statement(POINT, "R-IDENT", {"school": school.number}, withdrawn=True, row=row, every="older")


@dataclass(frozen=True)
class Contacts:
    """Contacts as a list of their own: each says whose it is. What the list does not hold stays."""

    school: School
    contacts: Sequence[Any]
    first: int

    def read(self, report: Report) -> Iterator[Said]:
        """Each contact, once for every student of its."""
        for row, item in enumerate(self.contacts, self.first):
            relation = relation_of(self.school, item) if isinstance(item, dict) else None
            whose = list(self._whose(item)) if relation else []
            if relation is None:
                report.refuse(row, "id", item, "a contact without an id cannot be told from others")
            elif not whose:
                report.refuse(row, "student_id", item.get("student_id"), "the contact does not say whose it is")
            for place, (student, how) in enumerate(whose):
                told = relation_of(self.school, {**item, **({"relationship": how} if how else {})})
                statement = Statement(RELATION, "R-IDENT", told or {}, row=row)
                yield Said(
                    (self.school.own(student),), (statement,), report, self.school.provenance, must_exist=True, otherwise=NOBODY,
                    aliases=(self.school.item("contact", id_of(item["id"]) or ""),), rows=() if place else ((report, row),),
                )  # fmt: skip

    @staticmethod
    def _whose(item: Json) -> Iterator[tuple[str, Any]]:
        if (student := student_of(item)) is not None:
            yield student, None
        for one in objects(item, "students") or ():
            if (id := id_of(one.get("id"))) is not None:
                yield id, one.get("relationship")


@dataclass(frozen=True)
class Exclusions:
    """Suspensions and exclusions, each by the system's own id."""

    school: School
    exclusions: Sequence[Any]
    first: int

    def read(self, report: Report) -> Iterator[Said]:
        """Each exclusion of a pupil that the register knows."""
        for row, item in enumerate(self.exclusions, self.first):
            id, student = (id_of(item.get("id")), student_of(item)) if isinstance(item, dict) else (None, None)
            if id is None or student is None:
                report.refuse(row, "id" if id is None else "student_id", item, "the exclusion does not say which it is, or whose")
                continue
            start = day_of(item.get("start_date"))
            if item.get("start_date") and start is None:
                report.refuse(row, "start_date", item["start_date"], "expected a date such as 2026-11-20")
                continue
            statement = Statement(EXCLUSION, "R-PUPIL", self._fields(report, row, id, start, item), row=row)
            yield Said(
                (self.school.own(student),), (statement,), report, self.school.provenance, must_exist=True, otherwise=NOBODY,
                aliases=(self.school.item("exclusion", id),),
            )  # fmt: skip

    def _fields(self, report: Report, row: int, id: str, start: str | None, item: Mapping[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {"exclusion_id": exclusion_id(self.school.number, id), "school": self.school.number, "start_date": start}
        said = id_of(item.get("category") or item.get("type"))
        kind = EXCLUSIONS.get((said or "").lower(), said)
        fields["exclusion_category"] = self._code(report, row, "category", kind, "exclusion_category", start)
        listed = item.get("reasons") if isinstance(item.get("reasons"), list) else [item.get("reason")]
        reasons = [self._code(report, row, "reasons", id_of(one), "exclusion_reason", start) for one in listed]
        fields["reasons"] = [one for one in reasons if one][:MOST_REASONS]
        sessions = item.get("sessions")
        if isinstance(sessions, int) and not isinstance(sessions, bool) and 0 <= sessions <= values.MOST:
            fields["sessions"] = sessions
        elif sessions is not None:
            report.flag(row, "sessions", sessions, "expected a number of sessions; left out")
        return fields

    def _code(self, report: Report, row: int, column: str, said: str | None, list: str, day: str | None) -> str | None:
        """A code; one in words that no list has is left out and said, for it is too long to be one."""
        if said is not None and len(said) > MOST_CODE:
            report.flag(row, column, said, f"not in the code list ({list}) and no code; left out")
            return None
        return coded.check(self.school.codes, report, row, column, said, list, first=day)


def exclusion_id(school: str, id: str) -> str:
    """The natural key of a suspension that the MIS numbers."""
    return f"mis {school} {id}"
