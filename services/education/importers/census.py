"""The school census as CSV tables, of every year since 2015: pupils on and off roll, addresses, free school meals, SEN needs,
suspensions and exclusions, and session details of the term, of the second half of the summer term and of the year.

A pupil's own id is the table id of its row (on and off roll share one value space), within the authority; `sourceid` is one
pupil at one school in one spell and term, and is what child rows join on. See FORMATS 2 in the notes on the sector's formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.education.importers import census_pupil, terms
from services.education.importers.addresses import lines_of, postcode_of, uprn_of
from services.education.importers.pupils import ADDRESS, EXCLUSION, Delivery, Row, Spell, school_keys
from services.education.importers.rows import Cells, RowRefused
from services.plumbing.contracts import Codes
from services.plumbing.files import shelf as shelved
from services.plumbing.files import values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import CUT, Table, open_table
from services.plumbing.register.entries import Provenance, Statement
from services.plumbing.register.said import Place, Said
from services.plumbing.register.subjects import Key, key

PUPIL_IDS = ("pupilonrolltableid", "pupilnolongeronrolltableid")
EXCLUSION_IDS = ("termlyexclusionsonrolltableid", "termlyexclusionsoffrolltableid")
REASONS = ("reason", "reason1", "reason2", "reason3")
COUNTS = ("sessions", "absencesessions")
"""How many sessions: to 2020 the column was called absencesessions."""
UPRN = "uniquepropertyreferencenumber"
PLACES = (
    UPRN, "saon", "paon", "street", "locality", "town", "posttown", "administrativearea", "postcode",
    *(f"addressline{n}" for n in range(1, 6)),
)  # fmt: skip
SpellRows = list[tuple[Report | None, int, Row]]
"""(the report of the file that is read, None for one read before; row number; the row)"""


@dataclass(frozen=True)
class _Kind:
    """One kind of table: what it is recognised by, what is read of it beside the ids, and which method reads it."""

    read: str
    needs: frozenset[str]
    reads: frozenset[str]
    own_id: str = ""
    """How the table's own id begins, where its columns alone would not tell it from others."""

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Whether a table of these columns is of this kind."""
        own = not self.own_id or any(one.startswith(self.own_id) and one.endswith("tableid") for one in columns)
        return own and self.needs <= set(columns)


IDS = frozenset({"sourceid", "nativeid"})
KINDS = (
    _Kind("schools", frozenset({"schoolname", "nativeid"}), frozenset({"schoolname"})),
    _Kind("pupils", IDS | {"surname", "forename", "dob", "upn"}, census_pupil.COLUMNS),
    _Kind("addresses", IDS, frozenset({*PLACES, "addressesorderseqcolumn", "addressesonrollorderseqcolumn",
                                       "addressesoffrollorderseqcolumn"}), "addresses"),
    _Kind("meals", IDS | {"fsmstartdate"}, frozenset({"fsmstartdate", "fsmenddate", "ukcountry"})),
    _Kind("sessions", IDS | {"attendancereason", "sessions"}, frozenset({"attendancereason", *COUNTS})),
    _Kind("sessions", IDS | {"attendancereason", "absencesessions"}, frozenset({"attendancereason", *COUNTS})),
    _Kind("exclusions", IDS | {"startdate", "category"},
          frozenset({"startdate", "category", "sessions", "senprovision", *REASONS, *EXCLUSION_IDS})),
    _Kind("needs", IDS | {"sentype", "sentyperank"}, frozenset({"sentype", "sentyperank"})),
)  # fmt: skip
"""Every table that is read. Schools and pupils come first: the other tables' rows belong to them."""
UNREAD = (
    "learn", "programmeaims", "workplace", "classes", "childcare", "fundingbasis", "levels", "nationalities", "approvision",
    "schoolarrangedap", "schoolcensus", "provisions", "staff", "infant",
)  # fmt: skip
"""How the ids of the census's other tables begin; docs/formats/education.md says why each is left."""


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: Delivery) -> Source:
    """A census table, checked whole. Raises FileRefused for anything else, or when the collection is not said."""
    table = open_table(path, name=name)
    kind = next((kind for kind in KINDS if kind.fits(table.columns)), None)
    pupil_id = next((column for column in PUPIL_IDS if column in table.columns), None)
    if kind is None or (pupil_id is None and kind.read != "schools"):
        raise FileRefused(name, _unknown(table.columns))
    reader = _Census(table, codes, terms.collection_of(name, options), pupil_id or "", options, delivery)
    if kind.read == "pupils":
        reader.note_adopted()
    read = IDS | kind.reads | {pupil_id}
    ignored = tuple(column for column in table.columns if column not in read)
    # Leavers first: where a pupil is on one school's roll and off another's, the roll is what they are now.
    order = 2 * KINDS.index(kind) - 2 + (pupil_id == PUPIL_IDS[0])
    return Source(order, table.count, getattr(reader, kind.read), ignored, table.sha256, ((table.last_row, CUT),) if table.cut else ())


