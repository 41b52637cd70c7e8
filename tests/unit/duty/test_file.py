"""The duty file: the samples of the handbooks are whole, and what a channel lacks is said by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from duty.file import DutyFileInvalid, load_duty_file, sender_of

HANDBOOKS = Path(__file__).parents[3] / "docs" / "operations"
KINDS = {"wecom", "dingtalk", "feishu", "webhook", "smtp", "apprise"}


@pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")  # by a plugin of Apprise
@pytest.mark.parametrize("name", ["duty.md", "duty.zh.md"])
def test_the_sample_of_the_handbook_is_a_duty_file(name: str, tmp_path: Path) -> None:
    (sample,) = re.findall(r"```toml\n(.*?)```", (HANDBOOKS / name).read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "duty.toml"
    path.write_text(sample, encoding="utf-8")
    channels = load_duty_file(path).channels
    assert {channel.kind for channel in channels} == KINDS - {"feishu"}, "feishu is like dingtalk"
    named = {variable for channel in channels for variable in (channel.url_env, channel.secret_env) if variable}
    for channel in channels:
        sender_of(channel, dict.fromkeys(named, "json://example.org"), lambda: 0.0)


@pytest.mark.parametrize(
    ("channel", "missing"),
    [
        ('kind = "wecom"', "wecom needs url_env"),
        ('kind = "dingtalk"\nurl_env = "U"', "dingtalk needs secret_env"),
        ('kind = "feishu"\nurl_env = "U"', "feishu needs secret_env"),
        ('kind = "webhook"', "webhook needs url_env and secret_env"),
        ('kind = "smtp"\nuser = "u"', "smtp needs secret_env"),
        ('kind = "apprise"', "apprise needs url_env"),
    ],
)
def test_what_a_channel_has_to_name(channel: str, missing: str, tmp_path: Path) -> None:
    path = tmp_path / "duty.toml"
    path.write_text(f'[[channel]]\nid = "one"\n{channel}\n', encoding="utf-8")
    with pytest.raises(DutyFileInvalid) as refusal:
        load_duty_file(path)
    assert str(refusal.value) == (f"{path}: channel.0: channel one: {missing}, the name of an environment variable")


def test_the_pace_is_that_of_the_service_unless_the_file_says_another(tmp_path: Path) -> None:
    """WeCom and DingTalk publish 20 a minute, Feishu 100 a minute and 5 a second."""
    path = tmp_path / "duty.toml"
    named = 'url_env = "U"\nsecret_env = "S"\n'
    path.write_text(
        "".join(f'[[channel]]\nid = "{kind}"\nkind = "{kind}"\n{named}' for kind in ("wecom", "dingtalk", "feishu"))
        + f'[[channel]]\nid = "own"\nkind = "feishu"\nper_minute = 30\nper_second = 1\n{named}',
        encoding="utf-8",
    )
    assert [channel.pace for channel in load_duty_file(path).channels] == [(18, None), (18, None), (90, 4), (30, 1)]


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    path = tmp_path / "duty.toml"
    path.write_text('[[channel]]\nid = "one"\nkind = "wecom"\nurl_env = "WECOM_URL"\n', encoding="utf-8")
    (channel,) = load_duty_file(path).channels
    with pytest.raises(DutyFileInvalid, match=r"^channel one: the environment variable WECOM_URL is not set$"):
        sender_of(channel, {}, lambda: 0.0)
