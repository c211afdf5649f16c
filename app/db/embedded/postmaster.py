"""The running server of a cluster: found by its socket, started when nothing listens, ended in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.cluster import admit_peers, shared_memory
from app.db.embedded.failure import explain, explained
from app.db.embedded.sockets import PORT, SOCKET_NAME, client_folder

START_SECONDS = 60.0
STOP_SECONDS = 30.0

_PID_LINE, _STATUS_LINE = 0, 7
_LOG_LIMIT = 10_000_000
# A killed server's last children hold its shared memory for a moment.
_PASSING = ("is still in use", "Is another postmaster")

_SETTINGS = {
    "cluster_name": "connector",
    "listen_addresses": "",
    # Relative to the cluster, where the server stands: never too long for a socket.
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and details carry personal data; they stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Commits still reach the kernel: killing the server loses nothing.
_FAST = {"fsync": "off", "full_page_writes": "off"}


class Postmaster:
    """The server process of one cluster, ours or one that an earlier process left running."""

    def __init__(self, cluster: Path, programs: Path, account: Account, *, fast: bool) -> None:
        self.socket_folder = client_folder(cluster)
        self._cluster = cluster
        self._programs = programs
        self._account = account
        self._fast = fast
        self._log = cluster / "server.log"
        self._log_start = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id, 0 when it is not running."""
        return int(self._state()[_PID_LINE] or 0)

    def ensure_ready(self) -> bool:
        """Returns when the server takes connections; True when it was running before."""
        deadline = time.monotonic() + START_SECONDS
        attached = self._listening()
        with explained("Starting the database", self._cluster):
            while not (self._listening() and self._state()[_STATUS_LINE] == "ready"):
                if time.monotonic() > deadline:
                    raise explain("Starting the database in time", self._written())
                if self._child is not None and self._child.poll() is not None:
                    self._give_up_or_wait(self._written())
                elif self._child is None and not self._listening():
                    self._launch()
                    attached = False
                time.sleep(0.01)
        if self._child is not None:
            # Reaps the server whenever it ends, also long after this object is gone.
            threading.Thread(target=self._child.wait, daemon=True, name="embedded-postgres").start()
        return attached

    def stop(self) -> None:
        """Ends the server: sessions are rolled back, everything is on disk when this returns."""
        if not self._listening():
            return
        pid = self.pid
        for order in (signal.SIGINT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(pid, order)
            deadline = time.monotonic() + STOP_SECONDS
            while self.pid == pid and time.monotonic() < deadline:
                time.sleep(0.01)
            if self.pid != pid:
                break
        if self._child is not None:
            self._child.wait(STOP_SECONDS)

    def _launch(self) -> None:
        self._forget_the_dead()
        admit_peers(self._cluster, self._account)
        self._turn_log()
        settings = _SETTINGS | shared_memory() | (_FAST if self._fast else {})
        command = [str(self._programs / "postgres"), "-D", self._account.cluster_argument(self._cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._account.own(self._log)
            self._log.chmod(0o600)
            self._child = self._account.spawn(command, self._cluster, log)

    def _forget_the_dead(self) -> None:
        """Removes the mark of a server that is gone.

        Postgres itself trips over it when the number went to another process, as it does after a
        container's restart. A server that is only just coming up gets a moment to be heard.
        """
        for _ in range(10):
            if self.pid == 0 or not _alive(self.pid) or self._listening():
                break
            time.sleep(0.02)
        if not self._listening():
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _give_up_or_wait(self, written: str) -> None:
        if not any(phrase in written for phrase in _PASSING):
            raise explain("Starting the database", written)
        self._child = None
        time.sleep(0.2)

    def _listening(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket_folder / SOCKET_NAME)) == 0

    def _state(self) -> list[str]:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        return [line.strip() for line in lines] + [""] * (_STATUS_LINE + 1 - len(lines))

    def _written(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _turn_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.1"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
