"""What a check needs and takes long to make, begun before the rest of the program is loaded."""

import contextlib
import threading
from collections.abc import Iterable

from mailtui.model.account import Account, CertificatePolicy, Security
from mailtui.model.check import legs_of


def prepare(accounts: Iterable[Account]) -> None:
    """Begin to read the certificate stores that checks of `accounts` will ask for, in a thread; the first one waits."""
    endpoints = (leg.endpoint for account in accounts for leg in legs_of(account))
    policies = {endpoint.certificate for endpoint in endpoints if endpoint.security is not Security.NONE}
    if policies:
        threading.Thread(target=_build, args=(policies,), daemon=True, name="mailtui-preparation").start()


def _build(policies: Iterable[CertificatePolicy]) -> None:
    from mailtui.protocols.certificates import shared_context
    from mailtui.protocols.faults import WireError

    for policy in policies:
        # The leg that needs it will meet the same error, and report it.
        with contextlib.suppress(WireError):
            shared_context(policy)