def _unknown(columns: tuple[str, ...]) -> str:
    """Why a table is not read."""
    known = next((one for one in columns if one.endswith("tableid") and one.startswith(UNREAD)), None)
    if known is not None:
        return f"the census table {known.removesuffix('tableid')} holds nothing that the register keeps"
    return "the columns are those of no school census table this service reads"


class _Census:
    """One table of one collection, read into statements."""

    def __init__(
        self, table: Table, codes: Codes, collection: str, pupil_id: str, options: Options, delivery: Delivery
    ) -> None:
        self._table, self._codes, self._pupil_id, self._delivery = table, codes, pupil_id, delivery
        self._collection = collection
        extracted = as_of(table.name, options, otherwise=terms.census_day(collection))
        self._periods = terms.periods(collection, extracted)
        self._provenance = Provenance(extracted, table.name, table.sha256, options.authority)

    def note_adopted(self) -> None:
        """Tell the delivery who was adopted, before any row is taken: another school's row of the same pupil may not say so."""
        if any(column in self._table.columns for column in census_pupil.LEFT_CARE):
            found = (self._own(row) for _, row in self._table.rows() if census_pupil.says_adopted(row))
            self._delivery.adopted.update(own for own in found if own)

    # -- tables --------------------------------------------------------------------------------------------------

    def schools(self, report: Report) -> Iterator[Said]:
        """The schools' names, for the enrolments of this delivery."""
        for number, row in self._table.rows():
            if (name := self._read(report, number, row, lambda cells: (cells.school(), values.text(cells.row["schoolname"])))) is None:
                continue
            report.accepted += 1
            if name[1]:
                self._delivery.schools[name[0]] = name[1]
        yield from ()

    def pupils(self, report: Report) -> Iterator[Said]:
        """On or off roll: who the pupil is, the enrolment, SEN provision, sessions in sum."""
        yield from self._each(report, self._pupil)

    def exclusions(self, report: Report) -> Iterator[Said]:
        """Suspensions and exclusions: date and category repeat, so the row's own id is the key."""
        yield from self._each(report, lambda cells: self._of_row(cells, EXCLUSION, "R-PUPIL", self._exclusion))

    def meals(self, report: Report) -> Iterator[Said]:
        """Periods of free school meals, named by their first day."""
        yield from self._each(report, lambda cells: self._of_row(cells, "education.free-meals-recorded.v1", "R-FSM", self._meals))

    def sessions(self, report: Report) -> Iterator[Said]:
        """Sessions by reason: the rows of one spell and period are one entry, in whatever files of the delivery they lie."""
        period = self._periods[next((one for one in terms.PREFIXES if self._begins(one)), "termly")]
        for spell, rows in self._by_spell(report, f"sessions {period['term']}", lambda cells: _session_row(cells, period)):
            school, source, _ = spell
            reasons: dict[str, int] = {}
            for _, _, row in rows:
                count = _count(row)
                if count is not None:
                    reasons[row["attendancereason"]] = reasons.get(row["attendancereason"], 0) + count
            fields: dict[str, Any] = {"school": school, "spell": source, **period, "sessions_by_reason": reasons}
            possible = self._delivery.shelf.get(("possible", period["term"], school, source))
            if possible is not None:
                fields["flag"] = "reasons above the sessions possible" if sum(reasons.values()) > possible else None
                if fields["flag"]:
                    report.flag(rows[-1][1], "sessions", sum(reasons.values()), f"more than the {possible} sessions possible; kept")
            yield self._of_spell(report, spell, rows, [Statement("education.attendance-summarised.v1", "R-REGISTER", fields)])

    def needs(self, report: Report) -> Iterator[Said]:
        """SEN needs, ranked: the rows of one spell and term are one list, in whatever files of the delivery they lie."""
        for spell, rows in self._by_spell(report, "needs", _need_row):
            needs = [{"rank": values.integer(row["sentyperank"]), "sen_type": values.code(row["sentype"])} for _, _, row in rows]
            needs.sort(key=lambda need: (need["rank"] or 99, need["sen_type"] or ""))
            fields = {"school": spell[0], "needs": needs}
            yield self._of_spell(report, spell, rows, [Statement("education.sen-recorded.v1", "R-SEN", fields)])

    def addresses(self, report: Report) -> Iterator[Said]:
        """Where a pupil lives, as the school has it: a newer census's addresses take the place of all older ones of the school."""
        for spell, rows in self._by_spell(report, "addresses", _address_row):
            ordered = sorted(rows, key=lambda one: _place(one[2]))
            found = [
                Statement(ADDRESS, "R-IDENT", _address(row, school=spell[0], place=place), row=number if owner is report else None)
                for place, (owner, number, row) in enumerate(ordered, 1)
            ]
            others = Statement(ADDRESS, "R-IDENT", {"organisation": spell[0]}, withdrawn=True, every="older")
            yield self._of_spell(report, spell, rows, [*found, others])

    # -- rows ----------------------------------------------------------------------------------------------------

    def _each(self, report: Report, read: Callable[[Cells], Said]) -> Iterator[Said]:
        for number, row in self._table.rows():
            if (said := self._read(report, number, row, read)) is not None:
                yield said

    def _read(self, report: Report, number: int, row: Row, read: Callable[[Cells], Any]) -> Any:
        """One row read, or refused with the column, the value and what was expected."""
        try:
            return read(Cells(report, number, row, self._codes))
        except RowRefused as refused:
            report.refuse(number, refused.column, row.get(refused.column), refused.why)
            return None

    def _pupil(self, cells: Cells) -> Said:
        school = cells.school()
        own = self._own(cells.row)
        if own is None:
            raise RowRefused(self._pupil_id, "a pupil without its table id cannot be told from others")
        person, statements = census_pupil.statements(
            cells, school=school, periods=self._periods, delivery=self._delivery, is_adopted=own in self._delivery.adopted
        )
        spell = self._spell(school, cells.row)
        return Said(
            (own,), tuple(statements), cells.report, self._provenance,
            joins=school_keys(school, person), aliases=(spell,) if spell else (),
        )  # fmt: skip

    def _of_row(self, cells: Cells, type: str, record_class: str, read: Callable[[Cells, str], dict[str, Any]]) -> Said:
        """A row that is one entry of its pupil."""
        school = cells.school()
        statement = Statement(type, record_class, read(cells, school), row=cells.number)
        spell = self._spell(school, cells.row)
        if spell is None and self._own(cells.row) is None:
            raise RowRefused("sourceid", "the row does not say which pupil it belongs to")
        return self._child(cells.report, self._own(cells.row), spell, (statement,), ((cells.report, cells.number),))

    def _exclusion(self, cells: Cells, school: str) -> dict[str, Any]:
        column = cells.first(*EXCLUSION_IDS) or EXCLUSION_IDS[0]
        id = cells.plain(column)
        if id is None:
            raise RowRefused(column, "a suspension without its row id cannot be told from others")
        start = cells.day("startdate")
        fields: dict[str, Any] = {
            "exclusion_id": f"{self._collection} {school} {id}", "school": school, "start_date": start,
            "exclusion_category": cells.code("category", "exclusion_category", first=start),
        }  # fmt: skip
        if "sessions" in cells:
            fields["sessions"] = cells.number_of("sessions")
        reasons = [cells.code(one, "exclusion_reason", first=start) for one in REASONS if one in cells]
        if any(one in cells for one in REASONS):
            fields["reasons"] = [one for one in reasons if one]
        if "senprovision" in cells:
            fields["sen_provision"] = cells.code("senprovision", "sen_provision", first=start)
        return fields

    def _meals(self, cells: Cells, school: str) -> dict[str, Any]:
        start = cells.day("fsmstartdate")
        if start is None:
            raise RowRefused("fsmstartdate", "a period without its first day cannot be told from others")
        fields: dict[str, Any] = {"school": school, "start_date": start}
        if "fsmenddate" in cells:
            fields["end_date"] = cells.day("fsmenddate")
            if fields["end_date"] and fields["end_date"] < start:
                cells.flag("fsmenddate", f"before the first day, {start}; kept")
        if "ukcountry" in cells:
            fields["uk_country"] = cells.code("ukcountry", "uk_country")
        return fields

    # -- whose rows they are -------------------------------------------------------------------------------------

    def _begins(self, prefix: str) -> bool:
        return any(column.startswith(prefix) and column.endswith("tableid") for column in self._table.columns)

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

    def _by_spell(self, report: Report, kind: str, check: Callable[[Cells], None]) -> Iterator[tuple[Spell, SpellRows]]:
        """The spells of this table, each with its rows of this and the files before it."""
        shelf = self._delivery.shelf
        here = shelf.new_file()
        for number, row in self._table.rows():
            spell = self._read(report, number, row, lambda cells: self._checked(cells, check))
            if spell is None:
                continue
            if not shelf.add((kind, self._collection, *spell), shelved.Row(here, number, row), once=_has_row_id(row)):
                report.flag(number, None, None, "the same row came before in this delivery; counted once")
                report.accepted += 1
        for (_, _, school, source, own), rows in shelf.groups(here):
            yield (school, source, own), [(report if row.file == here else None, row.number, row.cells) for row in rows]

    def _checked(self, cells: Cells, check: Callable[[Cells], None]) -> Spell:
        source = cells.plain("sourceid")
        if source is None:
            raise RowRefused("sourceid", "the row does not say which pupil it belongs to")
        check(cells)
        return cells.school(), source, cells.plain(self._pupil_id) or ""

    def _of_spell(self, report: Report, spell: Spell, rows: SpellRows, said: list[Statement]) -> Said:
        """What the rows of a spell come to; this file's rows learn what became of it. What is said of no row of this file is
        of its first, a part by itself."""
        here = tuple((owner, number) for owner, number, _ in rows if owner is report)
        statements = tuple(
            one if one.row is not None else replace(one, row=here[0][1], part=part) for part, one in enumerate(said)
        )
        _, _, row = rows[-1]
        return self._child(report, self._own(row), self._spell(spell[0], row), statements, here)

    def _child(
        self, report: Report, own: Key | None, spell: Key | None, statements: tuple[Statement, ...], rows: tuple[Place, ...]
    ) -> Said:
        why = "no pupil row with this id or sourceid came in this delivery or before"
        return Said(
            (own,) if own else (), statements, report, self._provenance, must_exist=True, otherwise=why,
            joins=(spell,) if spell else (), rows=rows,
        )  # fmt: skip


