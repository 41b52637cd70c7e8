"""Each sender against a real server that answers 200, 200 with an error inside, 429, 500, rubbish, or not at all."""

from __future__ import annotations

import ssl
from datetime import timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from duty.senders.base import Accepted, HandedOver, Outgoing, Permanent, Sender, Temporary
from duty.senders.bots import DingTalk, Feishu, WeCom
from duty.senders.mail import Mail
from duty.senders.other import Other
from duty.senders.webhook import Webhook, sign
from tests.integration.duty_servers import mail_server, service, trickling
from undercroft.clock import SystemClock

MESSAGE = Outgoing("k1", "13800000000", "【红色】 RED", "【红色】一号车库 水深 30 cm", 4)
LIMIT_S = 0.3
"""For a service that hangs. [s]"""

PATIENCE_S = 30.0
"""For one that answers, on a machine however busy. [s]"""


def now() -> float:
    return 1_782_900_000.5


def sender(kind: str, url: str, limit_s: float = PATIENCE_S) -> Sender:
    senders: dict[str, Sender] = {
        "wecom": WeCom(url, limit_s),
        "dingtalk": DingTalk(url, "SECx", limit_s, now),
        "feishu": Feishu(url, "sec", limit_s, now),
        "webhook": Webhook(url, "sec", limit_s, now),
    }
    return senders[kind]


BAD_DAYS = [
    ("wecom", 200, {"errcode": 0, "errmsg": "ok"}, Accepted),
    ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, Permanent),
    ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, Temporary),
    ("wecom", 200, {"errcode": 77777, "errmsg": "news to us"}, Temporary),
    ("wecom", 200, {}, Temporary),
    ("wecom", 200, ["errcode", 0], Temporary),
    ("wecom", 200, b"", Temporary),
    ("wecom", 200, b"<html>gateway</html>", Temporary),
    ("wecom", 200, {"errcode": False}, Permanent),
    ("wecom", 500, {}, Temporary),
    ("wecom", 404, {}, Permanent),
    ("wecom", 0, {}, Temporary),
    ("dingtalk", 200, {"errcode": 0, "errmsg": "ok"}, Accepted),
    ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, Permanent),
    ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, Temporary),
    ("dingtalk", 429, {}, Temporary),
    ("feishu", 200, {"code": 0, "msg": "success"}, Accepted),
    ("feishu", 200, {"code": 19021, "msg": "sign match fail"}, Permanent),
    ("feishu", 200, {"code": 11232, "msg": "too many request"}, Temporary),
    ("feishu", 200, {"code": 9499, "msg": "too many request", "data": {}}, Temporary),
    ("feishu", 400, {"code": 9499, "msg": "too many request", "data": {}}, Temporary),
    ("feishu", 200, {"code": 9499, "msg": "Bad Request", "data": {}}, Permanent),
    ("feishu", 400, {"code": 9499, "msg": "Bad Request", "data": {}}, Permanent),
    ("feishu", 400, {"code": 0}, Permanent),
    ("feishu", 400, {"code": []}, Permanent),
    ("feishu", 503, {}, Temporary),
    ("webhook", 200, {"receipt": "r7"}, Accepted),
    ("webhook", 202, {}, Accepted),
    ("webhook", 200, {"errcode": 5, "errmsg": "no"}, Temporary),
    ("webhook", 200, {"code": {"value": 0}}, Permanent),
    ("webhook", 200, {"errcode": []}, Permanent),
    ("webhook", 200, {"code": False}, Permanent),
    ("webhook", 200, {"code": "denied"}, Permanent),
    ("webhook", 200, {"code": "0000"}, Accepted),
    ("webhook", 200, {"code": None}, Accepted),
    ("webhook", 200, {"code": "0017"}, Temporary),
    ("webhook", 200, {"success": False}, Temporary),
    ("webhook", 200, {"status": "error", "message": "full"}, Temporary),
    ("webhook", 200, {"status": "ok", "success": True}, Accepted),
    ("webhook", 200, {"success": "false"}, Temporary),
    ("webhook", 200, {"success": 0}, Temporary),
    ("webhook", 200, {"ok": "no"}, Temporary),
    ("webhook", 200, {"error": "token expired"}, Temporary),
    ("webhook", 200, {"error": {"message": "full"}}, Temporary),
    ("webhook", 200, {"error": True}, Temporary),
    ("webhook", 200, {"errors": ["no such group"]}, Temporary),
    ("webhook", 200, {"status": 400}, Temporary),
    ("webhook", 200, {"status": "503"}, Temporary),
    ("webhook", 200, {"status": False}, Temporary),
    ("webhook", 200, {"ok": 1, "error": None, "errors": [], "status": 200}, Accepted),
    ("webhook", 200, {"success": "TRUE", "error": "", "status": "0"}, Accepted),
    ("webhook", 200, {"error": False, "status": None}, Accepted),
    ("webhook", 400, {}, Permanent),
    ("webhook", 401, {}, Permanent),
    ("webhook", 301, {}, Permanent),
    ("webhook", 200, '{"code":1,"msg":"发送失败"}'.encode("gbk"), Temporary),
    ("webhook", 200, '{"code":0,"msg":"发送成功"}'.encode("gbk"), Accepted),
    ("webhook", 200, '{"code":1}'.encode("utf-8-sig"), Temporary),
    ("webhook", 200, '{"code":1}'.encode("utf-16"), Temporary),
    ("webhook", 200, b'{"code":1,"took_s":NaN}', Temporary),
    ("webhook", 200, b'[{"code":1}]', Temporary),
    ("webhook", 200, b'{"data":"' + b"x" * 300_000 + b'","code":500}', Temporary),
    ("webhook", 200, b"<!doctype html><title>Log in</title>", Temporary),
    ("webhook", 200, b'{"code":', Temporary),
    ("webhook", 200, b"error", Temporary),
    ("webhook", 200, b"\xff\xff", Temporary),
    ("webhook", 200, b"", Accepted),
    ("webhook", 200, b"ok", Accepted),
]


