"""The school census as CSV tables: pupils on and off roll, session details, suspensions and exclusions, SEN needs.

A pupil's key is the table id of its row (on and off roll share one value space); `sourceid` is one pupil at one school in
one spell and term, and is what child rows join on. See FORMATS 2 in the notes on the sector's formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.plumbing.contracts import Codes
from services.plumbing.files import values
from services.plumbing.files.delivery import Options, Source, date_in_name
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import Table, open_table
from services.plumbing.register import Key, Provenance, Said, Statement

PUPIL_IDS = ("pupilonrolltableid", "pupilnolongeronrolltableid")
KINDS: Mapping[str, frozenset[str]] = {
    "pupils": frozenset({"surname", "forename", "dob", "upn", "sourceid", "nativeid"}),
    "sessions": frozenset({"attendancereason", "sessions", "sourceid"}),
    "exclusions": frozenset({"startdate", "category", "sourceid"}),
    "needs": frozenset({"sentype", "sentyperank", "sourceid"}),
}
"""What each table is recognised by. Pupils come first: the other tables' rows belong to them."""
_TERM_ENDS = {"autumn": (9, 1, 12, 20), "spring": (1, 5, 4, 5), "summer": (4, 20, 7, 22)}
_CENSUS_DAYS = {"autumn": "10-05", "spring": "01-18", "summer": "05-18"}
Row = Mapping[str, str]


def recognise(path: Path, name: str, options: Options, codes: Codes) -> Source:
    """A census table, checked whole. Raises FileRefused for anything else, or when the collection is not said."""
    table = open_table(path, name=name)
    kind = next((kind for kind, needed in KINDS.items() if needed <= set(table.columns)), None)
    pupil_id = next((column for column in PUPIL_IDS if column in table.columns), None)
    if kind is None or pupil_id is None:
        raise FileRefused(name, "the columns are those of no school census table this service reads")
    reader = _Census(table, codes, _collection(name, options), pupil_id, options)
    known = set().union(*_READ.values()) | {pupil_id}
    ignored = tuple(column for column in table.columns if column not in known)
    return Source(list(KINDS).index(kind), table.count, getattr(reader, kind), ignored)


_READ = {
    "all": {"nativeid", "sourceid"},
    "pupils": {"dob", "surname", "forename", "middlenames", "preferredsurname", "formersurname", "upn", "formerupn",
               "uniquelearnernumber", "sex", "gender", "ethnicity", "language", "entrydate", "leavingdate", "enrolstatus",
               "ncyearactual", "ncyearleaving", "senprovision", "parttime", "termlysessionspossible",
               "termlysessionsauthorised", "termlysessionsunauthorised"},
    "sessions": {"attendancereason", "sessions"},
    "exclusions": {"startdate", "category", "reason", "reason1", "reason2", "reason3", "senprovision",
                   "termlyexclusionsonrolltableid", "termlyexclusionsoffrolltableid"},
    "needs": {"sentype", "sentyperank"},
}  # fmt: skip


def _collection(name: str, options: Options) -> str:
    """`2025-spring`, from the option or from a file name such as 2025_spring_pupilonroll.csv."""
    if options.collection:
        return options.collection.lower()
    found = re.search(r"(20\d{2})[_-](autumn|spring|summer)", name.lower())
    if not found:
        raise FileRefused(name, "neither the file nor its name says which census this is", option="--collection 2025-spring")
    return f"{found.group(1)}-{found.group(2)}"


