"""Push and drift, against a fake Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dashboards.build import all_dashboards
from dashboards.grafana import FOLDER_TITLE, GrafanaRefused, client, drift, push
from tests.unit.dashboards.fake_grafana import TOKEN, FakeGrafana, running_fake
from undercroft.errors import BadInput


@pytest.fixture
def fake() -> Iterator[FakeGrafana]:
    with running_fake() as server:
        yield server


@pytest.mark.parametrize("absent_status", [404, 403])
def test_what_was_pushed_shows_no_drift_and_a_second_push_changes_nothing(
    fake: FakeGrafana, absent_status: int
) -> None:
    fake.absent_status = absent_status
    api = client(fake.url, TOKEN)
    assert {found.words for found in drift(api)} == {"missing, or hidden from this token"}
    assert push(api) == [board.uid for board in all_dashboards()]
    assert drift(api) == []
    push(api)
    assert drift(api) == []
    assert list(fake.folders) == ["undercroft"]


def test_a_folder_that_provisioning_made_under_another_uid_is_taken(fake: FakeGrafana) -> None:
    fake.folders["of-its-own"] = FOLDER_TITLE
    push(client(fake.url, TOKEN))
    assert fake.folders == {"of-its-own": FOLDER_TITLE}


def test_changes_by_hand_are_shown_with_their_place(fake: FakeGrafana) -> None:
    api = client(fake.url, TOKEN)
    push(api)
    fake.dashboards["uc-space"]["panels"][2]["title"] = "mine"
    del fake.dashboards["uc-rain"]
    fake.dashboards["uc-old"] = {"uid": "uc-old", "title": "old"}
    fake.dashboards["uc-alarms"]["preload"] = False  # as Grafana 12 writes it out
    assert [(found.uid, found.words) for found in drift(api)] == [
        ("uc-rain", "missing, or hidden from this token"),
        ("uc-space", "changed: panels[2].title"),
        ("uc-old", "not in the code"),
    ]


@pytest.mark.parametrize("body", ["<html>sign in</html>", "null", "[]", "{}", "[3]", "{", "maintenance"])
def test_what_is_no_grafana_is_one_clear_error(fake: FakeGrafana, body: str) -> None:
    fake.says = body
    for ask in (push, drift):
        with pytest.raises(GrafanaRefused, match=r"^Grafana: [^\n<]{1,200}$"):
            ask(client(fake.url, TOKEN))


def test_a_dashboard_that_is_none_is_said(fake: FakeGrafana) -> None:
    api = client(fake.url, TOKEN)
    push(api)
    api.dashboard.get_dashboard = lambda uid: {"dashboard": [uid]}
    with pytest.raises(GrafanaRefused, match="does not speak as Grafana does"):
        drift(api)


def test_a_refusal_is_cut_short(fake: FakeGrafana) -> None:
    fake.says, fake.says_status = json.dumps({"message": "x" * 5000}), 502
    with pytest.raises(GrafanaRefused) as refused:
        push(client(fake.url, TOKEN))
    assert len(str(refused.value)) <= 220


def test_a_refusal_leaves_its_page_out(fake: FakeGrafana) -> None:
    fake.says, fake.says_status = f"<html>{'x' * 5000}</html>", 502
    with pytest.raises(GrafanaRefused, match=r"502: \(a page of HTML\)$"):
        push(client(fake.url, TOKEN))


@pytest.mark.parametrize(
    "url", ["http://[bad", "127.0.0.1:3000", "localhost", "ftp://grafana", "http://", "http://h:x"]
)
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(BadInput, match="expected an address of Grafana"):
        client(url, TOKEN)


def test_a_grafana_under_a_path_is_reached_with_and_without_a_slash(fake: FakeGrafana) -> None:
    for end in ("", "/"):
        assert client(f"{fake.url}/grafana{end}", TOKEN).client.url == f"{fake.url}/grafana/api"


def test_a_refusal_is_one_clear_error(fake: FakeGrafana) -> None:
    fake.refuse = True
    with pytest.raises(GrafanaRefused, match="Unauthorized"):
        push(client(fake.url, TOKEN))
