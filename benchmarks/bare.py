"""The yardstick: both legs of one account, by the two libraries and nothing else. Settings come from the environment.

What anyone would write in twenty lines: no stages, no deadlines of its own, no certificate facts, no report.
"""

import asyncio
import os
import ssl

import aiosmtplib
from aioimaplib import aioimaplib

HOST = os.environ["BARE_HOST"]
USER = os.environ["BARE_USER"]
PASSWORD = os.environ["BARE_PASSWORD"]
CONTEXT = ssl.create_default_context(cafile=os.environ["BARE_CA"])


async def outbound() -> None:
    smtp = aiosmtplib.SMTP(
        hostname=HOST,
        port=int(os.environ["BARE_SMTP_PORT"]),
        use_tls=True,
        tls_context=CONTEXT,
        local_hostname="localhost",
    )
    await smtp.connect()
    await smtp.auth_plain(USER, PASSWORD)
    await smtp.mail(f"{USER}@localhost")
    await smtp.rset()
    await smtp.quit()


async def inbound() -> None:
    imap = aioimaplib.IMAP4_SSL(HOST, int(os.environ["BARE_IMAP_PORT"]), ssl_context=CONTEXT)
    await imap.wait_hello_from_server()
    for response in (await imap.login(USER, PASSWORD), await imap.examine("INBOX"), await imap.logout()):
        if response.result != "OK":
            raise SystemExit(f"imap: {response.result}")


async def main() -> None:
    await asyncio.gather(outbound(), inbound())


asyncio.run(main())
