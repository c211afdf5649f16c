"""Where tenants may send us: public https hosts only, checked for every request, not only when set.

A tenant names its Arcavis host. Without this check that host could be our own network, or a cloud's metadata
service. Requests go to the checked address itself, so a name that changes its answer gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from app.connectors.clients import CONNECTIONS, Connect, Upstream
from app.core.errors import InvalidInput

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

HTTPS_PORT = 443
LOOKUP_SECONDS = 5.0
_TRIED_ADDRESSES = 3
# Everything else in IPv6 is reserved, local, or IPv4 in disguise (mapped, NAT64).
_IPV6_UNICAST = IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20"))
_REFUSED_IPV4 = tuple(
    IPv4Network(net)
    # Protocol assignments, relays to IPv6, and Azure's metadata service, which has a public address.
    for net in (
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "168.63.129.16/32",
    )
)
_NEARBY: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(net) for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fd00::/8")
)
# The metadata service that Amazon put into a private network.
_METADATA_IPV6 = IPv6Network("fd00:ec2::/32")


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order of preference.

    Raises:
        OSError: the name has none.
    """
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("No name can look like this.") from error
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(address: str) -> bool:
    """True for an address that anybody in the internet could reach, and nobody only from here."""
    ip = _parsed(address)
    if isinstance(ip, IPv6Address):
        return ip in _IPV6_UNICAST and ip.is_global and not any(ip in net for net in _REFUSED_IPV6)
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _REFUSED_IPV4)


def is_nearby(address: str) -> bool:
    """True for this machine and private networks, but no link-local, metadata or multicast address."""
    ip = _parsed(address)
    return any(ip in net for net in _NEARBY) and ip not in _METADATA_IPV6


class Egress:
    """The rule for outgoing addresses. `allow_private` (development, sandbox) adds http and nearby hosts."""

    def __init__(self, *, allow_private: bool = False, resolve: Resolve = resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve

    async def check(self, url: str) -> str:
        """The base URL in its plain form, without a slash at its end.

        Raises:
            InvalidInput: `arcavis-url-not-allowed`; `reason` says why.
        """
        parsed = self._shape(url)
        try:
            await self.addresses(parsed.host, parsed.port or HTTPS_PORT)
        except OSError as error:
            raise _refused("unknown-host") from error
        return str(parsed).rstrip("/")

    async def addresses(self, host: str, port: int) -> list[str]:
        """The host's addresses, all of them allowed.

        Raises:
            InvalidInput: one of them is not.
            OSError: the name has none.
        """
        found = await self._resolve(host, port)
        if not found:
            raise OSError("The name has no address.")
        if not all(self._allowed(address) for address in found):
            raise _refused("private-address")
        return found

    def allows_scheme(self, scheme: str) -> bool:
        """Whether requests may go by https (always) or http (development)."""
        return scheme == "https" or (self._allow_private and scheme == "http")

    def _allowed(self, address: str) -> bool:
        return is_public(address) or (self._allow_private and is_nearby(address))

    def _shape(self, url: str) -> httpx.URL:
        try:
            # Twice: a capital scheme hides the default port from the first reading.
            parsed = httpx.URL(str(httpx.URL(url)))
        except (httpx.InvalidURL, ValueError) as error:
            raise _refused("not-a-url") from error
        odd_port = parsed.port not in {None, HTTPS_PORT} and not self._allow_private
        reasons = {
            "scheme": not self.allows_scheme(parsed.scheme),
            "host": not parsed.host,
            "userinfo": bool(parsed.userinfo),
            "port": odd_port,
            "query": bool(parsed.query) or bool(parsed.fragment) or "?" in url or "#" in url,
        }
        for reason, applies in reasons.items():
            if applies:
                raise _refused(reason)
        return parsed


class PinnedTransport(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked for this very request, under the name that was asked for."""

    def __init__(self, egress: Egress, inner: httpx.AsyncBaseTransport) -> None:
        self._egress = egress
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends to the first address that takes a connection.

        Raises:
            InvalidInput: the host is not allowed (any more).
        """
        url, host = request.url, request.url.host
        if not self._egress.allows_scheme(url.scheme):
            raise _refused("scheme")
        try:
            addresses = await self._egress.addresses(host, url.port or HTTPS_PORT)
        except OSError as error:
            raise httpx.ConnectError("The host has no address.", request=request) from error
        extensions = {**request.extensions, "sni_hostname": host}
        tried = addresses[:_TRIED_ADDRESSES]
        for address in tried:
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == tried[-1]:
                    raise
        raise AssertionError("There is at least one address.")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()


def network(egress: Egress) -> Connect:
    """Connections over the network, with one TLS context for all: those to Arcavis are checked and pinned."""
    context = httpx.create_ssl_context()

    def connect(upstream: Upstream) -> httpx.AsyncBaseTransport:
        return _connection(context, egress, upstream)

    return connect


def _connection(context: ssl.SSLContext, egress: Egress, upstream: Upstream) -> httpx.AsyncBaseTransport:
    direct = httpx.AsyncHTTPTransport(verify=context, limits=CONNECTIONS, trust_env=False)
    return PinnedTransport(egress, direct) if upstream.system == "arcavis" else direct


def _parsed(address: str) -> Address:
    # A link-local answer may carry its interface: fe80::1%eth0.
    return ip_address(address.partition("%")[0])


def _refused(reason: str) -> InvalidInput:
    return InvalidInput("arcavis-url-not-allowed", reason=reason)
