"""What the large providers want: every fact has its page, and no stranger is told it."""

import pytest

from mailtui.diagnosis.providers import PROVIDER_NOTES, provider_note
from mailtui.model.account import ascii_host


@pytest.mark.parametrize(
    ("names", "provider"),
    [
        (("ada@gmail.com",), "Gmail"),
        (("ADA@GMAIL.COM ",), "Gmail"),
        (("smtp.gmail.com", "ada@company.example"), "Gmail"),
        (("", "ada@hotmail.com"), "Outlook.com"),
        (("smtp.office365.com", "ada@company.example"), "Microsoft 365"),
        (("imap.mail.yahoo.com",), "Yahoo"),
        (("imap.mail.me.com",), "iCloud"),
        (("ada@web.de",), "WEB.DE"),
        (("ada@163.com",), "NetEase"),
        (("smtp.sendgrid.net", "ada@company.example"), "SendGrid"),
        (("email-smtp.eu-west-1.amazonaws.com",), "Amazon SES"),
        (("smtp.eu.mailgun.org",), "Mailgun"),
    ],
)
def test_a_known_provider_is_found_by_address_or_server(names: tuple[str, ...], provider: str) -> None:
    note = provider_note(*names)
    assert note is not None
    assert note.provider == provider


@pytest.mark.parametrize(
    "name", ["", "@", "com", "ada@", "ada@notgmail.com", "gmail.com.example.org", "ec2-192-0-2-1.amazonaws.com"]
)
def test_others_are_told_nothing(name: str) -> None:
    assert provider_note(name) is None


def test_each_note_is_one_line_with_a_secure_page() -> None:
    for note in PROVIDER_NOTES:
        assert len(note.text) <= 110, note.provider
        assert note.text.endswith(".")
        assert note.url.startswith("https://")
        assert note.url.isascii()


def test_each_domain_belongs_to_one_provider_and_is_a_name() -> None:
    domains = [domain for note in PROVIDER_NOTES for domain in note.domains]
    assert len(domains) == len(set(domains))
    assert all(ascii_host(domain) == domain for domain in domains)
