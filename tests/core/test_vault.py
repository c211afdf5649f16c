from __future__ import annotations

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Unavailable
from app.core.vault import Vault, generate_key

COLUMN = "bexio_connection.secret"
FIRST, SECOND = generate_key("2026a"), generate_key("2026b")
tenants = st.uuids()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(tenants, st.text("abc._", min_size=1), texts)
def test_what_was_sealed_opens_for_its_own_tenant_and_column(tenant: UUID, column: str, secret: str) -> None:
    vault = Vault(FIRST)
    sealed = vault.seal(tenant, column, secret)
    assert vault.open(tenant, column, sealed) == secret
    assert not vault.needs_rotation(sealed)


@given(tenants, tenants, texts)
def test_a_secret_moved_to_another_tenant_or_column_does_not_open(tenant: UUID, other: UUID, secret: str) -> None:
    vault = Vault(FIRST)
    sealed = vault.seal(tenant, COLUMN, secret)
    with pytest.raises(Unavailable):
        vault.open(tenant, "arcavis_connection.secret", sealed)
    if other != tenant:
        with pytest.raises(Unavailable):
            vault.open(other, COLUMN, sealed)


@given(tenants, texts, st.data())
def test_one_altered_bit_or_a_cut_spoils_a_secret(tenant: UUID, secret: str, data: st.DataObject) -> None:
    vault = Vault(FIRST)
    sealed = bytearray(vault.seal(tenant, COLUMN, secret))
    place = data.draw(st.integers(0, len(sealed) - 1))
    cut = bytes(sealed[:place])
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    for spoiled in (bytes(sealed), cut):
        with pytest.raises(Unavailable) as caught:
            vault.open(tenant, COLUMN, spoiled)
        assert caught.value.code == "secret-unreadable"


def test_the_same_secret_is_never_sealed_alike_twice() -> None:
    vault, tenant = Vault(FIRST), UUID(int=1)
    assert len({vault.seal(tenant, COLUMN, "token") for _ in range(50)}) == 50


def test_keys_rotate_without_losing_what_the_former_one_sealed() -> None:
    tenant = UUID(int=1)
    old = Vault(FIRST).seal(tenant, COLUMN, "token")
    rotated = Vault(f"{SECOND}, {FIRST}")
    assert rotated.open(tenant, COLUMN, old) == "token"
    assert rotated.needs_rotation(old)
    new = rotated.seal(tenant, COLUMN, rotated.open(tenant, COLUMN, old))
    assert not rotated.needs_rotation(new)
    assert Vault(SECOND).open(tenant, COLUMN, new) == "token"


def test_a_secret_of_a_key_that_is_gone_says_so_by_its_code() -> None:
    sealed = Vault(FIRST).seal(UUID(int=1), COLUMN, "token")
    with pytest.raises(Unavailable) as caught:
        Vault(SECOND).open(UUID(int=1), COLUMN, sealed)
    assert caught.value.code == "secret-unreadable"


def test_neither_a_vault_nor_its_errors_show_a_key() -> None:
    encoded = FIRST.partition(":")[2]
    assert encoded not in repr(Vault(FIRST))
    assert "2026a" in repr(Vault(FIRST))
    with pytest.raises(ValueError, match="Encryption key 2") as caught:
        Vault(f"{FIRST},2026c:{encoded[:-4]}")
    assert encoded[:8] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "keyring",
    [
        "",
        ",",
        "only-an-id",
        "id:",
        "id:not base64!",
        "id:" + base64.b64encode(b"x" * 16).decode(),
        ":" + base64.b64encode(b"x" * 32).decode(),
        "two words:" + base64.b64encode(b"x" * 32).decode(),
        pytest.param(f"{FIRST},{FIRST}", id="one key twice"),
        pytest.param(f"{FIRST},", id="an empty place"),
    ],
)
def test_a_malformed_keyring_is_refused_at_the_start(keyring: str) -> None:
    with pytest.raises(ValueError, match="Encryption key"):
        Vault(keyring)


@pytest.mark.parametrize("key_id", ["", "a:b", "a,b", "ä", "x" * 33])
def test_a_key_gets_no_id_that_the_keyring_could_not_hold(key_id: str) -> None:
    with pytest.raises(ValueError, match="id"):
        generate_key(key_id)
