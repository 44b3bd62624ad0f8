"""Whose word counts on where a request comes from."""

import pytest
from starlette.requests import HTTPConnection

from autotuner.errors import ConfigError
from autotuner.server.security.rate_limits import Peers
from autotuner.server.settings import load_settings

PROXIES = Peers.behind(("10.0.0.7", "10.1.0.0/16", "2001:db8:1::/48"))


def address(peer, *forwarded, peers=PROXIES):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"type": "http", "headers": headers, "client": (peer, 5) if peer else None}
    return peers.address_of(HTTPConnection(scope))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.9", (), "192.0.2.9"),
        ("192.0.2.9", ("192.0.2.1",), "192.0.2.9"),
        ("10.0.0.7", (), "10.0.0.7"),
        ("10.0.0.7", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.7", ("192.0.2.66, 192.0.2.1",), "192.0.2.1"),
        ("10.0.0.7", ("192.0.2.66", "192.0.2.1, 10.1.2.3"), "192.0.2.1"),
        ("10.0.0.7", ("10.1.0.1, 10.1.0.2",), "10.1.0.1"),
        ("10.0.0.7", ("192.0.2.1:4711",), "192.0.2.1"),
        ("10.0.0.7", ("[2001:db8:2::1]:4711",), "2001:db8:2::/64"),
        ("10.0.0.7", ("2001:db8:2::9",), "2001:db8:2::/64"),
        ("10.0.0.7", ("unknown",), "10.0.0.7"),
        ("10.0.0.7", ("192.0.2.1, nonsense, 10.1.0.1",), "10.1.0.1"),
        ("10.0.0.7", ("",), "10.0.0.7"),
        ("::ffff:10.0.0.7", ("192.0.2.1",), "192.0.2.1"),
        ("2001:db8:1::5", ("192.0.2.1",), "192.0.2.1"),
        ("2001:db8:2::5", ("192.0.2.1",), "2001:db8:2::/64"),
        (None, ("192.0.2.1",), ""),
        ("testclient", ("192.0.2.1",), "testclient"),
    ],
)
def test_a_proxy_is_believed_and_nobody_else(peer, forwarded, found):
    assert address(peer, *forwarded) == found


def test_without_proxies_the_header_counts_for_nothing():
    assert address("127.0.0.1", "192.0.2.1", peers=Peers()) == "127.0.0.1"


def test_proxies_are_stated_by_file_or_variable():
    found = load_settings(
        None, environment={"AUTOTUNER_TRUSTED_PROXIES": "10.0.0.7, fd00::/8"}, flags={}
    )
    assert found.trusted_proxies == ("10.0.0.7", "fd00::/8")


@pytest.mark.parametrize("stated", ["proxy.example.org", "10.0.0.1/8", "*", "10.0.0.7:80"])
def test_what_is_no_address_is_refused(stated):
    with pytest.raises(ConfigError, match=r"AUTOTUNER_TRUSTED_PROXIES.*is neither an address"):
        load_settings(None, environment={"AUTOTUNER_TRUSTED_PROXIES": stated}, flags={})
