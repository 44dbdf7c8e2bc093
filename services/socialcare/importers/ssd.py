"""The daily extract as Standard Safeguarding Dataset tables in CSV: one file a table, recognised by its columns.

The tables of one delivery belong together: persons give relations their names, professionals give involvements theirs.
An adult (25 or over at the extract; or 18 or over and marked a mother) is no child's record: adults only fill relations.
A care leaver up to 25 keeps the record that began in childhood.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from services.plumbing.files import values
from services.plumbing.files.delivery import Options, Source, date_in_name
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import Table, open_table
from services.plumbing.register import Provenance, Said, Statement

Row = Mapping[str, str]
ADULT, GROWN = 25, 18
UNKNOWN_PERSON = "no person with this id came in this delivery or before"

ROLES = {
    "allocated": ("allocated case worker", "allocated worker", "social worker", "allocated social worker", "key worker"),
    "case_team": ("core group member", "family support worker", "case team", "support worker"),
    "reviewing": ("independent reviewing officer", "iro", "reviewing officer", "conference chair"),
    "health_named": ("health visitor", "school nurse"),
    "centre_registered": ("children's centre worker", "childrens centre worker"),
    "welfare_officer": ("education welfare officer", "attendance officer"),
    "virtual_school": ("virtual school officer", "virtual school"),
}
"""How case systems name roles, and which relationship each is evidence of."""
AGENCIES = {"health_named": "health", "centre_registered": "childrens_centre", "welfare_officer": "education", "virtual_school": "education"}
ABUSE = {"neglect": "NEG", "physical abuse": "PHY", "sexual abuse": "SAB", "emotional abuse": "EMO", "multiple": "MUL"}
IDENTIFIERS: Mapping[str, Callable[[str], dict[str, Any] | None]] = {
    "unique pupil number": values.upn,
    "upn": values.upn,
    "former unique pupil number": lambda value: values.upn(value, type="former_upn"),
    "nhs number": values.nhs_number,
    "unique learner number": values.uln,
}


@dataclass
class Delivery:
    """What the tables of one delivery tell each other."""

    persons: dict[str, dict[str, Any]] = field(default_factory=dict)
    adults: set[str] = field(default_factory=set)
    homes: dict[str, str] = field(default_factory=dict)
    professionals: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)


def recognise(path: Path, name: str, options: Options, delivery: Delivery) -> Source:
    """One table of the dataset, checked whole. Raises FileRefused."""
    table = open_table(path, name=name)
    found = next((one for one in _TABLES if one.needs <= set(table.columns)), None)
    if found is None:
        raise FileRefused(name, "the columns are those of no table of the Standard Safeguarding Dataset that is read")
    extracted = options.extracted or date_in_name(name)
    if extracted is None:
        raise FileRefused(name, "neither the file nor its name says as of when it speaks", option="--extracted DATE")
    provenance = Provenance(extracted, name, table.sha256, options.authority)
    ignored = tuple(column for column in table.columns if column not in found.reads)

    def read(report: Report) -> Iterator[Said]:
        return found.read(_Reading(table, provenance, delivery, report))

    return Source(found.order, table.count, read, ignored)


@dataclass
class _Reading:
    """One table being read."""

    table: Table
    provenance: Provenance
    delivery: Delivery
    report: Report

    def rows(self, id: str) -> Iterator[tuple[int, Row]]:
        """The rows that say whom they are about; the others are refused."""
        for number, row in self.table.rows():
            if values.text(row.get(id)) is None:
                self.report.refuse(number, id, "", "the row does not say which person")
            else:
                yield number, row

    def day(self, number: int, row: Row, column: str) -> str | None:
        """A date; one that cannot be read refuses the row."""
        try:
            return values.day(row.get(column))
        except values.Unreadable as error:
            self.report.refuse(number, column, row.get(column), f"expected {error}")
            raise _RowRefused from error

    def said(self, person: str, statements: list[Statement], *, must_exist: bool = True) -> Said:
        """What a row says of a person known by the case system's number."""
        return Said(
            (("local", person),), tuple(statements), self.report, self.provenance,
            must_exist=must_exist, otherwise=UNKNOWN_PERSON,
        )  # fmt: skip

    def note(self) -> None:
        """A row that is taken and publishes nothing by itself."""
        self.report.accepted += 1


class _RowRefused(Exception):
    pass


