"""A process does not start without what its role needs, nor where a demonstration and what is real would mix."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from deploy.local import issuer as local_issuer
from services.plumbing import database as databases
from services.plumbing import demonstration
from services.plumbing.demonstration import Disagreement
from services.plumbing.settings import SettingMissing, Settings, from_environment
from tests.conftest import free_port
from tests.serving import ROOT, serving

EVERYTHING = {
    "CHILDVIEW_DATABASE": "postgresql://nowhere", "CHILDVIEW_ISSUER": "http://127.0.0.1:1", "CHILDVIEW_CLIENT_SECRET": "secret",
    "CHILDVIEW_MASTER_KEY": "11" * 32, "CHILDVIEW_ADDRESS_KEY": "22" * 32, "CHILDVIEW_DIGEST_KEY": "33" * 32,
    "CHILDVIEW_CONTRACTS": str(ROOT / "contracts"),
}  # fmt: skip
NEEDED = [
    ("childview", "api", "CHILDVIEW_DIGEST_KEY"), ("childview", "api", "CHILDVIEW_CLIENT_SECRET"), ("childview", "projector", "CHILDVIEW_ADDRESS_KEY"),
    ("childview", "identity", "CHILDVIEW_CLIENT_SECRET"), ("education", "api", "CHILDVIEW_MASTER_KEY"), ("socialcare", "api", "CHILDVIEW_DIGEST_KEY"),
    ("policy", "api", "CHILDVIEW_ADDRESS_KEY"), ("audit", "relay", "CHILDVIEW_ISSUER"), ("audit", "api", "CHILDVIEW_DATABASE"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "role", "name"), NEEDED)
def test_what_a_role_needs_is_asked_for_by_name_and_an_empty_key_is_none(service, role, name):
    from_environment(service, role, EVERYTHING)
    for missing in ({n: v for n, v in EVERYTHING.items() if n != name}, {**EVERYTHING, name: ""}):
        with pytest.raises(SettingMissing, match=name):
            from_environment(service, role, missing)


@pytest.mark.parametrize("wrong", ["11", "no key at all", "11" * 31])
def test_what_is_no_key_is_refused_and_not_repeated(wrong):
    with pytest.raises(SettingMissing, match="CHILDVIEW_MASTER_KEY") as refused:
        from_environment("education", "api", {**EVERYTHING, "CHILDVIEW_MASTER_KEY": wrong})
    assert wrong not in str(refused.value).replace("64 hexadecimal digits", "")


def test_a_relay_needs_no_key():
    needs = {name: EVERYTHING[name] for name in ("CHILDVIEW_DATABASE", "CHILDVIEW_ISSUER")}
    assert from_environment("socialcare", "relay", needs).master_key == b""


def here(dsn: str, **changes) -> Settings:
    return dataclasses.replace(from_environment("audit", "api", {**EVERYTHING, "CHILDVIEW_DATABASE": dsn}), **changes)


async def test_a_database_without_the_mark_is_no_demonstrations_whatever_the_settings_say(database):
    await demonstration.agree(here(database))
    with pytest.raises(Disagreement, match="not a demonstration's"):
        await demonstration.agree(here(database, demonstration=True))


async def test_a_marked_database_is_a_demonstrations_and_marking_it_twice_changes_nothing(database):
    await demonstration.mark(database)
    await demonstration.mark(database)
    await demonstration.agree(here(database, demonstration=True))
    with pytest.raises(Disagreement, match="CHILDVIEW_DEMONSTRATION"):
        await demonstration.agree(here(database))


async def test_a_real_service_does_not_start_beside_a_demonstrations_issuer(database, tmp_path: Path):
    port = free_port()
    issuer = local_issuer.make(url=f"http://127.0.0.1:{port}", folder=tmp_path, clients={}, personas=tmp_path / "none", redirects={})
    async with serving(local_issuer.application(issuer), port):
        with pytest.raises(Disagreement, match="issuer is a demonstration's"):
            await demonstration.agree(here(database, issuer=issuer.url))


async def test_the_mark_comes_to_a_database_that_was_there_before_it(database):
    conn = await database_before(database)
    await conn.close()
    await demonstration.mark(database)
    await demonstration.agree(here(database, demonstration=True))


async def database_before(dsn: str):
    """A database as the releases before the mark left it."""
    await databases.migrate(dsn)
    conn = await databases.connect_one(dsn, name="test")
    await conn.execute("drop table installation")
    await conn.execute("delete from migrations where name = 'plumbing/003_installation.sql'")
    return conn
