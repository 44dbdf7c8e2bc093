"""The daily extract's tables about children in care and care leavers, each recognised by its columns.

Every row has an id of its own, and that names its entry. A review names a time in care instead of a person: episodes and
placements say whose that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.plumbing.contracts import Codes
from services.plumbing.files import values
from services.plumbing.files.delivery import Options, Source, as_of
from services.plumbing.files.report import FileRefused, Report
from services.plumbing.files.tables import CUT, Table, open_table
from services.plumbing.register.entries import Provenance
from services.plumbing.register.said import Said
from services.plumbing.register.subjects import key
from services.socialcare.importers import first_line, ssd
from services.socialcare.importers import ssd_care_rows as rows
from services.socialcare.importers.lines import Line, RowRefused, Says

UNKNOWN_PERSON = "no person with this id came in this delivery or before"
UNKNOWN_CARE = "no time in care of this id came in this delivery or before"
PLACEHOLDERS = frozenset({"PLACEHOLDER_DATA", "SSD_PH"})
"""What case systems write where the dataset is not settled yet: a blank."""


@dataclass(frozen=True)
class Kind:
    """One table: its prefix, the columns it is recognised by, what a row says, and the column that says whose time in care it
    is about, where it has no person's."""

    needs: frozenset[str]
    says: Callable[[Line], Says]
    reads: frozenset[str]
    of_care: str | None = None

    @property
    def person(self) -> str:
        """The column of the person's id."""
        return next(iter(self.needs))[:4] + "_person_id"

    @property
    def care(self) -> str:
        """The column of the time in care's id, by which other tables name the same person."""
        return next(iter(self.needs))[:4] + "_cla_id"


def _kind(needs: str, says: Callable[[Line], Says], also: str, of_care: str | None = None) -> Kind:
    found = frozenset(needs.split())
    return Kind(found, says, found | frozenset(also.split()), of_care)


TABLES = (
    _kind(
        "clap_cla_placement_id clap_person_id", rows.placement,
        "clap_cla_id clap_cla_placement_start_date clap_cla_placement_end_date clap_cla_placement_type "
        "clap_cla_placement_provider clap_cla_placement_change_reason clap_cla_placement_postcode clap_cla_placement_urn "
        "clap_cla_placement_distance",
    ),
    _kind(
        "clar_cla_review_id clar_cla_id", rows.review,
        "clar_cla_review_date clar_cla_review_due_date clar_cla_review_participation clar_cla_review_cancelled",
        "clar_cla_id",
    ),
    _kind("clah_health_check_id clah_person_id", rows.health, "clah_health_check_date clah_health_check_type clah_health_check_status"),
    _kind("clai_person_id clai_immunisations_status", rows.immunisations, "clai_immunisations_status_date"),
    _kind(
        "clas_substance_misuse_id clas_person_id", rows.substance_misuse,
        "clas_substance_misused clas_substance_misuse_date clas_intervention_received",
    ),
    _kind("csdq_table_id csdq_person_id", rows.sdq, "csdq_sdq_completed_date csdq_sdq_score csdq_sdq_reason"),
    _kind(
        "miss_table_id miss_person_id", rows.missing,
        "miss_missing_episode_start_date miss_missing_episode_end_date miss_missing_episode_type miss_missing_rhi_offered "
        "miss_missing_rhi_accepted",
    ),
    _kind(
        "clea_table_id clea_person_id", rows.care_leaver,
        "clea_care_leaver_eligibility clea_care_leaver_in_touch clea_care_leaver_activity clea_care_leaver_accommodation "
        "clea_care_leaver_latest_contact clea_pathway_plan_review_date clea_care_leaver_accom_suitable "
        "clea_care_leaver_personal_advisor clea_care_leaver_allocated_team clea_care_leaver_worker_id",
    ),
    _kind(
        "immi_immigration_status_id immi_person_id", rows.immigration,
        "immi_immigration_status immi_immigration_status_start_date immi_immigration_status_end_date",
    ),
    _kind(
        "perm_table_id perm_person_id", rows.permanence,
        "perm_adm_decision_date perm_matched_date perm_placed_for_adoption_date perm_ffa_cp_decision_date "
        "perm_placed_ffa_cp_date perm_placement_order_date perm_placed_foster_carer_date perm_decision_reversed_date "
        "perm_permanence_order_date perm_adopted_by_carer_flag perm_part_of_sibling_group perm_number_of_adopters "
        "perm_siblings_placed_together perm_siblings_placed_apart perm_adopter_sex perm_adopter_legal_status "
        "perm_decision_reversed_reason perm_permanence_order_type perm_placement_provider_urn perm_adoption_worker_id "
        "perm_cla_id",
    ),
    _kind(
        "lapp_table_id lapp_person_id", rows.previous_permanence,
        "lapp_previous_permanence_option lapp_previous_permanence_la lapp_previous_permanence_order_date",
    ),
)  # fmt: skip


def kind_of(columns: frozenset[str]) -> Kind | None:
    """The table that has these columns."""
    return next((one for one in TABLES if one.needs <= columns), None)


def is_one(path: Path) -> bool:
    """Whether the first line of a file has the columns of one of these tables; what else it is, is looked at later."""
    return kind_of(first_line.columns(path)) is not None


def recognise(path: Path, name: str, options: Options, codes: Codes, delivery: ssd.Delivery) -> Source:
    """One table, checked whole. Raises FileRefused."""
    table = open_table(path, name=name)
    found = kind_of(frozenset(table.columns))
    if found is None:
        raise FileRefused(name, "the columns are those of no table about children in care")
    provenance = Provenance(as_of(name, options), name, table.sha256, options.authority)
    ignored = tuple(column for column in table.columns if column not in found.reads)

    def read(report: Report) -> Iterator[Said]:
        return _read(table, found, provenance, codes, delivery, report)

    order = 2 if found.of_care is None else 3
    return Source(order, table.count, read, ignored, table.sha256, ((table.last_row, CUT),) if table.cut else ())


def _read(table: Table, kind: Kind, provenance: Provenance, codes: Codes, delivery: ssd.Delivery, report: Report) -> Iterator[Said]:
    """What each row says of its child; a refused row is left out, and an adult has no child's record."""
    for number, cells in table.rows():
        row = {column: "" if text in PLACEHOLDERS else text for column, text in cells.items()}
        line = Line(number, row, report, codes)
        try:
            whose = line.required(kind.of_care or kind.person)
            said = kind.says(line)
        except RowRefused as refused:
            report.refuse(number, refused.column, row.get(refused.column), refused.why)
            continue
        if kind.of_care is None and whose in delivery.adults:
            report.accepted += 1
            continue
        names = key("cla", whose) if kind.of_care else key("local", whose)
        care = values.code(row.get(kind.care))
        aliases = (key("cla", care),) if care and kind.of_care is None else ()
        otherwise = UNKNOWN_CARE if kind.of_care else UNKNOWN_PERSON
        yield Said((names,), tuple(said), report, provenance, must_exist=True, otherwise=otherwise, aliases=aliases)
