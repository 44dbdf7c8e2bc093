"""The two settings of the generator: how alike families are, and how often records go wrong. Shares, unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

TODAY = date(2026, 6, 30)
"""The end of the first load; daily deliveries follow it."""
CENSUS = date(2026, 1, 15)
"""The day of the roster that is loaded first."""
DAILY_DAYS = 30
TUNING_SEEDS, TEST_SEEDS = range(1, 10), (101, 102, 103)
"""By convention: whoever tunes a matcher looks at the first alone; figures that are reported come of the others."""


@dataclass(frozen=True)
class Setting:
    """Every dial. What is per record or per name is said in the comment of its group."""

    name: str
    # people: per birth, per household, per child
    twins: float = 0.018
    alike_twins: float = 0.25
    sisters_alike: float = 0.02
    equal_strangers: float = 0.001
    equal_neighbours: float = 0.05
    step_families: float = 0.10
    shared_homes: float = 0.02
    childrens_homes: float = 0.005
    renamed: float = 0.055
    new_upn: float = 0.03
    moves_a_year: float = 0.09
    common_names: float = 1.0
    # coverage: per child, and per record for later versions
    schooled: float = 0.98
    nursery: float = 0.55
    second_school: float = 0.44
    household_in_care_of: float = 0.30
    in_care_of: float = 0.84
    health: float = 0.60
    later_version: float = 0.30
    corrected: float = 0.5
    second_local_id: float = 0.01
    before_birth: float = 0.012
    daily: float = 0.03
    # errors: per name
    typed: float = 0.012
    phonetic: float = 0.006
    respelled: float = 0.05
    shortened: float = 0.045
    unaccented: float = 0.5
    unpunctuated: float = 0.3
    half_name: float = 0.05
    # errors: per record
    turned: float = 0.003
    middle_as_given: float = 0.012
    middle_missing: float = 0.45
    name_missing: float = 0.002
    late_surname: float = 0.25
    former_told: float = 0.4
    wrong_surname: float = 0.004
    birth_typed: float = 0.006
    birth_turned: float = 0.003
    first_january: float = 0.002
    birth_missing: float = 0.004
    sex_wrong: float = 0.004
    sex_missing: float = 0.02
    wrong_number: float = 0.0205
    twins_mixed_up: float = 2.0
    default_number: float = 0.01
    number_typed: float = 0.008
    old_upn: float = 0.3
    postcode_typed: float = 0.015
    postcode_missing: float = 0.02
    address_missing: float = 0.02
    old_address: float = 0.10
    elsewhere: float = 0.015
    contacts: float = 0.6


REALISTIC = Setting("realistic")
HARD = Setting(
    "hard", twins=0.026, alike_twins=0.5, sisters_alike=0.05, equal_strangers=0.002, equal_neighbours=0.15, step_families=0.15, shared_homes=0.04,
    childrens_homes=0.008, renamed=0.075, new_upn=0.035, moves_a_year=0.13, common_names=1.8, second_local_id=0.02,
    before_birth=0.02, typed=0.022, phonetic=0.012, respelled=0.09, shortened=0.07, half_name=0.09, turned=0.006, middle_as_given=0.022,
    middle_missing=0.55, name_missing=0.004, late_surname=0.35, former_told=0.3, wrong_surname=0.008, birth_typed=0.011, birth_turned=0.006,
    first_january=0.004, birth_missing=0.008, sex_wrong=0.008, sex_missing=0.04, wrong_number=0.024, twins_mixed_up=3.0, default_number=0.02,
    number_typed=0.014, old_upn=0.4, postcode_typed=0.03, postcode_missing=0.04, address_missing=0.04, old_address=0.17, elsewhere=0.03,
    contacts=0.5,
)  # fmt: skip
SETTINGS = {setting.name: setting for setting in (REALISTIC, HARD)}
