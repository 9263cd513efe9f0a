"""The mail server, as one address names it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from campone.mail import MailServer, read_mail_server, read_sender

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class TestTheMailServer:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("smtp://localhost", (SMTP, "localhost", 25, "", "", False, False)),
            ("smtp+starttls://mail.example", (SMTP, "mail.example", 587, "", "", False, True)),
            ("smtps://mail.example:2465", (SMTP, "mail.example", 2465, "", "", True, False)),
            ("smtps://anna%40x:p%2Fss@[2001:db8::1]", (SMTP, "2001:db8::1", 465, "anna@x", "p/ss", True, False)),
        ],
    )
    def test_is_read_from_one_address(self, url: str, expected: tuple[object, ...]) -> None:
        found = read_mail_server(url, development=False)

        assert (
            found.backend,
            found.host,
            found.port,
            found.user,
            found.password,
            found.use_ssl,
            found.use_tls,
        ) == expected

    def test_keeps_its_password_to_itself(self) -> None:
        assert "top-secret" not in repr(read_mail_server("smtps://anna:top-secret@mail.example", development=False))

    def test_is_the_console_in_development_and_none_elsewhere(self) -> None:
        assert read_mail_server("", development=True).backend.endswith(".console.EmailBackend")
        assert read_mail_server("", development=False).backend.endswith(".dummy.EmailBackend")


class TestTheSender:
    def test_may_be_left_out_where_no_mail_is_sent(self) -> None:
        assert not read_sender("", MailServer("dummy"))

    def test_is_needed_beside_a_server(self) -> None:
        with pytest.raises(ImproperlyConfigured):
            read_sender("", MailServer("smtp", host="mail.example"))
