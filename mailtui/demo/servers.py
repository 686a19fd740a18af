"""The demo's servers, each on its port, and the people's mailboxes behind them."""

import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mailtui.demo import faults, guest
from mailtui.demo.accounts import PEOPLE
from mailtui.demo.certificates import make_certificates
from mailtui.demo.imap_server import DemoImap
from mailtui.demo.letters import letters
from mailtui.demo.listener import Listener
from mailtui.demo.pop3_server import DemoPop3
from mailtui.demo.smtp_server import DemoSmtp
from mailtui.demo.store import MailStore


async def open_servers(listener: Listener, folder: Path, passwords: Mapping[str, str]) -> tuple[dict[str, int], Path]:
    """Open every server on `listener`, with certificates made in `folder`, for people with these `passwords`.

    A guest has a mailbox, too. Returns the ports by name and the PEM file of the authority to trust. Raises OSError.
    """
    certificates = make_certificates(folder)
    good = certificates.good
    store = MailStore()
    for person in PEOPLE:
        password = passwords[person.name]
        # What the account stores is no longer what the servers know.
        server_password = secrets.token_urlsafe(18) if person.wrong_password else password
        await store.add_user(person.email, server_password, refused=person.refused)
        if person.inbound is not None and not person.refused:
            for letter in letters(person.email):
                await store.deliver(person.email, letter)

    await store.add_user(guest.ADDRESS, guest.PASSWORD)
    for letter in letters(guest.ADDRESS):
        await store.deliver(guest.ADDRESS, letter)
    smtp = partial(DemoSmtp, store, listener)
    wanted = guest.PORTS
    ports = {
        "smtp": await listener.serve_protocol(partial(smtp, good), port=wanted["smtp"]),
        "smtps": await listener.serve_protocol(smtp, good, port=wanted["smtps"]),
        "smtp-open": await listener.serve_protocol(partial(smtp, open=True), port=wanted["smtp-open"]),
        "smtps-self-signed": await listener.serve_protocol(smtp, certificates.self_signed),
        "imap": await listener.serve(DemoImap(store, good), port=wanted["imap"]),
        "imaps": await listener.serve(DemoImap(store), good, port=wanted["imaps"]),
        "imaps-expired": await listener.serve(DemoImap(store), certificates.expired),
        "pop3": await listener.serve(DemoPop3(store, good), port=wanted["pop3"]),
        "pop3s": await listener.serve(DemoPop3(store), good, port=wanted["pop3s"]),
        "pop3s-wrong-name": await listener.serve(DemoPop3(store), certificates.wrong_name),
        "silent": await listener.serve(faults.silent),
        "ssh": await listener.serve(faults.ssh_banner),
        "closed": listener.closed_port(),
    }
    return ports, certificates.ca_file
