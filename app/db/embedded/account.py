"""Whose process the server is: ours, or an unprivileged account's when we are root: Postgres refuses it."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.db.embedded.failure import OWN_SERVER, EmbeddedPostgresError

# Nothing of the caller's environment: PGDATA, PGOPTIONS or a locale there would change the server.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account that owns the cluster's files and runs its programs."""

    uid: int
    gid: int
    switch: bool

    def own(self, path: Path) -> None:
        """Hands a file or folder to this account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def cluster_argument(self, cluster: Path) -> str:
        """How a program of this account, started inside the cluster, names it.

        Root may keep its data where no other account can go (/root, a private checkout). The programs are
        put into the folder before they drop root, so on Linux they can name it without walking there.
        """
        own_folder = Path("/proc/self/cwd")
        return str(own_folder if self.switch and own_folder.exists() else cluster)

    def run(self, command: Sequence[str | Path], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a program in `folder` to its end, with `text` as its input; `stdout` holds all it wrote."""
        return subprocess.run(  # noqa: S603 - programs of the wheel, arguments of ours
            command,
            cwd=folder,
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            umask=0o077,
            check=False,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def spawn(self, command: Sequence[str | Path], folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Starts a program in a session of its own, so that Ctrl-C in a terminal does not end it."""
        return subprocess.Popen(  # noqa: S603 - programs of the wheel, arguments of ours
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )


def choose(cluster: Path) -> Account:
    """The account for this cluster: its owner, or for a new one ourselves, or `nobody` when we are root."""
    ours = os.geteuid()
    owner = cluster.stat() if cluster.exists() else None
    if ours != 0:
        if owner and owner.st_uid != ours:
            raise EmbeddedPostgresError(
                f"The database in {cluster} belongs to another user.",
                f"Run as that user, choose another folder with CONNECTOR_DATA_DIR, {OWN_SERVER}.",
            )
        return Account(ours, os.getegid(), switch=False)
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switch=True)
    try:
        account = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise EmbeddedPostgresError(
            f"Postgres refuses to run as root, and there is no account {_UNPRIVILEGED} to run it as.",
            f"Run the connector as a normal user, {OWN_SERVER}.",
        ) from None
    return Account(account.pw_uid, account.pw_gid, switch=True)


def peers() -> list[str]:
    """The names of the accounts that may connect: ours, and root, who can read everything anyway."""
    try:
        return sorted({pwd.getpwuid(uid).pw_name for uid in (os.geteuid(), 0)})
    except KeyError:
        raise EmbeddedPostgresError(
            f"User id {os.geteuid()} has no name, and Postgres knows its callers by name.",
            f"Give it an entry in /etc/passwd, {OWN_SERVER}.",
        ) from None
