"""The control API under `/_sandbox/`: JSON, no credentials; for people, demos and tests in other processes.

`company` (query of a GET, field of a POST) names a company; without it the first one is meant.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast
from urllib.parse import parse_qsl

from sandbox.bexio import accounting_periods, articles, bookkeeping, contacts, invoices, payments
from sandbox.bexio.api import Inbound, Reply, as_json, parsed
from sandbox.bexio.company import Company, Document
from sandbox.bexio.errors import BadRequest, BexioError, NotFound
from sandbox.bexio.faults import read_rule
from sandbox.bexio.fresh import fill, seed_fresh
from sandbox.bexio.limits import Bucket
from sandbox.bexio.openid.control import RealmControl
from sandbox.bexio.seed import seed_shop
from sandbox.bexio.values import Record
from sandbox.bexio.world import ALL, World

PREFIX = "/_sandbox/"
Action = Callable[[Record], object]
CompanyAction = Callable[[Company, Record], object]
"""Something that is done with one company's data."""
Actions = dict[tuple[str, str], CompanyAction]


class Control:
    """Reads and changes a world from outside bexio's API."""

    def __init__(self, world: World, more: Actions | None = None) -> None:
        self._world = world
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "state"): self._state,
            ("GET", "trial-balance"): self._trial_balance,
            ("GET", "invoices"): self._invoices,
            ("GET", "contacts"): self._contacts,
            ("GET", "articles"): self._articles,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._clear_requests,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "companies"): self._add_company,
            ("POST", "tokens"): self._add_token,
            ("DELETE", "tokens"): self._revoke_token,
            ("POST", "outage"): self._outage,
            ("POST", "limits"): self._limits,
            ("POST", "rules"): self._rules,
            ("POST", "actions/pay"): self._pay,
            ("POST", "actions/write-off"): self._write_off,
            ("POST", "actions/cancel"): self._cancel,
            ("POST", "actions/archive-contact"): self._archive_contact,
            ("POST", "actions/create-contact"): self._create_contact,
            ("POST", "actions/edit-contact"): self._edit_contact,
            ("POST", "actions/rename-contact"): self._edit_contact,
            ("POST", "actions/create-article"): self._create_article,
            ("POST", "actions/edit-article"): self._edit_article,
            ("POST", "actions/delete-article"): self._delete_article,
            ("POST", "actions/add-account"): self._add_account,
            ("POST", "actions/set-account"): self._set_account,
            ("POST", "actions/set-tax"): self._set_tax,
            **{
                (method, name): self._bound(action)
                for (method, name), action in (bookkeeping.ACTIONS | accounting_periods.ACTIONS | (more or {})).items()
            },
            **RealmControl(world).actions(),
        }

    def perform(self, inbound: Inbound) -> Reply:
        """Answer one control request; a refusal is `{"error": text}`."""
        action = self._actions.get((inbound.method, inbound.path.removeprefix(PREFIX).rstrip("/") or "state"))
        self._world.settle()
        try:
            if action is None:
                known = ", ".join(sorted(f"{method} {PREFIX}{name}" for method, name in self._actions))
                raise NotFound(f"known are {known}")
            given = parsed(inbound.body) if inbound.body else dict(parse_qsl(inbound.query))
            if not isinstance(given, dict):
                raise BadRequest("a JSON object is expected")
            return as_json(action(cast("Record", given)))
        except BexioError as error:
            return as_json({"error": error.message, "errors": list(error.errors or ())}, error.status)
        except KeyError as error:
            return as_json({"error": f"{error} is missing"}, 400)
        except (ValueError, TypeError, AttributeError) as error:
            return as_json({"error": str(error)}, 400)

    def _bound(self, action: CompanyAction) -> Action:
        return lambda given: action(self._company(given), given)

    def _company(self, given: Mapping[str, object]) -> Company:
        return self._world.company(cast("str | None", given.get("company")))

    def _invoice(self, given: Record) -> Document:
        """By `invoice_id`, `document_nr` or `api_reference`."""
        company = self._company(given)
        if "invoice_id" in given:
            return company.invoices[given["invoice_id"]]
        for invoice in company.invoices:
            if invoice.number == given.get("document_nr") or (
                "api_reference" in given and invoice.api_reference == given["api_reference"]
            ):
                return invoice
        raise NotFound("there is no such invoice")

    def _state(self, _given: Record) -> object:
        return {
            "now": self._world.now().isoformat(),
            "outage": self._world.outage,
            "companies": [_summary(company) for company in self._world.companies.values()],
            "faults": [rule.report() for rule in self._world.faults.rules],
        }

    def _trial_balance(self, given: Record) -> object:
        rows = self._company(given).ledger.trial_balance()
        return {
            "rows": [
                {
                    "account_no": row.account_no,
                    "name": row.name,
                    "debit": f"{row.debit:.2f}",
                    "credit": f"{row.credit:.2f}",
                    "balance": f"{row.balance:.2f}",
                }
                for row in rows
            ],
            "debit": f"{sum(row.debit for row in rows):.2f}",
            "credit": f"{sum(row.credit for row in rows):.2f}",
        }

    def _invoices(self, given: Record) -> object:
        company = self._company(given)
        return [
            {
                **invoices.detailed(company, invoice),
                "is_sent": invoice.is_sent,
                "payments": [payments.row(payment) for payment in payments.of(company, invoice)],
            }
            for invoice in company.invoices
        ]

    def _requests(self, given: Record) -> object:
        """`company` narrows, `latest` (100) is how many are listed."""
        log = self._company(given).requests if "company" in given else self._world.requests
        return log.report(int(given.get("latest", 100)))

    def _clear_requests(self, _given: Record) -> object:
        self._world.requests.clear()
        for company in self._world.companies.values():
            company.requests.clear()
        return self._world.requests.report()

    def _list_faults(self, _given: Record) -> object:
        return [rule.report() for rule in self._world.faults.rules]

    def _add_fault(self, given: Record) -> object:
        return self._world.faults.add(read_rule(given)).report()

    def _clear_faults(self, _given: Record) -> object:
        struck = self._list_faults({})
        self._world.faults.clear()
        return struck

    def _add_company(self, given: Record) -> object:
        """`{company, name, token?, seed: "shop" | "fresh"}`."""
        start = {"shop": seed_shop, "fresh": seed_fresh}[given.get("seed", "shop")]
        company = start(self._world, company_id=given["company"], name=given["name"])
        if "token" in given:
            self._world.add_token(company.id, given["token"])
        return _summary(company)

    def _add_token(self, given: Record) -> object:
        """`{company?, token, user_id?, scopes?, expires_at?}`."""
        company = self._company(given)
        until = given.get("expires_at")
        self._world.add_token(
            company.id,
            given["token"],
            int(given.get("user_id", 1)),
            frozenset(given["scopes"]) if "scopes" in given else ALL,
            None if until is None else datetime.fromisoformat(until),
        )
        return {"company": company.id, "user_id": given.get("user_id", 1)}

    def _revoke_token(self, given: Record) -> object:
        self._world.revoke_token(given["token"])
        return {}

    def _outage(self, given: Record) -> object:
        """`{mode: "unavailable" | "refused" | null, company?}`; without a company, all of bexio."""
        mode = given["mode"]
        if mode not in {None, "unavailable", "refused"}:
            raise BadRequest("mode is unavailable, refused or null")
        if "company" in given:
            self._company(given).outage = mode
        else:
            self._world.outage = mode
        return {"mode": mode}

    def _limits(self, given: Record) -> object:
        """`{enabled?, window_seconds?, general?, search?, article?}`; what was used is forgotten."""
        limits = self._world.limits
        limits.enabled = bool(given.get("enabled", limits.enabled))
        limits.window_seconds = float(given.get("window_seconds", limits.window_seconds))
        for bucket in Bucket:
            limits.numbers[bucket] = int(given.get(bucket.value, limits.numbers[bucket]))
        limits.clear()
        numbers = {bucket.value: number for bucket, number in limits.numbers.items()}
        return {"enabled": limits.enabled, "window_seconds": limits.window_seconds, **numbers}

    def _rules(self, given: Record) -> object:
        """Any fields of `Rules`, for one company."""
        rules = self._company(given).rules
        for name, value in given.items():
            if name != "company":
                setattr(rules, name, type(getattr(rules, name))(value))
        return {name: getattr(rules, name) for name in rules.__slots__}

    def _pay(self, given: Record) -> object:
        """`{invoice_id | document_nr | api_reference, value?, date?, bank_account_id?}`; default: the open amount."""
        company, invoice = self._company(given), self._invoice(given)
        fields = {name: given[name] for name in ("date", "bank_account_id") if name in given}
        payment = payments.pay(company, invoice, {**fields, "value": given.get("value", str(invoice.open_amount))})
        return payments.row(payment)

    def _write_off(self, given: Record) -> object:
        company, invoice = self._company(given), self._invoice(given)
        invoices.write_off(company, invoice)
        return invoices.shown(invoice)

    def _cancel(self, given: Record) -> object:
        company, invoice = self._company(given), self._invoice(given)
        invoices.cancel(company, invoice)
        return invoices.shown(invoice)

    def _archive_contact(self, given: Record) -> object:
        """`{contact_id, archived?}`."""
        contacts.archive(self._company(given), given["contact_id"], archived=bool(given.get("archived", True)))
        return {}

    def _contacts(self, given: Record) -> object:
        """All of them, archived ones too."""
        return list(self._company(given).contacts)

    def _articles(self, given: Record) -> object:
        return list(self._company(given).articles)

    def _create_contact(self, given: Record) -> object:
        """`{...fields of a contact}`; its user and owner are the first user unless said otherwise."""
        return contacts.create(self._company(given), {"user_id": 1, "owner_id": 1} | _fields(given))

    def _edit_contact(self, given: Record) -> object:
        """`{contact_id, ...fields of a contact}`."""
        return contacts.edit(self._company(given), given["contact_id"], _fields(given))

    def _create_article(self, given: Record) -> object:
        """`{...fields of an article}`."""
        return articles.add(self._company(given), _fields(given))

    def _edit_article(self, given: Record) -> object:
        """`{article_id, ...fields of an article}`."""
        return articles.edit(self._company(given), given["article_id"], _fields(given))

    def _delete_article(self, given: Record) -> object:
        """`{article_id}`."""
        return articles.remove(self._company(given), given["article_id"])

    def _add_account(self, given: Record) -> object:
        """`{account_no, name, account_type}`: a person makes an account, which the API cannot."""
        usual = {"tax_id": None, "fibu_account_group_id": 46, "is_active": True, "is_locked": False}
        wanted = {name: given[name] for name in ("account_no", "name", "account_type")}
        return fill(self._company(given), "accounts", {**wanted, **usual})

    def _set_account(self, given: Record) -> object:
        """`{account_no, is_active?, name?}`."""
        return _set(self._company(given).account(given["account_no"]), given, ("is_active", "name"))

    def _set_tax(self, given: Record) -> object:
        """`{code, is_active}`."""
        return _set(self._company(given).tax(given["code"]), given, ("is_active",))


def _fields(given: Record) -> Record:
    return {name: value for name, value in given.items() if name not in {"company", "contact_id", "article_id"}}


def _set(row: Record, given: Record, names: tuple[str, ...]) -> Record:
    row.update({name: given[name] for name in names if name in given})
    return row


def _summary(company: Company) -> Record:
    statuses: dict[str, int] = {}
    for invoice in company.invoices:
        statuses[str(invoice.status)] = statuses.get(str(invoice.status), 0) + 1
    return {
        "id": company.id,
        "name": company.name,
        "outage": company.outage,
        "contacts": len(company.contacts),
        "articles": len(company.articles),
        "invoices": len(company.invoices),
        "invoices_by_status": statuses,
        "orders": len(company.orders),
        "payments": len(company.payments),
        "manual_entries": len(company.manual_entries),
        "mails": len(company.mails),
        "receivables": f"{company.ledger.balance('1100'):.2f}",
    }
