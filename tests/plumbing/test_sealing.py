"""A seal opens with its own key, beside its own envelope, and never otherwise."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing import sealing
from services.plumbing.kafka import envelope
from services.plumbing.kafka.envelope import Header

KEY, OTHER = b"a" * 32, b"b" * 32
HEADER = Header("i", "/education", "t", "s", "2026-01-01T00:00:00.000000Z", 1, "/d", envelope.SEALED, "R-IDENT", None)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_was_sealed_opens(plain, bound):
    assert sealing.open_seal(KEY, sealed=sealing.seal(KEY, plain=plain, bound_to=bound), bound_to=bound) == plain


@given(st.binary(min_size=1, max_size=60), st.data())
def test_any_changed_byte_is_found(plain, data):
    sealed = bytearray(sealing.seal(KEY, plain=plain, bound_to=b"x"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(sealing.SealBroken):
        sealing.open_seal(KEY, sealed=bytes(sealed), bound_to=b"x")


def test_another_key_is_refused_by_the_commitment():
    with pytest.raises(sealing.SealBroken, match="commitment"):
        sealing.open_seal(OTHER, sealed=sealing.seal(KEY, plain=b"x", bound_to=b""), bound_to=b"")


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "streamversion", "dataschema", "recordclass", "traceparent"])
def test_no_member_of_the_envelope_can_be_changed(name):
    changed = msgspec.structs.replace(HEADER, **{name: 2 if name == "streamversion" else "other"})
    sealed = sealing.seal(KEY, plain=b"x", bound_to=envelope.associated_data(HEADER))
    with pytest.raises(sealing.SealBroken, match="tag"):
        sealing.open_seal(KEY, sealed=sealed, bound_to=envelope.associated_data(changed))


def test_an_envelope_read_back_binds_to_the_same_bytes():
    sealed = sealing.seal(KEY, plain=b"{}", bound_to=envelope.associated_data(HEADER))
    found = envelope.decode(envelope.encode(HEADER, sealed))
    header = Header(**{field: getattr(found, field) for field in HEADER.__struct_fields__})
    assert envelope.associated_data(header) == envelope.associated_data(HEADER)
    assert dataclasses.is_dataclass(found) or envelope.ciphertext(found) == sealed
