"""An installation's secrets are made once; an identity that a later release brings gets its own beside them."""

from __future__ import annotations

import json

from deploy.local import secrets


def test_a_later_identity_gets_a_secret_and_the_others_keep_theirs(tmp_path):
    first = secrets.load(tmp_path)
    path = tmp_path / "secrets" / "secrets.json"
    before = json.loads(path.read_text())
    del before["clients"]["scrape"]
    path.write_text(json.dumps(before))
    again = secrets.load(tmp_path)
    assert len(again.clients["scrape"]) > 30 and again.clients["scrape"] != first.clients["scrape"]
    assert {**again.clients, "scrape": ""} == {**first.clients, "scrape": ""} and again.master_keys == first.master_keys
    assert secrets.load(tmp_path) == again and path.stat().st_mode & 0o777 == 0o600
