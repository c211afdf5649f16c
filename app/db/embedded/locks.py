"""Who starts, and who uses, the server of a data folder. The kernel lets go of a dead process's locks."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.db.embedded.failure import EmbeddedPostgresError


class FileLock:
    """An advisory lock on a file, exclusive or shared, held until released."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.released = False
        if os.geteuid() == 0:
            # Root may visit a normal user's data folder: what it leaves there stays that user's.
            owner = path.parent.stat()
            os.fchown(self._descriptor, owner.st_uid, owner.st_gid)

    def try_exclusive(self) -> bool:
        """Takes it for ourselves alone, unless another holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Takes it together with others, unless one holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def release(self) -> None:
        """Lets go of it, once."""
        if not self.released:
            self.released = True
            os.close(self._descriptor)

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def alone(path: Path, seconds: float) -> Generator[None]:
    """One process (or thread) at a time is inside the block; the others wait up to `seconds`."""
    lock = FileLock(path)
    try:
        deadline = time.monotonic() + seconds
        while not lock.try_exclusive():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping the database for {seconds:.0f} seconds.",
                    f"Wait for it or end it; it holds {path}.",
                )
            time.sleep(0.02)
        yield
    finally:
        lock.release()