def _each(one: Callable[[_Reading, int, Row], Said | None], id: str) -> Callable[[_Reading], Iterator[Said]]:
    """A table read row by row; a refused row is left out."""

    def read(reading: _Reading) -> Iterator[Said]:
        for number, row in reading.rows(id):
            try:
                said = one(reading, number, row)
            except _RowRefused:
                continue
            if said is not None:
                yield said

    return read


def _person(reading: _Reading, number: int, row: Row) -> Said | None:
    local = row["pers_person_id"]
    fields: dict[str, Any] = {
        name: values.text(row[column])
        for name, column in (
            ("given_name", "pers_forename"), ("family_name", "pers_surname"), ("sex", "pers_sex"),
            ("gender", "pers_gender"), ("ethnicity", "pers_ethnicity"), ("upn_unknown", "pers_upn_unknown"),
        )
        if column in row
    }  # fmt: skip
    for name, column in (("birth_date", "pers_dob"), ("expected_birth_date", "pers_expected_dob"), ("death_date", "pers_death_date")):
        if column in row:
            fields[name] = reading.day(number, row, column)
    reading.delivery.persons[local] = fields
    if _is_adult(fields.get("birth_date"), row, reading.provenance.extracted):
        reading.delivery.adults.add(local)
        reading.note()
        return None
    fields["identifiers"] = [values.local_id(local)]
    nhs = values.nhs_number(row.get("pers_common_child_id"))
    if nhs:
        _flag(reading.report, number, "pers_common_child_id", nhs)
        fields["identifiers"].append(nhs)
    statement = Statement("socialcare.person-recorded.v1", "R-IDENT", fields, row=number)
    return reading.said(local, [statement], must_exist=False)


def _is_adult(born: str | None, row: Row, extracted: str) -> bool:
    if born is None:
        return False
    day, at = date.fromisoformat(born), date.fromisoformat(extracted)
    age = at.year - day.year - ((at.month, at.day) < (day.month, day.day))
    mother = (row.get("pers_is_mother") or "").lower() in ("y", "yes", "1", "true")
    return age >= ADULT or (age >= GROWN and mother)


def _flag(report: Report, number: int, column: str, identifier: Mapping[str, Any]) -> None:
    if not identifier["valid"]:
        report.flag(number, column, identifier["value"], f"not a valid number ({identifier['reason']}); kept and marked")


def _address(reading: _Reading, number: int, row: Row) -> Said | None:
    person = row["addr_person_id"]
    placement = "placement" in (row.get("addr_address_type") or "").lower()
    lines = _lines(row.get("addr_address_json") or "")
    end = reading.day(number, row, "addr_address_end_date")
    postcode = values.text(row.get("addr_address_postcode"))
    if end is None and not placement:
        reading.delivery.homes[person] = f"{lines[:1]}{postcode}"
    if person in reading.delivery.adults:
        return reading.note()
    fields = {
        "address_id": row["addr_table_id"], "address_kind": "placement" if placement else "home", "lines": lines,
        "postcode": postcode, "start_date": reading.day(number, row, "addr_address_start_date"), "end_date": end,
    }  # fmt: skip
    return reading.said(person, [Statement("socialcare.address-recorded.v1", "R-IDENT", fields, row=number)])


