"""What the large providers want of a mail program before it may log in: facts, each with the page that states it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderNote:
    """One line for the person who fills in a password, and the provider's page that explains it."""

    provider: str
    text: str
    url: str
    domains: tuple[str, ...]
    """Of email addresses, and of server names: what is below them counts too."""


# What else is below amazonaws.com is of Amazon's customers. https://docs.aws.amazon.com/general/latest/gr/ses.html
_SES_REGIONS = (
    *(
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "ca-central-1",
        "ca-west-1",
    ),
    *("eu-central-1", "eu-central-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"),
    *("ap-east-1", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "me-central-1", "me-south-1", "il-central-1"),
    *("af-south-1", "sa-east-1"),
)

PROVIDER_NOTES = (
    ProviderNote(
        "Gmail",
        "Gmail takes an app password here, not your own; it needs 2-Step Verification switched on.",
        "https://support.google.com/accounts/answer/185833",
        ("gmail.com", "googlemail.com"),
    ),
    ProviderNote(
        "Outlook.com",
        "Outlook.com takes no passwords any more: set the login method to XOAUTH2 and give an access token.",
        "https://support.microsoft.com/help/c5d65390-9676-4763-b41f-d7986499a90d",
        ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.de", "hotmail.fr"),
    ),
    ProviderNote(
        "Microsoft 365",
        "Microsoft 365 takes no passwords for IMAP and POP: set the login method to XOAUTH2 and give an access token.",
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
        "deprecation-of-basic-authentication-exchange-online",
        ("office365.com", "onmicrosoft.com"),
    ),
    ProviderNote(
        "Yahoo",
        "Yahoo takes an app password here, not your own; make one in its account security.",
        "https://help.yahoo.com/kb/SLN15241.html",
        ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "ymail.com", "rocketmail.com"),
    ),
    ProviderNote(
        "AOL",
        "AOL takes an app password here, not your own; make one in its account security.",
        "https://help.aol.com/articles/Create-and-manage-app-password",
        ("aol.com", "aim.com"),
    ),
    ProviderNote(
        "iCloud",
        "iCloud takes an app-specific password here; it needs two-factor authentication. There is no POP.",
        "https://support.apple.com/102654",
        ("icloud.com", "me.com", "mac.com"),
    ),
    ProviderNote(
        "Fastmail",
        "Fastmail takes an app password here, not your own; Basic plans cannot make one.",
        "https://www.fastmail.com/help/clients/apppassword.html",
        ("fastmail.com", "fastmail.fm", "messagingengine.com"),
    ),
    ProviderNote(
        "Zoho",
        "Switch IMAP or POP on in Zoho Mail's settings; with two-factor login it takes an app-specific password.",
        "https://www.zoho.com/mail/help/imap-access.html",
        ("zoho.com", "zohomail.com", "zoho.eu", "zohomail.eu", "zoho.in", "zohomail.in"),
    ),
    ProviderNote(
        "Yandex",
        "Yandex takes an app password here, not your own; make one for mail in its account settings.",
        "https://yandex.com/support/passport/authorization/app-passwords.html",
        ("yandex.com", "yandex.ru", "yandex.by", "yandex.kz", "yandex.com.tr", "ya.ru", "narod.ru"),
    ),
    ProviderNote(
        "Mail.ru",
        "Mail.ru takes a password for external applications here, not your own.",
        "https://help.mail.ru/mail/security/protection/external",
        ("mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"),
    ),
    ProviderNote(
        "GMX",
        "Switch POP3 and IMAP on in GMX's web mail first; until then it refuses mail programs.",
        "https://support.gmx.com/pop-imap/toggle.html",
        ("gmx.com", "gmx.us", "gmx.co.uk"),
    ),
    ProviderNote(
        "GMX",
        "Switch POP3 and IMAP on in GMX's web mail first; until then it refuses mail programs.",
        "https://hilfe.gmx.net/pop-imap/einschalten.html",
        ("gmx.net", "gmx.de", "gmx.at", "gmx.ch"),
    ),
    ProviderNote(
        "WEB.DE",
        "Switch POP3 and IMAP on in WEB.DE's web mail first; until then it refuses mail programs.",
        "https://hilfe.web.de/pop-imap/einschalten.html",
        ("web.de",),
    ),
    ProviderNote(
        "QQ Mail",
        "QQ Mail takes an authorisation code here, not your password; make one where its settings switch IMAP on.",
        "https://service.mail.qq.com/detail/0/75",
        ("qq.com", "foxmail.com"),
    ),
    ProviderNote(
        "NetEase",
        "NetEase takes an authorisation code here, not your password; make one where its settings switch IMAP on.",
        "https://help.mail.163.com/",
        ("163.com", "126.com", "yeah.net"),
    ),
    ProviderNote(
        "SendGrid",
        "SendGrid's user name is the word apikey, for everyone; the password is an API key.",
        "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
        ("sendgrid.net",),
    ),
    ProviderNote(
        "Amazon SES",
        "Amazon SES takes the SMTP credentials of its region, which are not the AWS access keys.",
        "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html",
        tuple(f"email-smtp.{region}.amazonaws.com" for region in _SES_REGIONS),
    ),
    ProviderNote(
        "Mailgun",
        "Mailgun takes the SMTP credentials of the sending domain, at the server of the domain's region (US or EU).",
        "https://www.mailgun.com/about/regions/",
        ("mailgun.org",),
    ),
    ProviderNote(
        "Proton Mail",
        "Proton Mail is reached through its Bridge on this machine, with the Bridge's password (paid plans).",
        "https://proton.me/support/protonmail-bridge-faq",
        ("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
    ),
)

_BY_DOMAIN = {domain: note for note in PROVIDER_NOTES for domain in note.domains}


def provider_note(*names: str) -> ProviderNote | None:
    """The note for the first of `names`, email addresses or server names, that belongs to a known provider."""
    for name in names:
        labels = name.strip().rpartition("@")[2].rstrip(".").lower().split(".")
        for start in range(len(labels) - 1):
            if (note := _BY_DOMAIN.get(".".join(labels[start:]))) is not None:
                return note
    return None