@pytest.mark.parametrize(("kind", "status", "answer", "outcome"), BAD_DAYS)
def test_the_answer_is_read(kind: str, status: int, answer: Any, outcome: type) -> None:
    with service(lambda _: (status, answer)) as it:
        found = sender(kind, it.url, PATIENCE_S if status else LIMIT_S).send(MESSAGE)
        assert isinstance(found, outcome), found
        assert it.keys == ["k1"]
        assert "127.0.0.1" not in str(found)


def test_an_unknown_code_is_tried_a_few_times_only() -> None:
    with service(lambda _: (200, {"errcode": 77777})) as it:
        found = sender("wecom", it.url).send(MESSAGE)
    assert isinstance(found, Temporary)
    assert found.most == 5


def test_a_robot_that_sent_too_much_waits_as_long_as_it_is_blocked() -> None:
    with service(lambda _: (200, {"errcode": 130101})) as it:
        found = sender("dingtalk", it.url).send(MESSAGE)
    assert isinstance(found, Temporary)
    assert found.retry_after_s == 600.0, "DingTalk blocks for ten minutes"


def test_nobody_listens() -> None:
    with service(lambda _: (200, {})) as it:
        url = it.url
    assert isinstance(sender("webhook", url).send(MESSAGE), Temporary)


def test_what_the_services_are_sent() -> None:
    with service(lambda _: (200, {"errcode": 0, "code": 0})) as it:
        for kind in ("wecom", "dingtalk", "feishu", "webhook"):
            sender(kind, it.url).send(MESSAGE)
        wecom, ding, feishu, hook = it.received
    assert wecom == {"msgtype": "text", "text": {"content": MESSAGE.body, "mentioned_list": ["13800000000"]}}
    assert ding["at"] == {"atMobiles": ["13800000000"]}
    # base64(HMAC-SHA256(key "SECx", "1782900000500\nSECx")) by openssl dgst, percent-encoded.
    assert it.paths[1] == "/send?key=k&timestamp=1782900000500&sign=rnSGbFgMbf5L8xsnQbBdhKyqNsD7kHz8VjGdn3kdmHg%3D"
    assert feishu["timestamp"] == "1782900000"
    assert feishu["content"]["text"].endswith(MESSAGE.body)
    assert hook["key"] == "k1"
    assert it.headers[3]["Undercroft-Signature"] == sign("sec", "1782900000", it.raw[3])


