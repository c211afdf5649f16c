from __future__ import annotations

import logging
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.api.auth import Role, mint
from app.core import log
from app.core.log import HIDDEN
from app.db.session import Database

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXgifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


def only_line(written: BytesIO) -> dict[str, Any]:
    (line,) = written.getvalue().splitlines()
    return orjson.loads(line)


@pytest.mark.parametrize(
    "field",
    [
        "token",
        "access_token",
        "password",
        "arcavis_password",
        "Authorization",
        "client_secret",
        "email",
        "phone",
        "first_name",
        "last_name",
        "street",
        "house_number",
        "name_1",
        "Set-Cookie",
    ],
)
def test_fields_with_secrets_and_personal_data_are_hidden(written: BytesIO, field: str) -> None:
    structlog.get_logger().info("told", **{field: "Hauptstrasse"}, nested={field: ["Hauptstrasse"]})
    assert only_line(written)[field] == HIDDEN
    assert b"Hauptstrasse" not in written.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer abcdefghijklmnop",
        "Basic dXNlcjpwYXNzd29yZA==",
        JWT,
        pytest.param(mint(Role.POS).text, id="key of a till"),
        pytest.param(mint(Role.OPERATOR).text, id="key of an operator"),
        "postgresql://user:hunter2@db/connector",
        "info@muster.ch",
    ],
)
def test_texts_that_look_like_secrets_are_hidden(written: BytesIO, secret: str) -> None:
    structlog.get_logger().info(f"said {secret}", reason=f"({secret})", many=[secret], deep={"a": {"b": secret}})
    assert HIDDEN in only_line(written)["reason"]
    core = secret.removeprefix("Bearer ").removeprefix("Basic ").removeprefix("postgresql://").partition("@db")[0]
    assert core.encode() not in written.getvalue()


def test_what_is_needed_stays(written: BytesIO) -> None:
    tenant = UUID(int=7)
    structlog.get_logger().info("kept", key="abx_pos_Ab3dE6", tenant=tenant, ms=1.5, ok=True, nothing=None)
    line = only_line(written)
    assert line["key"] == "abx_pos_Ab3dE6"
    assert line["tenant"] == str(tenant)
    assert (line["ms"], line["ok"], line["nothing"]) == (1.5, True, None)
    assert (line["event"], line["level"]) == ("kept", "info")
    assert line["timestamp"].endswith("Z")


def test_the_standard_librarys_logs_take_the_same_way(written: BytesIO) -> None:
    logging.getLogger("uvicorn.error").warning("refused %s", "info@muster.ch")
    line = only_line(written)
    assert (line["level"], line["logger"], line["event"]) == ("warning", "uvicorn.error", f"refused {HIDDEN}")


def test_quiet_levels_stay_quiet(written: BytesIO) -> None:
    structlog.get_logger().debug("no")
    logging.getLogger("pgqueuer").debug("no")
    logging.getLogger("uvicorn.access").info("no")
    logging.getLogger("httpx").info("GET https://arcavis/api?name=Muster")
    assert written.getvalue() == b""


class Person(BaseModel):
    age: int


def test_an_error_is_told_with_its_cause_and_without_what_it_quotes(written: BytesIO) -> None:
    try:
        try:
            Person.model_validate({"age": "Muster"})
        except ValidationError as error:
            raise RuntimeError("while reading info@muster.ch") from error
    except RuntimeError:
        structlog.get_logger().exception("failed")
    line = only_line(written)
    assert line["exception"] == [f"RuntimeError: while reading {HIDDEN}", "ValidationError"]
    assert any("test_log.py" in frame for frame in line["frames"])
    assert b"Muster" not in written.getvalue()


def test_logging_exception_of_the_standard_library_too(written: BytesIO) -> None:
    try:
        {}["tenant"]
    except KeyError:
        logging.getLogger("alembic").exception("failed")
    assert only_line(written)["exception"] == ["KeyError: 'tenant'"]


async def test_a_database_error_does_not_quote_its_row(api_db: Database, written: BytesIO) -> None:
    try:
        async with api_db.begin_system() as session:
            await session.execute(text("select cast(:value as integer)"), {"value": "Muster"})
    except DBAPIError:
        structlog.get_logger().exception("failed")
    assert b"Muster" not in written.getvalue()


def test_people_get_columns(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    stream = BytesIO()
    root = logging.getLogger()
    handlers = root.handlers
    log.configure("info", json=False, stream=stream)
    structlog.get_logger().info("kept", password="hunter2")
    structlog.reset_defaults()
    root.handlers = handlers
    assert b"kept" in stream.getvalue()
    assert b"hunter2" not in stream.getvalue()
