"""Settings that make no sense are refused at the start, by name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from undercroft.settings import Settings


@pytest.mark.parametrize("text", ["", " ", "127.0.0.1", "10.0.0.7, ::1", "10.1.0.0/16,fd00::/8"])
def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("UNDERCROFT_API_TRUSTED_PROXIES", text)
    assert Settings().api_trusted_proxies == text


@pytest.mark.parametrize(
    ("text", "found"),
    [("*", "*"), ("caddy", "caddy"), ("10.0.0.7,,", ""), ("10.0.0.300", "10.0.0.300"), ("10.0.0.7/8", "10.0.0.7/8")],
)
def test_nonsense_for_a_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, found: str) -> None:
    monkeypatch.setenv("UNDERCROFT_API_TRUSTED_PROXIES", text)
    with pytest.raises(ValidationError, match="api_trusted_proxies") as error:
        Settings()
    assert f"{found!r} is no address: expected addresses or networks by comma" in str(error.value)
