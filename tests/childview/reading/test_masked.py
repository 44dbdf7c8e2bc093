"""What is shown in part is the shorter form and nothing else: no source, no date, no whole value beside it."""

from __future__ import annotations

import json

from services.childview.projection import view
from services.childview.reading.disclose import Disclosure
from services.disclosure import evaluate
from services.disclosure.evaluate import Memo
from services.policy.main import starter_policies, vocabulary
from tests.childview.events import person
from tests.childview.reading.test_disclose import CATALOGUE, CONTRACTS, SCHOOL, TODAY, address, composed, plan, shown, teacher
from tests.policy import deciding


def test_a_field_shown_in_part_has_neither_source_nor_date():
    """No starter policy shows a part of what stands by itself: so one is changed to."""
    changed = json.loads(json.dumps(starter_policies()).replace('"S03-identity-full"', '"S03-identity-masked"'))
    for document in changed:
        if document["uid"] == "S03-identity-masked":
            document["targets"]["action_id"] = "masked"
    bundle = evaluate.load(changed, vocabulary(CONTRACTS))
    made = composed([person(1, given_name="Ada", family_name="Berg", birth_date="2015-03-05")])
    request = deciding.request("social-worker", purpose="enquiry")
    decided = Disclosure(CATALOGUE, Memo().scope(bundle, request), bundle, request, own=frozenset(), link="verified", today=TODAY)
    shown = decided.show(view.decode(made.view), view.decode_content(made.content), silent=frozenset())
    told = json.loads(b"{" + b",".join(shown.fields) + b"}")
    assert told["given_name"] == {"level": "masked", "value": "Ada"} and told["family_name"] == {"level": "masked", "value": "Berg"}
    assert "birth_date" not in told
    assert shown.sources == set(), "of what is shown in part nobody learns how fresh it is"


def test_a_postcode_shown_in_part_is_its_first_half_and_the_entry_tells_no_date():
    home = address(1, address_id="a", address_kind="home", lines=["1 Elm"], postcode="WX1 1AA", start_date="2026-01-01")
    found = shown([home], "virtual-school-officer", purpose="review", kinds=["virtual_school"], statuses=["looked_after"])
    item = found["entries"]["contact"]["items"][0]
    assert item["fields"]["postcode"] == {"level": "masked", "value": "WX1"}
    assert "1AA" not in json.dumps(found) and "Elm" not in json.dumps(found) and not {"source", "effective"} & item.keys()


def test_a_plan_shown_in_part_says_that_it_is_open_and_not_since_when():
    begun = plan(1, plan_kind="protection", plan_id="p", start_date="2026-10-07", initial_category_of_abuse="NEG")
    found = shown([begun], "school-safeguarding-lead", kinds=["school_safeguarding_lead"], own=[SCHOOL])
    assert "2026-10-07" not in json.dumps(found) and "NEG" not in json.dumps(found)
    assert teacher([begun])["entries"] == {}
