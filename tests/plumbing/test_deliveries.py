"""A source that is silent for longer than its rhythm is told: by kind of file, once a day, and never by a child."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from services.plumbing import deliveries, source
from services.plumbing.deliveries import Delivered
from services.plumbing.files.delivery import Source
from services.plumbing.settings import SettingMissing, from_environment
from services.plumbing.telemetry import Telemetry
from services.socialcare.main import KIND
from tests import serving
from tests.serving import Authority

SERVICES = ("socialcare",)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERSONS = "pers_person_id,pers_forename,pers_surname,pers_dob\n1,Ada,Zwilling,2015-03-05\n"
REFERRALS = "cine_referral_id,cine_person_id,cine_referral_date\nr1,2,2026-01-06\n"


def came(days: float, organisation: str = "9994001", kind: str = "wonde") -> Delivered:
    return Delivered(kind, organisation, NOW - timedelta(days=days), "2026-11-20")


def silent(*found: Delivered, **rhythm: float) -> tuple[str, ...]:
    return deliveries.heard(found, rhythm, now=NOW)[0].silent


def test_one_silent_school_among_many_is_told():
    assert silent(came(0), came(3.1, "9994002"), wonde=3) == ("9994002",)
    assert silent(came(0), came(2.9, "9994002"), wonde=3) == ()


def test_a_kind_without_a_rhythm_is_never_silent_and_one_that_never_came_is_not_missed():
    assert silent(came(400), ssd=2) == ()
    assert deliveries.heard([], {"wonde": 3}, now=NOW) == []


def test_a_school_that_left_long_ago_is_no_longer_waited_for_but_when_all_are_silent_all_are():
    assert silent(came(0), came(61, "9994002"), wonde=3) == ()
    assert silent(came(100), came(101, "9994002"), wonde=3) == ("9994001", "9994002")


def test_the_kind_of_a_file_is_the_importer_that_reads_it_or_what_it_says():
    def read(report):
        return []

    read.__module__ = "services.socialcare.importers.ssd_care"
    assert Source(0, 0, read).family == "ssd" and Source(0, 0, read, kind="return").family == "return"


def test_a_rhythm_that_cannot_be_read_is_said_at_the_start():
    found = {"CHILDVIEW_DATABASE": "x", "CHILDVIEW_ISSUER": "x", "CHILDVIEW_CLIENT_SECRET": "x", "CHILDVIEW_MASTER_KEY": "00" * 32, "CHILDVIEW_DIGEST_KEY": "00" * 32}
    assert from_environment("education", "api", found | {"CHILDVIEW_RHYTHM": "wonde=4, ctf=0.5"}).rhythm == {"wonde": 4, "ctf": 0.5}
    assert from_environment("education", "api", found | {"CHILDVIEW_RHYTHM": ""}).rhythm == {}
    with pytest.raises(SettingMissing, match="CHILDVIEW_RHYTHM"):
        from_environment("education", "api", found | {"CHILDVIEW_RHYTHM": "wonde"})


@pytest.fixture
async def here(authority: Authority) -> Authority:
    files = [("files", (f"2026-11-20-{name}.csv", text.encode())) for name, text in (("persons", PERSONS), ("referrals", REFERRALS))]
    answer = await authority.ask("POST", "socialcare", "/v1/imports", files=files, data={"authority": "999"})
    assert [one.get("waiting", 0) for one in answer.json()["files"]] == [0, 1]
    return authority


async def test_a_service_lists_what_came_and_what_waits_for_service_accounts_alone(here):
    said = (await here.ask("GET", "socialcare", "/v1/deliveries")).json()
    (kind,) = said["deliveries"]
    assert (kind["kind"], kind["organisations"], kind["silent"], kind["extracted"], kind["rhythm_days"]) == ("ssd", 1, False, "2026-11-20", 2)
    assert said["waiting"]["rows"] == 1 and kind["last"] and "Zwilling" not in str(said)
    assert (await here.ask("GET", "socialcare", "/v1/deliveries", as_=None)).status_code == 401
    assert (await here.ask("GET", "socialcare", "/v1/deliveries", as_="po", post="po-post")).status_code == 403


async def test_a_waiting_row_is_counted_in_the_record_of_the_import_and_no_reader_is_given_its_key(here):
    (record,) = await here.accesses("socialcare", "import")
    assert record["detail"]["waiting"] == 1
    from services.plumbing.register import waiting

    body = {"keys": [{"stream": waiting.STREAM, "record_class": waiting.RECORD_CLASS}]}
    answer = await here.ask("POST", "socialcare", "/v1/keys", as_="projector", json=body)
    assert answer.json()["keys"] == [{"status": "not-for-you"}]


async def test_a_silent_source_is_in_the_metric_by_kind_and_warned_of_once_a_day(here, caplog, tmp_path):
    measure = Telemetry("test")
    settings = serving.settings_of("socialcare", here.databases["socialcare"], issuer=here.urls["issuer"], port=1, state=tmp_path, urls={})
    async with source.opened(KIND, settings, measure) as opened:
        later = datetime.now(UTC) + timedelta(days=2, hours=1)
        with caplog.at_level(logging.WARNING):
            for now in (later, later + timedelta(minutes=1), later + timedelta(days=1)):
                await source.look(opened, measure, now=now)
    said = [one for one in caplog.records if "silent" in one.getMessage()]
    assert len(said) == 2 and said[0].fields["kind"] == "ssd" and "999" not in str(said[0].fields["organisations"])
    line = next(line for line in measure.metrics.render().decode().splitlines() if line.startswith("childview_delivery_silent_seconds{"))
    assert 'kind="ssd"' in line and "999" not in line.split("}")[0] and float(line.split()[-1]) > 2 * 86_400


async def test_rows_that_wait_too_long_are_refused_by_the_service_itself(here, caplog, tmp_path):
    measure = Telemetry("test")
    settings = serving.settings_of("socialcare", here.databases["socialcare"], issuer=here.urls["issuer"], port=1, state=tmp_path, urls={})
    async with source.opened(KIND, settings, measure) as opened:
        with caplog.at_level(logging.WARNING):
            await source.look(opened, measure, now=datetime.now(UTC) + timedelta(days=59))
            assert not [one for one in caplog.records if "waited too long" in one.getMessage()]
            await source.look(opened, measure, now=datetime.now(UTC) + timedelta(days=61))
    (said,) = [one for one in caplog.records if "waited too long" in one.getMessage()]
    assert said.fields["rows"] == 1
    assert (await here.ask("GET", "socialcare", "/v1/deliveries")).json()["waiting"] == {"rows": 0, "since": None}
