from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.api import failures
from app.core import catalogue, errors
from app.core.errors import ConnectorError, InvalidValue
from app.core.texts import ENTRIES, MESSAGES, PHRASES, articles, bookings, contacts, foundation, provisioning

APP = Path(__file__).parents[2] / "app"
SYSTEMS = ("bexio", "arcavis")
# What the classes themselves pass on besides the keywords at the raise.
GIVEN = {
    "RemoteError": {"system"},
    "RemoteUnavailable": {"system"},
    "OutcomeUnknown": {"system"},
    "RemoteRejected": {"system", "status", "reasons"},
    "RemoteNotFound": {"system", "status", "reasons"},
    "ConnectionRefused": {"system", "status", "reasons"},
}
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ConnectorError)}


@dataclass(frozen=True)
class Raised:
    """A code as it stands in the source; `params` None when they are put together elsewhere."""

    code: str
    where: str
    params: frozenset[str] | None


def raised() -> Iterator[Raised]:
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                where = f"{path.relative_to(APP)}:{node.lineno}"
                if name == "Later":
                    # The reason of waiting work is a code whose title people see.
                    for code in codes(reason(node)):
                        yield Raised(code, where, None)
                if name in KINDS | {"NeedsAttention"}:
                    for code in codes(node.args[0]):
                        yield Raised(code, where, params(name, node))


def reason(node: ast.Call) -> ast.expr:
    return node.args[1] if len(node.args) > 1 else next(k.value for k in node.keywords if k.arg == "reason")


