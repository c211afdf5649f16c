"""What people and tests do to the realm from outside: register, revoke, expire, forge, change keys and rights."""

from collections.abc import Callable
from typing import Any, cast, get_args

from sandbox.bexio.company import Company
from sandbox.bexio.errors import BadRequest
from sandbox.bexio.fresh import fill
from sandbox.bexio.realm import CLIENT_ID, CLIENT_SECRET, Forgery, Session
from sandbox.bexio.values import Record
from sandbox.bexio.world import World

Action = Callable[[Record], object]
_SIGNATURES = get_args(Forgery.__annotations__["signature"])


class RealmControl:
    """The control API's part under `realm/`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def actions(self) -> dict[tuple[str, str], Action]:
        """By method and name."""
        return {
            ("GET", "realm/sessions"): self._sessions,
            ("POST", "realm/client"): self._client,
            ("POST", "realm/rules"): self._rules,
            ("POST", "realm/forge"): self._forge,
            ("POST", "realm/rotate-keys"): self._rotate,
            ("POST", "realm/revoke"): self._revoke,
            ("POST", "realm/expire"): self._expire,
            ("POST", "realm/rights"): self._rights,
            ("POST", "realm/users"): self._users,
        }

    def _company(self, given: Record) -> Company:
        return self._world.company(cast("str | None", given.get("company")))

    def _sessions(self, _given: Record) -> object:
        return [_shown(session) for session in self._world.realm.sessions.values()]

    def _client(self, given: Record) -> object:
        """`{redirect_uris, client_id?, client_secret?, name?}`."""
        client = self._world.realm.register(
            *given["redirect_uris"],
            client_id=given.get("client_id", CLIENT_ID),
            secret=given.get("client_secret", CLIENT_SECRET),
            name=given.get("name", "Arcavis"),
        )
        return {"client_id": client.id, "client_secret": client.secret, "redirect_uris": sorted(client.redirect_uris)}

    def _rules(self, given: Record) -> object:
        """Any fields of `RealmRules`."""
        rules = self._world.realm.rules
        for name, value in given.items():
            setattr(rules, name, type(getattr(rules, name))(value))
        return {name: getattr(rules, name) for name in rules.__slots__}

    def _forge(self, given: Record) -> object:
        """`{claims?, signature?}`; without any, id_tokens are right again."""
        signature = given.get("signature", "right")
        if signature not in _SIGNATURES:
            raise BadRequest(f"signature is one of {', '.join(_SIGNATURES)}")
        self._world.realm.forgery = Forgery(dict(given.get("claims", {})), signature)
        return given

    def _rotate(self, given: Record) -> object:
        """`{withdraw?}`."""
        return {"kid": self._world.realm.keys.rotate(withdraw=bool(given.get("withdraw", False)))}

    def _revoke(self, given: Record) -> object:
        """`{company?, access_tokens?}`: the customer takes the application's access away."""
        ended = list(self._world.realm.of_company(self._company(given).id))
        for session in ended:
            session.is_ended = True
            for token in session.access_tokens if given.get("access_tokens", True) else ():
                self._world.revoke_token(token)
        return {"ended": len(ended)}

    def _expire(self, given: Record) -> object:
        """`{company?}`: access tokens end now, refresh tokens live on."""
        tokens = [t for session in self._world.realm.of_company(self._company(given).id) for t in session.access_tokens]
        for token in tokens:
            self._world.revoke_token(token)
        return {"expired": len(tokens)}

    def _rights(self, given: Record) -> object:
        """`{company?, user_id?, right, value}`: all, own or none."""
        rights = self._company(given).rights.setdefault(int(given.get("user_id", 1)), {})
        rights[given["right"]] = given["value"]
        return rights

    def _users(self, given: Record) -> object:
        """`{company?, firstname, lastname, email}`: another user of the company."""
        fields: dict[str, Any] = {name: given[name] for name in ("firstname", "lastname", "email")}
        more = {"salutation_type": "male", "is_superadmin": False, "is_accountant": False}
        return fill(self._company(given), "users", {**more, **fields})


def _shown(session: Session) -> Record:
    return {
        "id": session.id,
        "company": session.member.company.id,
        "user_id": session.member.user["id"],
        "scopes": sorted(session.scopes),
        "is_ended": session.is_ended,
        "refreshes": session.refreshes,
        "refused": session.refused,
    }
