from __future__ import annotations

import httpx
import pytest

from app.connectors.clients import HttpClients, Upstream
from app.connectors.egress import Egress, PinnedTransport, Resolve, is_public, network
from app.core.errors import InvalidInput

PUBLIC_V4, PUBLIC_V6 = "185.199.108.153", "2a00:1450:400a:800::2004"
REFUSED = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "168.63.129.16",
    "224.0.0.1", "233.252.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:185.199.108.153",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::b9c7:6c99", "64:ff9b:1::7f00:1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:c0a8:101::1", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip


def answers(**hosts: list[str]) -> Resolve:
    """A resolver that knows these names (dots written as `__`) and takes literals as they are."""

    async def resolve(host: str, port: int) -> list[str]:
        known = {name.replace("__", "."): found for name, found in hosts.items()}
        if host not in known:
            raise OSError("unknown name")
        return known[host]

    return resolve


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_only_we_could_reach_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC_V4, PUBLIC_V6, "1.1.1.1", "8.8.8.8", "2606:4700::1111"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", REFUSED)
async def test_a_host_with_one_refused_address_among_good_ones_is_refused(address: str) -> None:
    egress = Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V4, address]))
    with pytest.raises(InvalidInput) as caught:
        await egress.check("https://shop.arcavis.ch")
    assert caught.value.code == "arcavis-url-not-allowed"
    assert caught.value.params["reason"] == "private-address"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.arcavis.ch", "scheme"),
        ("ftp://shop.arcavis.ch", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://shop.arcavis.ch", "scheme"),
        ("shop.arcavis.ch", "scheme"),
        ("", "scheme"),
        ("https://", "host"),
        ("https:///api", "host"),
        ("https://user@shop.arcavis.ch", "userinfo"),
        ("https://user:pass@shop.arcavis.ch", "userinfo"),
        ("https://shop.arcavis.ch:8443", "port"),
        ("https://shop.arcavis.ch:80", "port"),
        ("https://shop.arcavis.ch:0", "port"),
        ("https://shop.arcavis.ch:99999", "port"),
        ("https://shop.arcavis.ch/?a=1", "query"),
        ("https://shop.arcavis.ch/#a", "query"),
        ("https://shop.arcavis.ch#@evil.example", "query"),
        ("https://shop.arcavis.ch\r\nHost: evil", "not-a-url"),
        ("https://[::1", "not-a-url"),
        ("https://nowhere.example", "unknown-host"),
    ],
)
async def test_urls_that_are_no_plain_https_host_are_refused(url: str, reason: str) -> None:
    egress = Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V4]))
    with pytest.raises(InvalidInput) as caught:
        await egress.check(url)
    assert caught.value.params["reason"] == reason


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1", "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://127.1",
     "https://0", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://localhost", "https://localhost.",
     "https://169.254.169.254/latest/meta-data", "https://①②⑦.⓪.⓪.①", "https://" + "a" * 70 + ".example"],
)  # fmt: skip
async def test_every_spelling_of_this_machine_is_refused_by_the_real_resolver(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Egress().check(url)
    assert caught.value.code == "arcavis-url-not-allowed"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.arcavis.ch/", "https://shop.arcavis.ch"),
        ("HTTPS://Shop.Arcavis.ch:443", "https://shop.arcavis.ch"),
        ("https://shop.arcavis.ch/tenant/", "https://shop.arcavis.ch/tenant"),
    ],
)
async def test_a_public_host_is_kept_in_its_plain_form(given: str, kept: str) -> None:
    egress = Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V4, PUBLIC_V6]))
    assert await egress.check(given) == kept


async def test_development_may_use_http_and_this_machine_but_no_metadata_service() -> None:
    egress = Egress(allow_private=True, resolve=answers(sandbox=["127.0.0.1", "::1"], meta=["169.254.169.254"]))
    assert await egress.check("http://sandbox:8202/shop") == "http://sandbox:8202/shop"
    with pytest.raises(InvalidInput):
        await egress.check("http://meta")


class Wire(httpx.AsyncBaseTransport):
    """Records where requests really go; some addresses take no connection."""

    def __init__(self, dead: tuple[str, ...] = ()) -> None:
        self.dead = dead
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if request.url.host in self.dead:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json={"Result": 1, "IsSuccessful": True, "Message": ""})


async def get(egress: Egress, wire: Wire, url: str = "https://shop.arcavis.ch/api/x") -> httpx.Response:
    async with httpx.AsyncClient(transport=PinnedTransport(egress, wire)) as client:
        return await client.post(url, json={"a": 1})


async def test_requests_go_to_the_checked_address_under_the_name_that_was_asked_for() -> None:
    wire = Wire()
    await get(Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V4])), wire)
    (sent,) = wire.seen
    assert sent.url.host == PUBLIC_V4
    assert sent.headers["host"] == "shop.arcavis.ch"
    assert sent.extensions["sni_hostname"] == "shop.arcavis.ch"
    assert sent.url.path == "/api/x"
    assert await sent.aread() == b'{"a":1}'


async def test_ipv6_addresses_are_pinned_too() -> None:
    wire = Wire()
    await get(Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V6])), wire)
    assert wire.seen[0].url.host == PUBLIC_V6


async def test_a_name_that_turns_private_after_it_was_set_is_refused_before_anything_is_sent() -> None:
    hosts = [PUBLIC_V4]

    async def rebinding(host: str, port: int) -> list[str]:
        return [hosts.pop(0)] if hosts else ["127.0.0.1"]

    egress, wire = Egress(resolve=rebinding), Wire()
    await egress.check("https://shop.arcavis.ch")
    with pytest.raises(InvalidInput):
        await get(egress, wire)
    assert wire.seen == []


async def test_a_dead_address_gives_way_to_the_next_one() -> None:
    wire = Wire(dead=(PUBLIC_V6,))
    response = await get(Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V6, PUBLIC_V4])), wire)
    assert response.status_code == 200
    assert [request.url.host for request in wire.seen] == [PUBLIC_V6, PUBLIC_V4]


async def test_a_name_without_addresses_is_a_failed_connection_and_not_a_refusal() -> None:
    with pytest.raises(httpx.ConnectError):
        await get(Egress(resolve=answers()), Wire())


async def test_plain_http_is_refused_at_the_connection_as_well() -> None:
    wire = Wire()
    with pytest.raises(InvalidInput):
        await get(Egress(resolve=answers(shop__arcavis__ch=[PUBLIC_V4])), wire, "http://shop.arcavis.ch/api")
    assert wire.seen == []


async def test_only_tenant_supplied_hosts_are_pinned_and_redirects_are_never_followed() -> None:
    connect = network(Egress())
    pinned = connect(Upstream("arcavis", "t", "https://shop.arcavis.ch"))
    direct = connect(Upstream("bexio", "c", "https://api.bexio.com"))
    assert isinstance(pinned, PinnedTransport)
    assert not isinstance(direct, PinnedTransport)
    await pinned.aclose()
    await direct.aclose()

    def redirect(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "http://169.254.169.254/"})

    clients = HttpClients(lambda _: httpx.MockTransport(redirect))
    async with clients.lease(Upstream("arcavis", "t", "https://shop.arcavis.ch")) as client:
        assert (await client.send("GET", "https://shop.arcavis.ch/api")).status_code == 302
    await clients.close()
