"""Where clients find the server's socket: inside the cluster, or through a short private link to it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"

# macOS allows 103 bytes, Linux 107.
_LONGEST = 100
_LINK = "pg"


def client_folder(cluster: Path) -> Path:
    """The folder to connect to. A link made for a long path is noted beside the cluster and used again."""
    if len(os.fsencode(cluster / SOCKET_NAME)) <= _LONGEST:
        return cluster
    note = _note(cluster)
    noted = Path(note.read_text()) if note.exists() else None
    if noted is not None and _is_ours(noted, cluster):
        return noted
    link = Path(tempfile.mkdtemp(prefix="connector-")) / _LINK
    link.symlink_to(cluster)
    note.write_text(str(link))
    return link


def remove_link(cluster: Path) -> None:
    """Removes the link that a long path needed, once nobody uses the server."""
    note = _note(cluster)
    if note.exists():
        link = Path(note.read_text())
        if _is_ours(link, cluster):
            shutil.rmtree(link.parent)
        note.unlink()


def _note(cluster: Path) -> Path:
    return cluster.parent / "socket-link"


def _is_ours(link: Path, cluster: Path) -> bool:
    """True when the link leads to the cluster and lies in a folder that only we can change."""
    try:
        folder = link.parent.lstat()
        leads_there = link.readlink() == cluster
    except OSError:
        return False
    private = stat.S_ISDIR(folder.st_mode) and not folder.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return leads_there and private and folder.st_uid == os.geteuid()
