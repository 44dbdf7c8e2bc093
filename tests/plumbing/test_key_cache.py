"""Keys in a reader's memory: for a bounded time, and no word of a key is never taken for a word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from services.plumbing.sealing import KeyAnswer, KeyCache, KeysUnavailable

NAME = ("a-stream", "R-IDENT")


class Publisher:
    """Says of each key what it is told to, and counts how often it was asked."""

    def __init__(self, answer: KeyAnswer | None = None) -> None:
        self.answers: Mapping = {NAME: answer} if answer else {}
        self.asked = 0

    async def ask(self, service: str, names: list) -> Mapping:
        """The answers."""
        self.asked += 1
        return {name: self.answers[name] for name in names if name in self.answers}


@pytest.mark.parametrize("publisher", [Publisher(), Publisher(KeyAnswer("nothing"))], ids=["left out", "nothing"])
async def test_a_key_that_the_publisher_has_no_word_of_is_waited_for(publisher):
    cache = KeyCache(publisher.ask, lifetime=60)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            await cache.fetch("education", [NAME])
    assert publisher.asked == 2, "no word was kept as an answer"


async def test_a_key_is_asked_for_once_while_it_lives_and_again_after_that_or_when_it_is_to_be_forgotten():
    publisher = Publisher(KeyAnswer("key", b"k" * 32))
    cache = KeyCache(publisher.ask, lifetime=0.2)
    for _ in range(3):
        assert (await cache.fetch("education", [NAME]))[NAME].key == b"k" * 32
    assert publisher.asked == 1
    cache.forget(NAME)
    await cache.fetch("education", [NAME])
    assert publisher.asked == 2
    await asyncio.sleep(0.25)
    await cache.fetch("education", [NAME])
    assert publisher.asked == 3
