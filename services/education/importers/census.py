"""The school census as CSV tables: pupils on and off roll, session details, suspensions and exclusions, SEN needs.

A pupil's own id is the table id of its row (on and off roll share one value space), within the authority; `sourceid` is one
pupil at one school in one spell and term, and is what child rows join on. See FORMATS 2 in the notes on the sector's formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.education.importers.pupils import Delivery, Row, Spell, school_keys
from services.plumbing.contracts import Codes
from services.plumbing.files import coded, values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import CUT, Table, open_table
from services.plumbing.register import Place, Provenance, Said, Statement
from services.plumbing.subjects import Key, key

PUPIL_IDS = ("pupilonrolltableid", "pupilnolongeronrolltableid")
EXCLUSION_IDS = ("termlyexclusionsonrolltableid", "termlyexclusionsoffrolltableid")
REASONS = ("reason", "reason1", "reason2", "reason3")
KINDS: Mapping[str, frozenset[str]] = {
    "pupils": frozenset({"surname", "forename", "dob", "upn", "sourceid", "nativeid"}),
    "sessions": frozenset({"attendancereason", "sessions", "sourceid", "nativeid"}),
    "exclusions": frozenset({"startdate", "category", "sourceid", "nativeid"}),
    "needs": frozenset({"sentype", "sentyperank", "sourceid", "nativeid"}),
}
"""What each table is recognised by. Pupils come first: the other tables' rows belong to them."""
_TERM_ENDS = {"autumn": (9, 1, 12, 20), "spring": (1, 5, 4, 5), "summer": (4, 20, 7, 22)}
_CENSUS_DAYS = {"autumn": "10-05", "spring": "01-18", "summer": "05-18"}
FIRST_YEAR = 2000


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A census table, checked whole. Raises FileRefused for anything else, or when the collection is not said."""
    table = open_table(path, name=name)
    kind = next((kind for kind, needed in KINDS.items() if needed <= set(table.columns)), None)
    pupil_id = next((column for column in PUPIL_IDS if column in table.columns), None)
    if kind is None or pupil_id is None:
        raise FileRefused(name, "the columns are those of no school census table this service reads")
    reader = _Census(table, codes, _collection(name, options), pupil_id, options, delivery)
    read = _READ["all"] | _READ[kind] | {pupil_id}
    ignored = tuple(column for column in table.columns if column not in read)
    # Leavers first: where a pupil is on one school's roll and off another's, the roll is what they are now.
    order = 2 * list(KINDS).index(kind) + (pupil_id == PUPIL_IDS[0])
    return Source(order, table.count, getattr(reader, kind), ignored, table.sha256, ((table.last_row, CUT),) if table.cut else ())


_READ = {
    "all": {"nativeid", "sourceid"},
    "pupils": {"dob", "surname", "forename", "middlenames", "preferredsurname", "formersurname", "upn", "formerupn",
               "uniquelearnernumber", "sex", "gender", "ethnicity", "language", "entrydate", "leavingdate", "enrolstatus",
               "ncyearactual", "ncyearleaving", "senprovision", "parttime", "termlysessionspossible",
               "termlysessionsauthorised", "termlysessionsunauthorised"},
    "sessions": {"attendancereason", "sessions"},
    "exclusions": {"startdate", "category", "sessions", "senprovision", *REASONS, *EXCLUSION_IDS},
    "needs": {"sentype", "sentyperank"},
}  # fmt: skip


def _collection(name: str, options: Options) -> str:
    """`2025-spring`, from the option or from a file name such as 2025_spring_pupilonroll.csv. Raises FileRefused."""
    named = re.search(r"(20\d{2})[_-](autumn|spring|summer)", name.lower())
    in_name = f"{named.group(1)}-{named.group(2)}" if named else None
    option = options.collection.strip().lower() if options.collection else None
    if option and in_name and option != in_name:
        raise FileRefused(name, f"--collection says {option}, but its name says {in_name}")
    found = option or in_name
    if not found:
        raise FileRefused(name, "neither the file nor its name says which census this is", option="--collection 2025-spring")
    year, _, season = found.partition("-")
    if season not in _TERM_ENDS or not re.fullmatch(r"\d{4}", year, re.ASCII):
        raise FileRefused(name, f"the collection {found} is not a year and a term", option="--collection 2025-spring")
    if not FIRST_YEAR <= int(year) <= int(values.today()[:4]) + 1:
        raise FileRefused(name, f"the collection {found} is not from {FIRST_YEAR} to next year")
    return found


class _Census:
    """One table of one collection, read into statements."""

    def __init__(
        self, table: Table, codes: Codes, collection: str, pupil_id: str, options: Options, delivery: Delivery
    ) -> None:
        year, _, season = collection.partition("-")
        month, day, to_month, to_day = _TERM_ENDS[season]
        self._table, self._codes, self._pupil_id, self._delivery = table, codes, pupil_id, delivery
        self._collection = collection
        extracted = as_of(table.name, options, otherwise=f"{year}-{_CENSUS_DAYS[season]}")
        self._term = {
            "term": collection,
            "term_start": f"{year}-{month:02d}-{day:02d}",
            "term_end": min(f"{year}-{to_month:02d}-{to_day:02d}", extracted),
        }
        self._provenance = Provenance(extracted, table.name, table.sha256, options.authority)

    # -- tables --------------------------------------------------------------------------------------------------

    def pupils(self, report: Report) -> Iterator[Said]:
        """On or off roll: who the pupil is, the enrolment, SEN provision, sessions in sum."""
        for number, row in self._table.rows():
            if (said := self._read(report, number, row, self._pupil)) is not None:
                yield said

    def exclusions(self, report: Report) -> Iterator[Said]:
        """Suspensions and exclusions: date and category repeat, so the row's own id is the key."""
        for number, row in self._table.rows():
            if (said := self._read(report, number, row, self._excluded)) is not None:
                yield said

    def sessions(self, report: Report) -> Iterator[Said]:
        """Sessions by reason: the rows of one spell and term are one entry, in whatever files of the delivery they lie."""
        for spell, rows in self._by_spell(report, "sessions", self._session_row):
            school, source, _ = spell
            reasons: dict[str, int] = {}
            for _, _, row in rows:
                count = values.integer(row["sessions"])
                if count is not None:
                    reasons[row["attendancereason"]] = reasons.get(row["attendancereason"], 0) + count
            fields: dict[str, Any] = {"school": school, "spell": source, **self._term, "sessions_by_reason": reasons}
            possible = self._delivery.possible.get((self._collection, school, source))
            if possible is not None:
                fields["flag"] = "reasons above the sessions possible" if sum(reasons.values()) > possible else None
                if fields["flag"]:
                    report.flag(rows[-1][1], "sessions", sum(reasons.values()), f"more than the {possible} sessions possible; kept")
            yield self._of_spell(report, spell, rows, "education.attendance-summarised.v1", "R-REGISTER", fields)

    def needs(self, report: Report) -> Iterator[Said]:
        """SEN needs, ranked: the rows of one spell and term are one list, in whatever files of the delivery they lie."""
        for spell, rows in self._by_spell(report, "needs", self._need_row):
            needs = [{"rank": values.integer(row["sentyperank"]), "sen_type": values.code(row["sentype"])} for _, _, row in rows]
            needs.sort(key=lambda need: (need["rank"] or 99, need["sen_type"] or ""))
            fields = {"school": spell[0], "needs": needs}
            yield self._of_spell(report, spell, rows, "education.sen-recorded.v1", "R-SEN", fields)

    # -- rows ----------------------------------------------------------------------------------------------------

    def _read(self, report: Report, number: int, row: Row, read) -> Any:
        """One row read, or refused with the column, the value and what was expected."""
        try:
            return read(report, number, row)
        except _RowRefused as refused:
            report.refuse(number, refused.column, row.get(refused.column), refused.why)
            return None

    def _pupil(self, report: Report, number: int, row: Row) -> Said:
        school = _school(row)
        own = self._own(row)
        if own is None:
            raise _RowRefused(self._pupil_id, "a pupil without its table id cannot be told from others")
        person = self._person(report, number, row) | {"organisation": school}
        statements = [
            Statement("education.person-recorded.v1", "R-IDENT", person, row=number),
            *self._enrolled(report, number, row, school),
            *self._provision(report, number, row, school),
            *self._summary(report, number, row, school),
        ]
        spell = self._spell(school, row)
        return Said(
            (own,), tuple(statements), report, self._provenance,
            joins=school_keys(school, person), aliases=(spell,) if spell else (),
        )  # fmt: skip

    def _person(self, report: Report, number: int, row: Row) -> dict[str, Any]:
        names = (
            ("given_name", "forename"), ("family_name", "surname"), ("middle_names", "middlenames"),
            ("known_as", "preferredsurname"), ("former_family_name", "formersurname"),
        )  # fmt: skip
        fields: dict[str, Any] = {name: values.text(row[column]) for name, column in names if column in row}
        sex = "sex" if "sex" in row else "gender"
        for name, column in (("sex", sex), ("ethnicity", "ethnicity")):
            if column in row:
                fields[name] = self._code(report, number, row, column, name)
        if "language" in row:
            fields["first_language"] = values.code(row["language"])
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
        fields = self._enrolment(report, number, row, school)
        if fields["entry_date"] is None:
            if "entrydate" in row:
                report.flag(number, "entrydate", "", "without its first day an enrolment cannot be told from others; left out")
            return []
        return [Statement("education.enrolment-recorded.v1", "R-PUPIL", fields, row=number)]

    def _enrolment(self, report: Report, number: int, row: Row, school: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"school": school, "entry_date": _day(row, "entrydate")}
        if "leavingdate" in row:
            fields["leaving_date"] = _day(row, "leavingdate")
        if "enrolstatus" in row:
            fields["enrol_status"] = self._code(report, number, row, "enrolstatus", "enrol_status")
        for column in ("ncyearactual", "ncyearleaving"):
            if column in row:
                fields["nc_year_actual"] = self._code(report, number, row, column, "nc_year")
        if "parttime" in row:
            fields["part_time"] = self._yes_no(report, number, row, "parttime")
        if school in self._delivery.schools:
            fields["school_name"] = self._delivery.schools[school]
        return fields

    def _provision(self, report: Report, number: int, row: Row, school: str) -> list[Statement]:
        """A blank says nothing of the provision: half of real rows are blank."""
        provision = self._code(report, number, row, "senprovision", "sen_provision", **self._in_term())
        if provision is None:
            return []
        return [Statement("education.sen-recorded.v1", "R-SEN", {"school": school, "sen_provision": provision}, row=number)]

    def _summary(self, report: Report, number: int, row: Row, school: str) -> list[Statement]:
        possible = self._number(report, number, row, "termlysessionspossible")
        source = values.code(row["sourceid"])
        if possible is None:
            return []
        if source is None:
            report.flag(number, "sourceid", "", "without it the sessions cannot be told from another spell's; left out")
            return []
        self._delivery.possible[self._collection, school, source] = possible
        fields = {"school": school, "spell": source, **self._term, "sessions_possible": possible}
        for column, name in (("termlysessionsauthorised", "sessions_authorised"), ("termlysessionsunauthorised", "sessions_unauthorised")):
            if column in row:
                fields[name] = self._number(report, number, row, column)
        return [Statement("education.attendance-summarised.v1", "R-REGISTER", fields, row=number)]

    def _excluded(self, report: Report, number: int, row: Row) -> Said:
        school = _school(row)
        statement = Statement("education.exclusion-recorded.v1", "R-PUPIL", self._exclusion(report, number, row, school), row=number)
        spell = self._spell(school, row)
        if spell is None and self._own(row) is None:
            raise _RowRefused("sourceid", "the row does not say which pupil it belongs to")
        return self._child(report, self._own(row), spell, statement, ((report, number),))

    def _exclusion(self, report: Report, number: int, row: Row, school: str) -> dict[str, Any]:
        column = next((column for column in EXCLUSION_IDS if column in row), EXCLUSION_IDS[0])
        id = values.code(row.get(column))
        if id is None:
            raise _RowRefused(column, "a suspension without its row id cannot be told from others")
        start = _day(row, "startdate")
        fields: dict[str, Any] = {
            "exclusion_id": f"{self._collection} {school} {id}", "school": school, "start_date": start,
            "exclusion_category": self._code(report, number, row, "category", "exclusion_category", first=start),
        }  # fmt: skip
        if "sessions" in row:
            fields["sessions"] = self._number(report, number, row, "sessions")
        reasons = [self._code(report, number, row, one, "exclusion_reason", first=start) for one in REASONS if one in row]
        if any(one in row for one in REASONS):
            fields["reasons"] = [one for one in reasons if one]
        if "senprovision" in row:
            fields["sen_provision"] = self._code(report, number, row, "senprovision", "sen_provision", first=start)
        return fields

    def _session_row(self, report: Report, number: int, row: Row) -> None:
        """A row of sessions by reason: a code, and how many; a blank number is said and counts nothing."""
        if not values.code(row["attendancereason"]):
            raise _RowRefused("attendancereason", "the row does not say why the sessions were missed")
        if _number(row, "sessions") is None:
            report.flag(number, "sessions", "", "the row does not say how many sessions; left out")
        self._code(report, number, row, "attendancereason", "attendance", **self._in_term())

    def _need_row(self, report: Report, number: int, row: Row) -> None:
        """A row of ranked needs."""
        _number(row, "sentyperank")
        self._code(report, number, row, "sentype", "sen_type")

    # -- small things --------------------------------------------------------------------------------------------

    def _own(self, row: Row) -> Key | None:
        """The pupil's own id, within the authority where one is said."""
        id = values.code(row[self._pupil_id])
        if id is None:
            return None
        authority = self._provenance.authority
        return key("census", authority, id) if authority else key("census", id)

    def _spell(self, school: str, row: Row) -> Key | None:
        """The spell, which means something at one school in one collection alone."""
        source = values.code(row["sourceid"])
        return key("spell", self._provenance.authority, self._collection, school, source) if source else None

    def _by_spell(self, report: Report, kind: str, check) -> Iterator[tuple[Spell, list[tuple[Report, int, Row]]]]:
        """The spells of this table, each with its rows of this and the files before it."""
        held = self._delivery.rows.setdefault((kind, self._collection), {})
        touched: dict[Spell, None] = {}
        for number, row in self._table.rows():
            spell = self._read(report, number, row, lambda report, number, row: self._checked(report, number, row, check))
            if spell is None:
                continue
            if any(row == other for _, _, other in held.get(spell, ())) and _has_row_id(row):
                report.flag(number, None, None, "the same row came before in this delivery; counted once")
                report.accepted += 1
                continue
            held.setdefault(spell, []).append((report, number, row))
            touched[spell] = None
        for spell in touched:
            yield spell, held[spell]

    def _checked(self, report: Report, number: int, row: Row, check) -> Spell:
        source = values.code(row["sourceid"])
        if source is None:
            raise _RowRefused("sourceid", "the row does not say which pupil it belongs to")
        check(report, number, row)
        return _school(row), source, values.code(row[self._pupil_id]) or ""

    def _of_spell(
        self, report: Report, spell: Spell, rows: list[tuple[Report, int, Row]], type: str, record_class: str, fields: Mapping[str, Any]
    ) -> Said:
        """What the rows of a spell come to; this file's rows learn what became of it."""
        _, _, row = rows[-1]
        here = tuple((owner, number) for owner, number, _ in rows if owner is report)
        statement = Statement(type, record_class, fields, row=here[0][1])
        return self._child(report, self._own(row), self._spell(spell[0], row), statement, here)

    def _child(self, report: Report, own: Key | None, spell: Key | None, statement: Statement, rows: tuple[Place, ...]) -> Said:
        why = "no pupil row with this id or sourceid came in this delivery or before"
        return Said(
            (own,) if own else (), (statement,), report, self._provenance, must_exist=True, otherwise=why,
            joins=(spell,) if spell else (), rows=rows,
        )  # fmt: skip

    def _in_term(self) -> dict[str, str]:
        return {"first": self._term["term_start"], "last": self._term["term_end"]}

    def _number(self, report: Report, number: int, row: Row, column: str) -> int | None:
        try:
            return values.integer(row.get(column))
        except values.Unreadable as error:
            report.flag(number, column, row.get(column), f"expected {error}; left out")
            return None

    def _yes_no(self, report: Report, number: int, row: Row, column: str) -> bool | None:
        try:
            return values.boolean(row.get(column))
        except values.Unreadable as error:
            report.flag(number, column, row.get(column), f"expected {error}; left out")
            return None

    def _code(self, report: Report, number: int, row: Row, column: str, codes: str, **days: str | None) -> str | None:
        return coded.check(self._codes, report, number, column, values.code(row.get(column)), codes, **days)


class _RowRefused(Exception):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


def _school(row: Row) -> str:
    school = values.code(row["nativeid"])
    if school is None:
        raise _RowRefused("nativeid", "the row does not say which school")
    return school


def _day(row: Row, column: str) -> str | None:
    try:
        return values.day(row.get(column))
    except values.Unreadable as error:
        raise _RowRefused(column, f"expected {error}") from error


def _number(row: Row, column: str) -> int | None:
    try:
        return values.integer(row.get(column))
    except values.Unreadable as error:
        raise _RowRefused(column, f"expected {error}") from error


def _has_row_id(row: Row) -> bool:
    """Whether the table numbers its own rows: only then are two equal rows one row twice."""
    return any(column.endswith("tableid") and column not in PUPIL_IDS and row[column] for column in row)
