"""Tills (`/api/pointofsales`): when each was last heard, and what happens while one is offline."""

from sandbox.arcavis import transactions
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.ticks import long_stamp
from sandbox.arcavis.values import Record


def read_all(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/pointofsales`: every till with `SynchedTime`, when it handed over last."""
    table = tenant.helpers["pointofsales"]
    return list_rows(table, call, tenant.ticks.next(), show=lambda row: _shown(tenant, row))


def read_one(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/pointofsales/{id}`."""
    return Answer(_shown(tenant, tenant.helpers["pointofsales"].get(call.record_id)))


def go_offline(tenant: Tenant, till: int) -> Record:
    """The till is not heard from now on; what it sells is held."""
    row = tenant.helpers["pointofsales"].get(till)
    tenant.silent_since.setdefault(till, tenant.ticks.local())
    return _shown(tenant, row)


def go_online(tenant: Tenant, till: int) -> Record:
    """The till is back, and what it sold meanwhile arrives, in its order."""
    tenant.silent_since.pop(till, None)
    for transaction in tenant.held.pop(till, []):
        transactions.receive(tenant, transaction)
    return _shown(tenant, tenant.helpers["pointofsales"].get(till))


def hand_over(tenant: Tenant, transaction: Record) -> bool:
    """A till's completed transaction: delivered now, or held while the till is offline (False)."""
    till: int = transaction["PointOfSaleId"]
    if till in tenant.silent_since:
        tenant.held.setdefault(till, []).append(transaction)
        transactions.note_number(tenant, transaction["Id"])
        return False
    transactions.receive(tenant, transaction)
    return True


def _shown(tenant: Tenant, row: Record) -> Record:
    heard = tenant.silent_since.get(row["Id"], tenant.ticks.local())
    return {"IsActive": True, **row, "SynchedTime": long_stamp(heard)}
