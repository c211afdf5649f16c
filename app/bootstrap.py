"""From settings to everything a process needs: built here, opened and closed in one place."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import idempotency, tracing
from app.api.assembly import Options, assemble
from app.api.auth import hash_key
from app.capabilities.articles import router as articles
from app.capabilities.articles.examining import ArticlesExaminer
from app.capabilities.articles.handler import NIGHTLY, ImportHandler, NightlyHandler
from app.capabilities.articles.importing import KIND as ARTICLES
from app.capabilities.attention import router as attention
from app.capabilities.audit import router as audit
from app.capabilities.bookings import entries_router, export_router
from app.capabilities.bookings import journal_router as booking_journal
from app.capabilities.bookings import preview_router as booking_preview
from app.capabilities.bookings import rules_router as booking_rules
from app.capabilities.bookings.daily import KIND as DAILY_BOOKINGS
from app.capabilities.bookings.daily import DailyHandler
from app.capabilities.bookings.examining import BookingsExaminer
from app.capabilities.bookings.export_service import ExportService
from app.capabilities.bookings.exporting import ExportHandler
from app.capabilities.bookings.exports import EXPORT, REVERSE
from app.capabilities.bookings.planner import Planner
from app.capabilities.bookings.rules_service import Rules as BookingRules
from app.capabilities.connection import choices_router as choices
from app.capabilities.connection import oauth_router as oauth
from app.capabilities.connection import router as connection
from app.capabilities.connection.arrival import CONNECT, ConnectArrival
from app.capabilities.connection.doctor import Examiner
from app.capabilities.connection.ending import Ending
from app.capabilities.connection.keeping import KEEP, KeepHandler
from app.capabilities.contacts import pushing, resolving
from app.capabilities.contacts import router as contacts
from app.capabilities.contacts.periodic import PeriodicHandler
from app.capabilities.contacts.progress import RUN_KINDS
from app.capabilities.contacts.running import PERIODIC, RunHandler
from app.capabilities.contacts.service import ContactsService
from app.capabilities.contacts.sides import Opening
from app.capabilities.documents.following import KIND as FOLLOW
from app.capabilities.documents.following import FollowHandler
from app.capabilities.documents.handler import DocumentHandler
from app.capabilities.documents.records import KIND as DOCUMENT
from app.capabilities.documents.service import Documents
from app.capabilities.invoices import router as invoices
from app.capabilities.invoices.open_invoices import KIND as PAYMENT
from app.capabilities.invoices.open_invoices import OpenInvoicesService, PaymentHandler
from app.capabilities.linking.service import Linking
from app.capabilities.mailing.digest import KIND as DIGEST
from app.capabilities.mailing.digest import DigestHandler
from app.capabilities.mailing.handler import MailHandler
from app.capabilities.mailing.outbox import KIND as MAIL
from app.capabilities.orders import router as orders
from app.capabilities.provisioning import router as provisioning
from app.capabilities.provisioning.arrival import PURPOSE as PROVISION
from app.capabilities.provisioning.arrival import ProvisionArrival
from app.capabilities.provisioning.imports import Imports, StartRun
from app.capabilities.provisioning.intake import KIND as SAGA
from app.capabilities.provisioning.intake import Intake
from app.capabilities.provisioning.payment_type import PaymentTypes
from app.capabilities.provisioning.saga import MadeRules, Saga
from app.capabilities.provisioning.signature import Signatures, signatures
from app.capabilities.provisioning.steps import Step
from app.capabilities.runs import router as runs
from app.capabilities.settings import router as tenant_settings
from app.capabilities.sign_in import records as sign_ins
from app.capabilities.sign_in.arrivals import Arrival
from app.capabilities.sign_in.service import SignIns
from app.capabilities.tenancy.configs import Configs
from app.capabilities.tenancy.guard import ConnectionWatch, Guarded
from app.capabilities.tenants import router as tenants
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.hosting import Hosting
from app.connectors.bexio.reference import ReferenceData
from app.connectors.budget import Budgets
from app.connectors.circuit import Circuits
from app.connectors.clients import Connect, HttpClients
from app.connectors.egress import Egress, network
from app.connectors.mail import Mailer, mail_server, sender_address
from app.connectors.oidc.client import App, OidcClient, oidc_client
from app.connectors.renewals import Renewals
from app.core.clock import Clock
from app.core.metrics import Metrics
from app.core.milestones import Probe, log_milestone
from app.core.priority import Priority
from app.core.vault import Vault, generate_key
from app.db import embedded, migrate
from app.db.clock import ALIGN_SECONDS, DatabaseClock
from app.db.session import Database
from app.jobs import runs as job_runs
from app.jobs.engine import Chore, Worker, forget_old_jobs
from app.jobs.work import Handler, WorkLoop
from app.settings import Settings

KEY_FILE = "encryption.key"
# Work that every connected tenant has; see `app.capabilities.tenancy.standing`.
STANDING: tuple[str, ...] = (FOLLOW, DIGEST, KEEP, PERIODIC, DAILY_BOOKINGS, NIGHTLY)


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a process holds; the same for `serve` and `worker`."""

    settings: Settings
    chance: Random
    db: Database
    clock: Clock
    vault: Vault
    egress: Egress
    clients: HttpClients
    remotes: RemoteAccess
    reference: ReferenceData
    configs: Configs
    metrics: Metrics
    operator_key_hash: bytes | None
    documents: Documents
    open_invoices: OpenInvoicesService
    contacts: ContactsService
    planner: Planner
    booking_exports: ExportService
    examiners: tuple[Examiner, ...]
    oidc: OidcClient
    renewals: Renewals
    linking: Linking
    ending: Ending
    sign_ins: SignIns
    arrivals: Mapping[str, Arrival]
    standing: tuple[str, ...]
    mailer: Mailer
    marketplace: Signatures
    intake: Intake


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncGenerator[str]:
    """The database that the settings name, or the embedded one, started and brought to this version's schema."""
    if settings.database_url is not None:
        url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")
        yield url.render_as_string(hide_password=False)
        return
    server = await embedded.start(settings.data_dir / "postgres")
    try:
        await migrate.upgrade(server.url)
        yield server.url
    finally:
        await server.stop()


