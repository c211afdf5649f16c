from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.settings_table import MASK, markdown
from app.core.vault import Vault

ROOT = Path(__file__).parents[2]


def connector(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a person starts it, with nothing but the given variables."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_readme_lists_the_settings_as_the_program_has_them() -> None:
    assert markdown() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_settings_mask_secrets_also_for_scripts() -> None:
    result = connector("settings", "--json", CONNECTOR_OPERATOR_KEY="very-secret", CONNECTOR_PORT="9001")
    assert result.returncode == 0
    assert "very-secret" not in result.stdout + result.stderr
    listed = {one["name"]: one for one in json.loads(result.stdout)}
    assert listed["CONNECTOR_OPERATOR_KEY"]["value"] == MASK
    assert listed["CONNECTOR_PORT"]["value"] == "9001"


def test_a_generated_key_opens_what_it_sealed() -> None:
    result = connector("keys", "generate")
    assert result.returncode == 0
    Vault(result.stdout.strip())


def test_a_database_that_is_away_is_one_line_with_a_remedy() -> None:
    result = connector(
        "tenants", "list",
        CONNECTOR_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
        CONNECTOR_ENCRYPTION_KEYS=connector("keys", "generate").stdout.strip(),
    )  # fmt: skip
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "demo", "sandbox", "doctor", "attention"])
def test_every_command_says_what_it_does(command: str) -> None:
    result = connector(command, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


def test_the_document_can_be_printed_without_a_database() -> None:
    result = connector("openapi")
    assert result.returncode == 0
    assert json.loads(result.stdout) == json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))


def test_what_the_readme_says_to_set_reaches_the_containers() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    told = {
        name for line in lines if line.startswith("export ") for name in re.findall(r"CONNECTOR_[A-Z_]+(?==)", line)
    }
    passed = set(
        re.findall(r"^    (CONNECTOR_[A-Z_]+):", (ROOT / "compose.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert len(told) > 8
    assert told - passed == set()