class _Census:
    """One table of one collection, read into statements."""

    def __init__(self, table: Table, codes: Codes, collection: str, pupil_id: str, options: Options) -> None:
        year, _, season = collection.partition("-")
        if season not in _TERM_ENDS or not year.isdigit():
            raise FileRefused(table.name, "the collection is not a year and a term", option="--collection 2025-spring")
        month, day, to_month, to_day = _TERM_ENDS[season]
        self._table, self._codes, self._pupil_id = table, codes, pupil_id
        self._term = {
            "term": collection,
            "term_start": f"{year}-{month:02d}-{day:02d}",
            "term_end": f"{year}-{to_month:02d}-{to_day:02d}",
        }
        extracted = options.extracted or date_in_name(table.name) or f"{year}-{_CENSUS_DAYS[season]}"
        self._provenance = Provenance(extracted, table.name, table.sha256, options.authority)

    # -- tables --------------------------------------------------------------------------------------------------

    def pupils(self, report: Report) -> Iterator[Said]:
        """On or off roll: who the pupil is, the enrolment, SEN provision, sessions in sum."""
        for number, row in self._table.rows():
            if (said := self._read(report, number, row, self._pupil)) is not None:
                yield said

    def sessions(self, report: Report) -> Iterator[Said]:
        """Sessions by reason: the rows of one spell and term are one entry."""
        for source, rows in self._by_source(report):
            reasons: dict[str, int] = {}
            for number, row in rows:
                code, count = row["attendancereason"], self._number(report, number, row, "sessions")
                self._check_code(report, number, "attendancereason", code, "attendance")
                if code and count is not None:
                    reasons[code] = reasons.get(code, 0) + count
            fields = {"school": rows[0][1]["nativeid"], "spell": source, **self._term, "sessions_by_reason": reasons}
            yield self._child(
                report, source, [Statement("education.attendance-summarised.v1", "R-REGISTER", fields, row=rows[0][0])]
            )

    def exclusions(self, report: Report) -> Iterator[Said]:
        """Suspensions and exclusions: date and category repeat, so the row's own id is the key."""
        for number, row in self._table.rows():
            statement = self._read(report, number, row, self._exclusion)
            if statement is not None:
                yield self._child(report, row["sourceid"], [statement])

    def needs(self, report: Report) -> Iterator[Said]:
        """SEN needs, ranked: the rows of one spell and term are one list."""
        for source, rows in self._by_source(report):
            needs = [
                {"rank": self._number(report, number, row, "sentyperank"), "sen_type": row["sentype"] or None}
                for number, row in rows
            ]
            needs.sort(key=lambda need: (need["rank"] or 99, need["sen_type"] or ""))
            fields = {"school": rows[0][1]["nativeid"], "needs": needs}
            yield self._child(report, source, [Statement("education.sen-recorded.v1", "R-SEN", fields, row=rows[0][0])])

    # -- rows ----------------------------------------------------------------------------------------------------

    def _read(self, report: Report, number: int, row: Row, read) -> Any:
        """One row read, or refused with the column, the value and what was expected."""
        try:
            return read(report, number, row)
        except _RowRefused as refused:
            report.refuse(number, refused.column, row.get(refused.column), refused.why)
            return None

    def _pupil(self, report: Report, number: int, row: Row) -> Said:
        pupil, school = row[self._pupil_id], row["nativeid"]
        if not pupil:
            raise _RowRefused(self._pupil_id, "a pupil without its table id cannot be told from others")
        if not school:
            raise _RowRefused("nativeid", "the row does not say which school")
        person = self._person(report, number, row)
        statements = [
            Statement("education.person-recorded.v1", "R-IDENT", person, row=number),
            *self._enrolled(report, number, row, school),
            *self._provision(report, number, row, school),
            *self._summary(report, number, row, school),
        ]
        keys: list[Key] = [("census", pupil), ("spell", row["sourceid"])]
        keys += pupil_keys(school, person)
        return Said(tuple(keys), tuple(statements), report, self._provenance)

    def _person(self, report: Report, number: int, row: Row) -> dict[str, Any]:
        found = {
            "given_name": row.get("forename"), "family_name": row.get("surname"), "middle_names": row.get("middlenames"),
            "known_as": row.get("preferredsurname"), "former_family_name": row.get("formersurname"),
            "sex": row.get("sex", row.get("gender")), "ethnicity": row.get("ethnicity"), "first_language": row.get("language"),
        }  # fmt: skip
        fields: dict[str, Any] = {name: values.text(value) for name, value in found.items() if value is not None}
        fields["birth_date"] = _day(row, "dob")
        identifiers = [
            values.upn(row.get("upn")),
            values.upn(row.get("formerupn"), type="former_upn"),
            values.uln(row.get("uniquelearnernumber")),
        ]
        fields["identifiers"] = [one for one in identifiers if one]
        for one in fields["identifiers"]:
            if not one["valid"]:
                report.flag(number, one["type"], one["value"], f"not a valid number ({one['reason']}); kept and marked")
        return fields

    def _enrolled(self, report: Report, number: int, row: Row, school: str) -> list[Statement]:
        """The enrolment, named by its first day. Without one it cannot be told from others: the child comes all the same."""
        fields = self._enrolment(row, school)
        if fields["entry_date"] is None:
            if "entrydate" in row:
                report.flag(number, "entrydate", "", "without its first day an enrolment cannot be told from others; left out")
            return []
        return [Statement("education.enrolment-recorded.v1", "R-PUPIL", fields, row=number)]

    def _enrolment(self, row: Row, school: str) -> dict[str, Any]:
        fields = {"school": school, "entry_date": _day(row, "entrydate")}
        if "leavingdate" in row:
            fields["leaving_date"] = _day(row, "leavingdate")
        for column, name in (("enrolstatus", "enrol_status"), ("ncyearactual", "nc_year_actual"), ("ncyearleaving", "nc_year_actual")):
            if column in row:
                fields[name] = values.text(row[column])
        return fields

    def _provision(self, report: Report, number: int, row: Row, school: str) -> list[Statement]:
        provision = values.text(row.get("senprovision"))
        if provision is None:
            return []
        self._check_code(report, number, "senprovision", provision, "sen_provision")
        return [Statement("education.sen-recorded.v1", "R-SEN", {"school": school, "sen_provision": provision}, row=number)]

    def _summary(self, report: Report, number: int, row: Row, school: str) -> list[Statement]:
        possible = self._number(report, number, row, "termlysessionspossible")
        if possible is None:
            return []
        fields = {"school": school, "spell": row["sourceid"], **self._term, "sessions_possible": possible}
        for column, name in (("termlysessionsauthorised", "sessions_authorised"), ("termlysessionsunauthorised", "sessions_unauthorised")):
            if column in row:
                fields[name] = self._number(report, number, row, column)
        return [Statement("education.attendance-summarised.v1", "R-REGISTER", fields, row=number)]

    def _exclusion(self, report: Report, number: int, row: Row) -> Statement:
        id = next((row[c] for c in ("termlyexclusionsonrolltableid", "termlyexclusionsoffrolltableid") if c in row), "")
        if not id:
            raise _RowRefused("termlyexclusionsonrolltableid", "a suspension without its row id cannot be told from others")
        self._check_code(report, number, "category", row["category"], "exclusion_category")
        reasons = [row[c] for c in ("reason", "reason1", "reason2", "reason3") if row.get(c)]
        fields = {
            "exclusion_id": id, "school": row["nativeid"], "exclusion_category": values.text(row["category"]),
            "start_date": _day(row, "startdate"), "sessions": self._number(report, number, row, "sessions"),
            "reasons": reasons, "sen_provision": values.text(row.get("senprovision")),
        }  # fmt: skip
        return Statement("education.exclusion-recorded.v1", "R-PUPIL", fields, row=number)

    # -- small things --------------------------------------------------------------------------------------------

    def _child(self, report: Report, source: str, statements: Iterable[Statement]) -> Said:
        why = "no pupil row with this sourceid came in this delivery or before"
        return Said((("spell", source),), tuple(statements), report, self._provenance, must_exist=True, otherwise=why)

    def _by_source(self, report: Report) -> list[tuple[str, list[tuple[int, Row]]]]:
        found: dict[str, list[tuple[int, Row]]] = {}
        for number, row in self._table.rows():
            if not row["sourceid"]:
                report.refuse(number, "sourceid", "", "the row does not say which pupil it belongs to")
            else:
                found.setdefault(row["sourceid"], []).append((number, row))
        return list(found.items())

    def _number(self, report: Report, number: int, row: Row, column: str) -> int | None:
        try:
            return values.integer(row.get(column))
        except values.Unreadable as error:
            report.flag(number, column, row.get(column), f"expected {error}; left out")
            return None

    def _check_code(self, report: Report, number: int, column: str, code: str, codes: str) -> None:
        if code and code not in self._codes[codes]:
            report.flag(number, column, code, "a code that is not in the list; kept as it is")


class _RowRefused(Exception):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


def _day(row: Row, column: str) -> str | None:
    try:
        return values.day(row.get(column))
    except values.Unreadable as error:
        raise _RowRefused(column, f"expected {error}") from error


def pupil_keys(school: str, person: Mapping[str, Any]) -> list[Key]:
    """How a school's other systems name the same pupil: a valid UPN with the birth date, at this school."""
    upns = [one["value"] for one in person.get("identifiers", []) if one["type"] == "upn" and one["valid"]]
    born = person.get("birth_date")
    return [("pupil", f"{school}|{upns[0]}|{born}")] if upns and born else []