@asynccontextmanager
async def open_resources(
    settings: Settings, *, clock: Clock | None = None, connect: Connect | None = None
) -> AsyncGenerator[Resources]:
    """Builds and opens everything. Tests and simulations hand in their own clock and connections."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        db = Database(url, overflow=settings.worker_concurrency)
        stack.push_async_callback(db.close)
        egress = Egress(allow_private=settings.allow_private_hosts)
        clients = HttpClients(connect or network(egress))
        stack.push_async_callback(clients.close)
        resources = build(settings, db, clock or await _database_clock(db), egress, clients)
        # Tokens that bexio is about to answer with must still reach the database.
        stack.push_async_callback(resources.renewals.close)
        yield resources


async def _database_clock(db: Database) -> DatabaseClock:
    clock = DatabaseClock(db)
    await clock.align()
    return clock


def build(
    settings: Settings, db: Database, clock: Clock, egress: Egress, clients: HttpClients, chance: Random | None = None
) -> Resources:
    """Puts the parts together; touches neither database nor network. All jitter is drawn from `chance`."""
    chance = chance or Random()  # noqa: S311 - jitter
    vault = Vault(_keyring(settings))
    circuits = Circuits(db, clock)
    oidc = _oidc(settings, clients, circuits, clock)
    renewals = Renewals(db, vault, clock, oidc, ConnectionWatch())
    remotes = RemoteAccess(
        db=db,
        vault=vault,
        clients=clients,
        budgets=Budgets(db, clock),
        circuits=circuits,
        clock=clock,
        bexio_url=settings.bexio_api_url,
        renewals=renewals,
        jitter=chance.random,
    )
    linking = Linking(vault, remotes, STANDING)
    intake = Intake(db, clock, vault, oidc, linking)
    configs = Configs(db)
    reference = ReferenceData(db, clock)
    planner = Planner(db, clock, remotes, reference)
    key = settings.operator_key
    return Resources(
        settings=settings,
        chance=chance,
        db=db,
        clock=clock,
        vault=vault,
        egress=egress,
        clients=clients,
        remotes=remotes,
        reference=reference,
        configs=configs,
        metrics=Metrics(),
        operator_key_hash=hash_key(key.get_secret_value()) if key else None,
        documents=Documents(db, clock, configs, remotes),
        open_invoices=OpenInvoicesService(db, clock, remotes, reference),
        contacts=ContactsService(db, clock),
        planner=planner,
        booking_exports=ExportService(db, clock, planner),
        examiners=(BookingsExaminer(db, clock, remotes, reference), ArticlesExaminer(db, remotes, reference)),
        standing=STANDING,
        mailer=_mailer(settings),
        oidc=oidc,
        renewals=renewals,
        linking=linking,
        ending=Ending(db, clock, vault, oidc),
        sign_ins=SignIns(db, clock, oidc, settings.public_url.rstrip("/")),
        arrivals={CONNECT: ConnectArrival(db, clock, linking), PROVISION: ProvisionArrival(intake)},
        marketplace=_marketplace(settings),
        intake=intake,
    )


def _marketplace(settings: Settings) -> Signatures:
    """Whose webhooks are believed; without a secret nobody's."""
    secret = settings.marketplace_secret
    return signatures(secret.get_secret_value() if secret is not None else None)