def _session_row(cells: Cells, period: Mapping[str, str]) -> None:
    """A row of sessions by reason: a code, and how many; a blank number is said and counts nothing."""
    if not cells.plain("attendancereason"):
        raise RowRefused("attendancereason", "the row does not say why the sessions were missed")
    column = cells.first(*COUNTS) or COUNTS[0]
    if cells.needed_number(column) is None:
        cells.flag(column, "the row does not say how many sessions; left out")
    cells.code("attendancereason", "attendance", first=period["term_start"], last=period["term_end"])


def _count(row: Row) -> int | None:
    return values.integer(next(row[column] for column in COUNTS if column in row))


def _need_row(cells: Cells) -> None:
    """A row of ranked needs."""
    cells.needed_number("sentyperank")
    cells.code("sentype", "sen_type")


def _address_row(cells: Cells) -> None:
    """A row of addresses: at least one thing by which the place is known."""
    if not any(cells.plain(column) for column in PLACES):
        raise RowRefused("postcode", "the row holds no address")
    for column, judge in ((UPRN, uprn_of), ("postcode", postcode_of)):
        odd = judge(cells.row.get(column))[1]
        if odd:
            cells.flag(column, f"{odd}; kept as it is")


def _address(row: Row, *, school: str, place: int) -> dict[str, Any]:
    return {
        "address_id": f"{school} {place}", "address_kind": "home", "organisation": school, "lines": lines_of(row),
        "postcode": postcode_of(row.get("postcode"))[0], "uprn": uprn_of(row.get(UPRN))[0],
    }  # fmt: skip


def _place(row: Row) -> tuple[int, str]:
    """A pupil's addresses in the school's own order, the same whatever file they come in."""
    order = next((row[column] for column in row if column.endswith("orderseqcolumn")), "")
    return (int(order) if order.isdecimal() else 0, repr(sorted(row.items())))


def _has_row_id(row: Row) -> bool:
    """Whether the table numbers its own rows: only then are two equal rows one row twice."""
    return any(column.endswith("tableid") and column not in PUPIL_IDS and row[column] for column in row)