def codes(node: ast.expr) -> list[str]:
    """The codes that a literal, or an f-string that begins with the system, can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return codes(node.body) + codes(node.orelse)
    if isinstance(node, ast.JoinedStr) and isinstance(tail := node.values[-1], ast.Constant):
        return [f"{system}{tail.value}" for system in SYSTEMS]
    return []


def params(name: str, node: ast.Call) -> frozenset[str] | None:
    if name == "NeedsAttention":
        given = (
            node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "params"), None)
        )
        if given is None:
            return frozenset()
        if not isinstance(given, ast.Dict):
            return None
        return frozenset(
            key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        )
    if any(keyword.arg is None for keyword in node.keywords):
        return None
    return frozenset(keyword.arg for keyword in node.keywords if keyword.arg) | GIVEN.get(name, set())


RAISED = sorted(raised(), key=lambda one: (one.code, one.where))


def fields(*templates: str) -> set[str]:
    return {name for template in templates for _, name, _, _ in string.Formatter().parse(template) if name}


def test_the_sweep_finds_what_is_raised() -> None:
    found = {one.code for one in RAISED}
    assert {"key-invalid", "idempotency-conflict", "bexio-not-connected", "arcavis-not-connected"} <= found


@pytest.mark.parametrize("one", RAISED, ids=lambda one: f"{one.code}-{one.where}")
def test_every_code_in_the_source_is_in_the_catalogue_with_its_parameters(one: Raised) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.code)
    assert one.code in ENTRIES
    if one.params is not None:
        entry = ENTRIES[one.code]
        assert fields(entry.title, entry.detail, entry.remedy) <= one.params


AREAS = {
    "foundation": foundation,
    "contacts": contacts,
    "articles": articles,
    "bookings": bookings,
    "provisioning": provisioning,
}


def area_translations(language: str, area: str) -> dict[str, str]:
    with (APP / "locale" / language / "LC_MESSAGES" / f"{area}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, abort_invalid=True) if message.id}


def translations(language: str) -> dict[str, str]:
    return {english: text for area in AREAS for english, text in area_translations(language, area).items()}


def test_no_code_stands_in_two_areas() -> None:
    assert sum(len(area.ENTRIES) for area in AREAS.values()) == len(ENTRIES)


@pytest.mark.parametrize("language", ["de", "fr", "it"])
def test_no_text_is_translated_in_two_areas(language: str) -> None:
    assert sum(len(area_translations(language, area)) for area in AREAS) == len(translations(language))


ENTRY_TEXTS = {text for entry in ENTRIES.values() for text in (entry.title, entry.detail, entry.remedy)}
ENGLISH = ENTRY_TEXTS | MESSAGES | PHRASES


@pytest.mark.parametrize("language", ["de", "fr", "it"])
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    translated = translations(language)
    assert set(translated) == ENGLISH
    assert [english for english, text in translated.items() if not text] == []


@pytest.mark.parametrize("language", ["de", "fr", "it"])
def test_translations_have_the_same_parameters(language: str) -> None:
    differing = {english for english, text in translations(language).items() if fields(english) != fields(text)}
    assert differing == set()


def test_german_is_written_as_in_switzerland() -> None:
    odd = [text for text in translations("de").values() if "ß" in text or "„" in text]
    assert odd == []


def test_messages_about_fields_are_in_the_catalogue() -> None:
    said = {failures.field_error({"type": kind, "loc": ("body", "x"), "msg": ""}).message for kind in failures.KINDS}
    assert said <= MESSAGES


def said_of_fields() -> Iterator[tuple[str, str]]:
    """Every message that the source says of a field or a value; a name stands for each text it was given."""
    for path in sorted(APP.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: str(node.value.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in {"CHOICES", "INTRODUCTION", "_MESSAGE"}
        }
        yield from ((path.name, text) for text in named.values())
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id == "message" and isinstance(node.value, ast.Constant):
                    yield path.name, str(node.value.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"FieldError": 1, "InvalidValue": 0}.get(node.func.id)
                message = node.args[place] if place is not None else None
                if isinstance(message, ast.Constant):
                    yield path.name, str(message.value)


def test_what_is_said_of_fields_is_in_the_catalogue_and_nothing_else_is() -> None:
    said = set(said_of_fields())
    assert len(said) > 40
    assert {(where, message) for where, message in said if message not in MESSAGES} == set()
    kinds = {failures.field_error({"type": kind, "loc": ("body", "x"), "msg": ""}).message for kind in failures.KINDS}
    decimals = {message for message in MESSAGES if message.startswith("This must be a") and "as a string" in message}
    assert MESSAGES - kinds - decimals - {message for _, message in said} == set()


def test_a_field_is_answered_in_the_callers_language() -> None:
    error = {"type": "less_than_equal", "loc": ("body", "minutes"), "msg": "English", "ctx": {"le": 1440}}
    found = failures.field_error(error)
    assert catalogue.sentence(found.message, found.params, "de") == "Das darf höchstens 1440 sein."
    ours = {
        "type": "value_error",
        "loc": ("body",),
        "msg": "x",
        "ctx": {"error": InvalidValue("At most {most} days.", most=3)},
    }
    found = failures.field_error(ours)
    assert catalogue.sentence(found.message, found.params, "fr") == "Au plus 3 jours."


def test_what_may_be_chosen_is_said_as_it_is() -> None:
    assert catalogue.sentence("1000: {Kasse}", {}, "de") == "1000: {Kasse}"


def test_a_text_is_filled_in() -> None:
    text = catalogue.text("total-differs", {"bexio": "13.65", "till": "13.60", "invoice": "RE-1"}, "de")
    assert "13.65" in text.detail
    assert "RE-1" in text.detail
    assert text.title == "Totale weichen ab"


def test_a_missing_parameter_leaves_a_gap_and_an_unknown_code_a_general_text() -> None:
    assert "…" in catalogue.text("total-differs", {}, "en").detail
    assert catalogue.text("never-heard-of", {}, "en") == catalogue.text("internal-error", {}, "en")


def test_what_a_parameter_holds_is_no_template() -> None:
    text = catalogue.text("bexio-rejected", {"status": "422", "reasons": "{code} {0} {"}, "en")
    assert text.detail == "bexio answered with status 422: {code} {0} {"