def _mailer(settings: Settings) -> Mailer:
    """The way out for mail; without a server, one that says so."""
    given = settings.mail_from or f"connector@{urlsplit(settings.public_url).hostname or 'localhost'}"
    url = settings.smtp_url
    return Mailer(mail_server(url.get_secret_value()) if url is not None else None, sender_address(given))


def _oidc(settings: Settings, clients: HttpClients, circuits: Circuits, clock: Clock) -> OidcClient:
    """The sign-in of bexio; without an application of ours only personal tokens connect."""
    issuer = settings.bexio_issuer_url.rstrip("/")
    if not (issuer.startswith("https://") or settings.allow_private_hosts):
        raise SystemExit("CONNECTOR_BEXIO_ISSUER_URL must begin with https://.")
    name, secret = settings.bexio_client_id, settings.bexio_client_secret
    app = App(name, secret.get_secret_value()) if name is not None and secret is not None else None
    return oidc_client(issuer, app, clients, circuits, clock)


def _keyring(settings: Settings) -> str:
    """The keys of the settings; beside an embedded database a key file is made, once."""
    if settings.encryption_keys is not None:
        return settings.encryption_keys.get_secret_value()
    if settings.database_url is not None:
        raise SystemExit("CONNECTOR_ENCRYPTION_KEYS is missing. Make one with `connector keys generate`.")
    return _key_file(settings.data_dir / KEY_FILE)


def _key_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := generate_key("local"))
    return key


def application(resources: Resources) -> FastAPI:
    """The HTTP application over the resources."""
    settings = resources.settings
    options = Options(
        requests_per_minute=settings.requests_per_minute,
        tracer_provider=tracing.provider() if settings.otel else None,
    )
    capabilities = (
        invoices,
        orders,
        articles,
        tenants,
        connection,
        oauth,
        choices,
        tenant_settings,
        attention,
        runs,
        audit,
        booking_rules,
        booking_preview,
        booking_journal,
        export_router,
        contacts,
        entries_router,
        provisioning,
    )
    return assemble(resources, [one.router for one in capabilities], options)