def _lines(text: str) -> list[str]:
    """The lines of an address given as a JSON object or list, or as plain text."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return [text] if text else []
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else [found]
    return [str(part) for part in parts if part]


def _identifier(reading: _Reading, number: int, row: Row) -> Said | None:
    person = row["link_person_id"]
    read = IDENTIFIERS.get(row["link_identifier_type"].lower())
    if read is None:
        reading.report.flag(number, "link_identifier_type", row["link_identifier_type"], "not a kind that is read; left out")
        return None
    found = read(row["link_identifier_value"])
    if found is None:
        reading.report.refuse(number, "link_identifier_value", "", "the row holds no number")
        return None
    _flag(reading.report, number, "link_identifier_value", found)
    for name, column in (("valid_from", "link_valid_from_date"), ("valid_to", "link_valid_to_date")):
        if row.get(column):
            found[name] = reading.day(number, row, column)
    return reading.said(person, [Statement("socialcare.person-recorded.v1", "R-IDENT", {"identifiers": [found]}, row=number)])


def _professional(reading: _Reading, number: int, row: Row) -> Said | None:
    reading.delivery.professionals[row["prof_professional_id"]] = row
    return reading.note()


def _department(reading: _Reading, number: int, row: Row) -> Said | None:
    reading.delivery.teams[row["dept_team_id"]] = row.get("dept_team_name", "")
    return reading.note()


def _involvement(reading: _Reading, number: int, row: Row) -> Said | None:
    role = row.get("invo_professional_role_id", "")
    kind = next((kind for kind, names in ROLES.items() if role.strip().lower() in names), "other")
    if kind == "other":
        reading.report.flag(number, "invo_professional_role_id", role, "a role that opens nothing; kept as it is")
    professional = row.get("invo_professional_id", "")
    fields: dict[str, Any] = {
        "involvement_id": row["invo_involvements_id"], "professional_id": values.text(professional),
        "involvement_kind": kind, "role": values.text(role), "team_id": values.text(row.get("invo_professional_team")),
        "organisation_kind": AGENCIES.get(kind, "social_care"), "referral_id": values.text(row.get("invo_referral_id")),
        "start_date": reading.day(number, row, "invo_involvement_start_date"),
        "end_date": reading.day(number, row, "invo_involvement_end_date"),
    }  # fmt: skip
    worker = reading.delivery.professionals.get(professional)
    if worker is not None:
        fields["professional_name"] = values.text(worker.get("prof_professional_name"))
    if fields["team_id"] in reading.delivery.teams:
        fields["team_name"] = reading.delivery.teams[fields["team_id"]]
    return reading.said(row["invo_person_id"], [Statement("socialcare.involvement-recorded.v1", "R-CASE", fields, row=number)])


def _referral(reading: _Reading, number: int, row: Row) -> Said | None:
    fields = {
        "referral_id": row["cine_referral_id"], "referral_date": reading.day(number, row, "cine_referral_date"),
        "referral_source": values.text(row.get("cine_referral_source_code")),
        "primary_need_code": values.text(row.get("cine_cin_primary_need_code")),
        "referral_nfa": values.boolean(row.get("cine_referral_nfa")),
        "closure_date": reading.day(number, row, "cine_close_date"),
        "reason_for_closure": values.text(row.get("cine_close_reason")),
    }  # fmt: skip
    return reading.said(row["cine_person_id"], [Statement("socialcare.referral-recorded.v1", "R-CASE", fields, row=number)])


def _need_plan(reading: _Reading, number: int, row: Row) -> Said | None:
    fields = {
        "plan_kind": "need", "plan_id": row["cinp_cin_plan_id"],
        "start_date": reading.day(number, row, "cinp_cin_plan_start_date"),
        "end_date": reading.day(number, row, "cinp_cin_plan_end_date"),
    }  # fmt: skip
    return reading.said(row["cinp_person_id"], [Statement("socialcare.plan-recorded.v1", "R-CASE", fields, row=number)])


def _protection_plan(reading: _Reading, number: int, row: Row) -> Said | None:
    fields = {
        "plan_kind": "protection", "plan_id": row["cppl_cp_plan_id"],
        "start_date": reading.day(number, row, "cppl_cp_plan_start_date"),
        "end_date": reading.day(number, row, "cppl_cp_plan_end_date"),
        "initial_category_of_abuse": _abuse(row.get("cppl_cp_plan_initial_category")),
        "latest_category_of_abuse": _abuse(row.get("cppl_cp_plan_latest_category")),
    }  # fmt: skip
    return reading.said(row["cppl_person_id"], [Statement("socialcare.plan-recorded.v1", "R-CP", fields, row=number)])


def _abuse(value: str | None) -> str | None:
    """The dataset holds words where the census holds codes."""
    found = values.text(value)
    return ABUSE.get(found.lower(), found) if found else None


def _episode(reading: _Reading, number: int, row: Row) -> Said | None:
    fields = {
        "episode_id": row["clae_cla_episode_id"], "decom": reading.day(number, row, "clae_cla_episode_start_date"),
        "dec": reading.day(number, row, "clae_cla_episode_ceased_date"),
        "rne": values.text(row.get("clae_cla_episode_start_reason")), "cin": values.text(row.get("clae_cla_primary_need_code")),
        "rec": values.text(row.get("clae_cla_episode_ceased_reason")),
    }  # fmt: skip
    return reading.said(row["clae_person_id"], [Statement("socialcare.looked-after-recorded.v1", "R-CARE", fields, row=number)])


def _mother(reading: _Reading, number: int, row: Row) -> Said | None:
    child, mother = row["moth_childs_person_id"], row["moth_person_id"]
    return reading.said(child, [_relation(reading, child, mother, "mother", number)])


def _family(reading: _Reading) -> Iterator[Said]:
    """Everybody with the same family id is related; the table says not how. Children of a family are siblings."""
    families: dict[str, list[tuple[int, str]]] = {}
    for number, row in reading.rows("fami_person_id"):
        families.setdefault(row["fami_family_id"], []).append((number, row["fami_person_id"]))
        reading.note()
    for members in families.values():
        for number, child in members:
            others = [other for _, other in members if other != child]
            if child in reading.delivery.persons and child not in reading.delivery.adults and others:
                statements = [_relation(reading, child, other, _kind(reading, other), number) for other in others]
                reading.report.accepted -= 1
                yield reading.said(child, statements)


def _kind(reading: _Reading, other: str) -> str:
    if other in reading.delivery.adults:
        return "family member"
    person = reading.delivery.persons.get(other, {})
    return "unborn sibling" if person.get("expected_birth_date") and not person.get("birth_date") else "sibling"


def _relation(reading: _Reading, child: str, other: str, relationship: str, number: int) -> Statement:
    delivery = reading.delivery
    fields: dict[str, Any] = {"other_local_id": other, "relationship": relationship}
    person = delivery.persons.get(other, {})
    for name in ("given_name", "family_name", "birth_date", "expected_birth_date"):
        if person.get(name):
            fields[name] = person[name]
    if child in delivery.homes and other in delivery.homes:
        fields["lives_with_child"] = "yes" if delivery.homes[child] == delivery.homes[other] else "no"
    return Statement("socialcare.relation-recorded.v1", "R-IDENT", fields, row=number)


@dataclass(frozen=True)
class _Kind:
    """One table: its place in the order, the columns it is recognised by, those read besides, and how."""

    order: int
    needs: frozenset[str]
    also: frozenset[str]
    read: Callable[[_Reading], Iterator[Said]]

    @property
    def reads(self) -> frozenset[str]:
        return self.needs | self.also


def _kind_of(order: int, needs: str, also: str, read: Callable[[_Reading], Iterator[Said]]) -> _Kind:
    return _Kind(order, frozenset(needs.split()), frozenset(also.split()), read)


_TABLES = (
    _kind_of(0, "pers_person_id pers_dob", "pers_forename pers_surname pers_sex pers_gender pers_ethnicity pers_upn_unknown pers_expected_dob pers_death_date pers_is_mother pers_common_child_id", _each(_person, "pers_person_id")),
    _kind_of(1, "addr_table_id addr_person_id", "addr_address_json addr_address_type addr_address_postcode addr_address_start_date addr_address_end_date", _each(_address, "addr_person_id")),
    _kind_of(1, "link_person_id link_identifier_type link_identifier_value", "link_valid_from_date link_valid_to_date", _each(_identifier, "link_person_id")),
    _kind_of(1, "prof_professional_id", "prof_professional_name", _each(_professional, "prof_professional_id")),
    _kind_of(1, "dept_team_id dept_team_name", "", _each(_department, "dept_team_id")),
    _kind_of(2, "invo_involvements_id invo_person_id", "invo_professional_id invo_professional_role_id invo_professional_team invo_involvement_start_date invo_involvement_end_date invo_referral_id", _each(_involvement, "invo_person_id")),
    _kind_of(2, "fami_family_id fami_person_id", "", _family),
    _kind_of(2, "moth_person_id moth_childs_person_id", "", _each(_mother, "moth_childs_person_id")),
    _kind_of(2, "cine_referral_id cine_person_id", "cine_referral_date cine_referral_source_code cine_cin_primary_need_code cine_referral_nfa cine_close_date cine_close_reason", _each(_referral, "cine_person_id")),
    _kind_of(2, "cinp_cin_plan_id cinp_person_id", "cinp_cin_plan_start_date cinp_cin_plan_end_date", _each(_need_plan, "cinp_person_id")),
    _kind_of(2, "cppl_cp_plan_id cppl_person_id", "cppl_cp_plan_start_date cppl_cp_plan_end_date cppl_cp_plan_initial_category cppl_cp_plan_latest_category", _each(_protection_plan, "cppl_person_id")),
    _kind_of(2, "clae_cla_episode_id clae_person_id", "clae_cla_episode_start_date clae_cla_episode_ceased_date clae_cla_episode_start_reason clae_cla_primary_need_code clae_cla_episode_ceased_reason", _each(_episode, "clae_person_id")),
)  # fmt: skip
