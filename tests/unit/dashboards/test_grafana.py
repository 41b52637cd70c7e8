"""Push and drift, against a fake Grafana."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboards.build import all_dashboards
from dashboards.grafana import FOLDER_TITLE, GrafanaRefused, client, drift, push
from tests.unit.dashboards.fake_grafana import TOKEN, FakeGrafana, running_fake


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
    fake.dashboards["uc-alarms"]["added by Grafana"] = True
    assert [(found.uid, found.words) for found in drift(api)] == [
        ("uc-rain", "missing, or hidden from this token"),
        ("uc-space", "changed: panels[2].title"),
        ("uc-old", "not in the code"),
    ]


def test_a_refusal_is_one_clear_error(fake: FakeGrafana) -> None:
    fake.refuse = True
    with pytest.raises(GrafanaRefused, match="Unauthorized"):
        push(client(fake.url, TOKEN))