def handlers(resources: Resources) -> Mapping[str, Handler]:
    """Who does which kind of durable work."""
    settings, remotes, clock = resources.settings, resources.remotes, resources.clock
    settle = timedelta(seconds=settings.settle_seconds)
    opening = Opening(remotes, resources.reference, settle)
    kinds: dict[str, Handler] = {
        DOCUMENT: DocumentHandler(remotes, resources.reference, clock, settle),
        PAYMENT: PaymentHandler(remotes, resources.reference, clock, settle),
        MAIL: MailHandler(resources.mailer, resources.vault, clock),
        DIGEST: DigestHandler(clock),
        EXPORT: (exporting := ExportHandler(resources.planner, clock, settle)),
        REVERSE: exporting,
        DAILY_BOOKINGS: DailyHandler(remotes, clock),
        KEEP: KeepHandler(resources.db, clock, resources.renewals, resources.ending),
        **dict.fromkeys(RUN_KINDS, RunHandler(opening, clock)),
        pushing.KIND: pushing.PushHandler(opening, clock),
        resolving.KIND: resolving.ResolveHandler(opening, clock),
        PERIODIC: PeriodicHandler(clock, resources.chance.random),
        ARTICLES: ImportHandler(remotes, resources.reference, clock, settle),
        NIGHTLY: NightlyHandler(clock),
        SAGA: saga(resources),
        FOLLOW: FollowHandler(remotes, clock, timedelta(seconds=settings.follow_seconds)),
    }
    return {kind: Guarded(handler, clock) for kind, handler in kinds.items()}


def saga(resources: Resources) -> Saga:
    """The work that makes a new shop: its imports are runs that the capabilities of contacts and articles do."""
    settings, clock = resources.settings, resources.clock
    key = settings.arcavis_hosting_key
    rules = BookingRules(resources.db, clock, resources.remotes, resources.reference)

    async def make_rules(tenant: UUID, language: str) -> MadeRules:
        made = await rules.make_defaults(tenant, "system", language)
        return MadeRules(made.made, made.findings)

    return Saga(
        clock=clock,
        vault=resources.vault,
        egress=resources.egress,
        remotes=resources.remotes,
        hosting=Hosting(
            settings.arcavis_hosting_url, key.get_secret_value() if key else None, resources.clients, clock
        ),
        payment_types=PaymentTypes(resources.remotes, clock, timedelta(seconds=settings.settle_seconds)),
        imports=Imports(clock, {Step.CONTACTS: _import("contacts.import"), Step.ARTICLES: _import("articles.import")}),
        make_rules=make_rules,
    )


def _import(kind: str) -> StartRun:
    async def start(session: AsyncConnection, tenant: UUID, now: datetime) -> UUID:
        detail = {"dry_run": False}
        return await job_runs.create(session, tenant=tenant, kind=kind, priority=Priority.BULK, now=now, detail=detail)

    return start


def worker(resources: Resources, *, probe: Probe = log_milestone) -> Worker:
    """The worker over the resources."""
    loop = WorkLoop(resources.db, resources.clock, handlers(resources), probe, resources.chance)
    return Worker(resources.db, loop, chores(resources), resources.settings.worker_concurrency)


def chores(resources: Resources) -> list[Chore]:
    """What is thrown away when it is old, and what must not go wrong unnoticed."""
    db, clock = resources.db, resources.clock
    own_clock = [Chore("clock", ALIGN_SECONDS, clock.align)] if isinstance(clock, DatabaseClock) else []
    return [
        *own_clock,
        Chore("idempotency-keys", 600.0, lambda: idempotency.purge(db, clock.now())),
        # A code that was exchanged must not wait for long: what it gave ends within the hour.
        Chore("activations", 5.0, resources.intake.resume),
        Chore("sign-ins", 3600.0, lambda: sign_ins.purge(db, clock.now())),
        Chore("job-log", 3600.0, lambda: forget_old_jobs(db, clock.now())),
    ]
