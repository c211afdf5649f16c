"""The cluster's files: made whole or not at all, and opened to nobody but the owner of the data folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.db.embedded.account import Account, peers
from app.db.embedded.binaries import MAJOR_VERSION
from app.db.embedded.failure import OWN_SERVER, EmbeddedPostgresError, explain, explained

OWNER = "connector"
DATABASE = "connector"

_SMALL_SHARED_MEMORY = 64 * 1024 * 1024

# The owner migrates and creates the runtime role, and may clone databases for tests; it is no superuser.
# In single-user mode a statement ends with its line.
_ROLES = f"""\
create role {OWNER} login createrole createdb
create database {DATABASE} owner {OWNER}
revoke connect on database {DATABASE} from public
"""


def ensure(data_dir: Path, programs: Path, account: Account, *, fast: bool) -> Path:
    """The cluster's folder in `data_dir`, created if need be; refuses one of another major version."""
    cluster = data_dir / "cluster"
    with explained("Reading the database folder", cluster):
        version_file = cluster / "PG_VERSION"
        if not version_file.exists():
            _create(data_dir / "cluster.new", cluster, programs, account, fast=fast)
        found = version_file.read_text().strip()
    if found != str(MAJOR_VERSION):
        raise EmbeddedPostgresError(
            f"The database in {cluster} was made by Postgres {found}; this version brings {MAJOR_VERSION}.",
            f"Dump it with the version that made it, restore it into a new CONNECTOR_DATA_DIR, {OWN_SERVER}.",
        )
    return cluster


def admit_peers(cluster: Path, account: Account) -> None:
    """Lets in, over the socket and as the database's owner only, the accounts that own the data folder."""
    names = "".join(f'embedded "{name}" {OWNER}\n' for name in peers())
    _write(cluster / "pg_hba.conf", f"local all {OWNER} peer map=embedded\n", account)
    _write(cluster / "pg_ident.conf", names, account)


def shared_memory() -> dict[str, str]:
    """Files in the cluster instead of /dev/shm where that is missing or tiny, as in many containers."""
    memory = Path("/dev/shm")  # noqa: S108 - only measured
    if memory.is_dir() and shutil.disk_usage(memory).free >= _SMALL_SHARED_MEMORY:
        return {}
    return {"dynamic_shared_memory_type": "mmap"} if Path("/proc").is_dir() else {}


def _create(new: Path, cluster: Path, programs: Path, account: Account, *, fast: bool) -> None:
    """Makes the cluster beside its place and moves it there when it is complete."""
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    account.own(new)
    data = account.cluster_argument(new)
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-instructions"]
    initdb += ["--auth-local=peer", "--auth-host=reject", "--locale=C"]
    # Sorts by code point like C, and knows the case of umlauts.
    initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb += [f"--set={name}={setting}" for name, setting in shared_memory().items()]
    initdb += ["--no-sync"] if fast else []
    made = account.run(initdb, new)
    if made.returncode != 0:
        raise explain("Creating the database folder", made.stdout)
    single = [programs / "postgres", "--single", "-D", data, "postgres"]
    roles = account.run(single, new, _ROLES)
    if roles.returncode != 0 or "ERROR:" in roles.stdout:
        raise explain("Creating the database", roles.stdout)
    admit_peers(new, account)
    new.rename(cluster)


def _write(path: Path, text: str, account: Account) -> None:
    path.write_text(text)
    path.chmod(0o600)
    account.own(path)