def test_long_texts_are_cut_to_what_wecom_takes() -> None:
    with service(lambda _: (200, {"errcode": 0})) as it:
        sender("wecom", it.url).send(Outgoing("k", "@all", "t", "水" * 3000, 2))
        content = it.received[0]["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.endswith("水…")


def mail(port: int) -> Mail:
    return Mail("127.0.0.1", port, "duty@example.org", "", "", "none", 2.0, now)


@pytest.mark.parametrize(
    ("refuse", "outcome"),
    [
        ({}, Accepted),
        ({"RCPT": "550 no such user"}, Permanent),
        ({"RCPT": "450 mailbox busy"}, Temporary),
        ({"MAIL": "421 too many connections"}, Temporary),
        ({"DATA": "554 refused"}, Permanent),
        ({"QUIT": "421 going down"}, Accepted),
        ({"QUIT": ""}, Accepted),
        ({"RCPT": ""}, Temporary),
    ],
)
def test_mail_codes(refuse: dict[str, str], outcome: type) -> None:
    with mail_server(refuse) as it:
        found = mail(it.port).send(Outgoing("k1", "li@example.org", "【红色】 RED", "水深 30 cm", 4))
    assert isinstance(found, outcome), found
    if outcome is Accepted:
        assert found == Accepted("250 queued as 1")
        written = message_from_string(it.mails[0])
        assert written["Message-ID"] == "<k1@undercroft>"
        assert parsedate_to_datetime(written["Date"]).timestamp() == int(now())
        assert written["Content-Transfer-Encoding"] == "base64"
        assert (it.mails[0].isascii(), written.get_payload(decode=True)) == (True, "水深 30 cm\n".encode())


def test_an_answer_byte_by_byte_holds_up_nobody() -> None:
    """A head, a body, and a mail server's greeting of 3 s, each well in the end: the limit is one of the whole."""
    head = b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60 + b"\r\nContent-Length: 2\r\n\r\n{}"
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{" + b" " * 58 + b"}"
    late = Temporary("no whole answer within 0.3 s")
    for answer in (head, body):
        with trickling(answer, b"") as port:
            assert sender("webhook", f"http://127.0.0.1:{port}/", LIMIT_S).send(MESSAGE) == late
    with trickling(b"220 " + b"x" * 56 + b"\r\n", b"250 ok\r\n") as port:
        assert Mail("127.0.0.1", port, "a@example.org", "", "", "none", LIMIT_S, now).send(MESSAGE) == late


def test_a_mail_server_is_greeted_again_after_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login as well: RFC 3207 has the server forget what was said before TLS."""
    with mail_server(tls=_tls_of_loopback(tmp_path, monkeypatch)) as it:
        found = Mail("127.0.0.1", it.port, "a@example.org", "", "", "starttls", PATIENCE_S, now).send(MESSAGE)
    assert found == Accepted("250 queued as 1")


def _tls_of_loopback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return TLS of a server with a certificate for 127.0.0.1, which is trusted while the test runs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    begins = SystemClock().now() - timedelta(hours=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    asked = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(days=1), [])
    signed = asked.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(signed.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context


def test_a_password_is_not_sent_in_the_clear() -> None:
    with mail_server() as it:
        found = Mail("127.0.0.1", it.port, "a@example.org", "user", "secret", "none", 2.0, now).send(MESSAGE)
    assert found == Permanent("a user without TLS: the password is not sent")


@pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")  # by a plugin of Apprise
def test_apprise_is_handed_over_never_delivered() -> None:
    with service(lambda _: (200, {})) as it:
        found = Other(it.url.replace("http://", "json://")).send(MESSAGE)
        assert found == HandedOver("taken by Apprise")
        assert len(it.received) == 1
    assert isinstance(Other("nonsense").send(MESSAGE), Permanent)
