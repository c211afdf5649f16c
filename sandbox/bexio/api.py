"""The simulated API without its faults: token, outage, limit, path, scope, then the resource.

Synchronous, so that a request happens whole or not at all.
"""

from urllib.parse import parse_qsl

from sandbox.bexio import (
    articles,
    contacts,
    invoices,
    journal,
    lines,
    manual_entries,
    masterdata,
    orders,
    payments,
    taxes,
)
from sandbox.bexio.call import Answer, Call, Route, Routes
from sandbox.bexio.errors import BexioError, Forbidden, Invalid, NotFound, TooManyRequests
from sandbox.bexio.limits import Standing
from sandbox.bexio.openid.endpoints import PREFIX, OpenId
from sandbox.bexio.wire import NUMBER, Inbound, Reply, as_json, bearer_of, parsed
from sandbox.bexio.world import Token, World

_COMPONENTS = {"accounting": "fibu", "bank_account_show": "banking", "stock_edit": "article"}


class Api:
    """Answers requests over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._openid = OpenId(world)
        self._routes: Routes = {
            **contacts.routes(),
            **articles.routes(),
            **masterdata.routes(),
            **invoices.routes(),
            **payments.routes(),
            **orders.routes(),
            **lines.routes(),
            **taxes.routes(),
            **manual_entries.routes(),
            **journal.routes(),
        }

    def perform(self, inbound: Inbound) -> Reply:
        """Do what is asked and answer it."""
        if inbound.path.startswith(f"{PREFIX}/"):
            return self._openid.perform(inbound)
        headers: dict[str, str] = {}
        try:
            token = self.world.token(bearer_of(inbound))
            route = self._route(inbound)
            standing = self.world.limits.take(token.company_id, route.bucket, self.world.now())
            headers = {} if standing is None else standing.headers()
            return self._answer(inbound, token, route, standing, headers)
        except BexioError as error:
            return as_json(error.body(), error.status, headers)

    def _answer(
        self, inbound: Inbound, token: Token, route: Route, standing: Standing | None, headers: dict[str, str]
    ) -> Reply:
        if standing is not None and standing.exceeded:
            raise TooManyRequests("API rate limit exceeded")
        for scope in route.scopes:
            if not token.allows(scope):
                raise Forbidden(f"The access token lacks the scope {scope}.")
            if self.world.company(token.company_id).may(token.user_id, component_of(scope)) == "none":
                raise Forbidden("The user is not allowed to do this.")
        answer = route.answer(self._call(inbound, token))
        return as_json(answer.content, answer.status, {**answer.headers, **headers})

    def _route(self, inbound: Inbound) -> Route:
        route = self._routes.get((inbound.method, inbound.route))
        if route is not None:
            return route
        if inbound.method == "PUT" and inbound.path.startswith("/2.0/kb_"):
            return Route(_put_on_a_document)
        return Route(_unknown_path)

    def _call(self, inbound: Inbound, token: Token) -> Call:
        return Call(
            company=self.world.company(token.company_id),
            user_id=token.user_id,
            ids=tuple(int(each) for each in NUMBER.findall(inbound.path)),
            query=dict(parse_qsl(inbound.query, keep_blank_values=True)),
            body=parsed(inbound.body),
            allows=token.allows,
        )


def component_of(scope: str) -> str:
    """The part of bexio that a scope opens, as a user's rights name it."""
    return _COMPONENTS.get(scope) or scope.removesuffix("_show").removesuffix("_edit")


def _unknown_path(_call: Call) -> Answer:
    raise NotFound("The requested resource does not exist.")


def _put_on_a_document(_call: Call) -> Answer:
    """A 2.0 document is edited by POST; PUT gives a 422 without detail."""
    raise Invalid("The form could not be saved due to the following errors:", [])
