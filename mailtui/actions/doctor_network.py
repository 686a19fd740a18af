"""Whether names are found from here, which address families are reached, and how many connections may be open."""

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from mailtui.model.account import Account
from mailtui.model.check import legs_of
from mailtui.model.finding import Finding, State
from mailtui.offloop import off_loop
from mailtui.protocols.surroundings import RESOLVER_FILE, NoAnswer, NotFound, look_up, name_servers, routed_families

LOOKUP_DEADLINE = 5.0
"""Seconds that a name may take."""

NAMES = 20
"""Names that are looked up, at most."""

ANY_NAME = "example.org"
"""Looked up where no account names a host: it is reserved, and there (RFC 6761, section 6.5)."""

_LISTED = 5
_OTHER_FILES = 56
"""Files that mailtui holds open beside its connections, with room to spare."""


async def dns_findings(accounts: Iterable[Account]) -> list[Finding]:
    """Whether names are found: those of the accounts' servers, and one that exists for sure."""
    names = _host_names(accounts)[:NAMES]
    answers = dict(zip([*names, ANY_NAME], await asyncio.gather(*map(_ask, [*names, ANY_NAME])), strict=True))
    servers, trouble = await off_loop(_servers)
    silent = {name: words for name, (error, words) in answers.items() if error is NoAnswer}
    missing = [name for name, (error, _) in answers.items() if error is NotFound]
    if len(silent) == len(answers):
        words = f"no name can be looked up ({next(iter(silent.values()))}); {trouble or f'asked: {servers}'}"
        return [Finding("dns", State.FAILED, words, _dns_remedy(trouble))]
    if len(silent) + len(missing) == len(answers):
        words = f"the name servers ({servers or 'of the system'}) know no name, not even {ANY_NAME}"
        remedy = f"they may serve a closed network only: ask its owner, or name others in {RESOLVER_FILE}"
        return [Finding("dns", State.FAILED if names else State.WARNING, words, remedy)]
    findings = []
    if unheard := [name for name in names if name in silent]:
        words = f"no answer for {_some(unheard)}; other names are found"
        remedy = "their own name servers may be down: try again, or ask their owner"
        findings.append(Finding("dns", State.WARNING, words, remedy))
    if unknown := [name for name in names if name in missing]:
        words = f"there is no name {_some(unknown)}, say the name servers"
        findings.append(Finding("dns", State.WARNING, words, "correct the server in the accounts that have it"))
    good = len(names) - len(unheard) - len(unknown)
    told = f"{good} of {len(names)} servers' names found" if names else f"{ANY_NAME} found"
    return [*findings, Finding("dns", State.OK, f"{told}; asked: {servers or 'as the system is set up'}")]


def _dns_remedy(trouble: str) -> str:
    if trouble:
        return f"put a line such as `nameserver 192.0.2.53`, with your network's own server, into {RESOLVER_FILE}"
    return (
        "see whether the network is up (ip route) and whether those servers can be reached; `resolvectl status` helps"
    )


def _servers() -> tuple[str, str]:
    """The name servers in words, and what is wrong with the file that lists them, or empty."""
    try:
        servers = name_servers()
    except OSError as error:
        return "", f"{RESOLVER_FILE} cannot be read: {error.strerror}"
    return _some(servers), "" if servers else f"{RESOLVER_FILE} names no server"


async def _ask(name: str) -> tuple[type[Exception] | None, str]:
    try:
        await asyncio.wait_for(off_loop(lambda: look_up(name)), LOOKUP_DEADLINE)
    except NotFound as error:
        return NotFound, str(error)
    except NoAnswer as error:
        return NoAnswer, str(error)
    except TimeoutError:
        return NoAnswer, f"no answer within {LOOKUP_DEADLINE:g} s"
    return None, ""


def _host_names(accounts: Iterable[Account]) -> list[str]:
    names: dict[str, None] = {}
    for account in accounts:
        for setup in legs_of(account):
            try:
                host = setup.endpoint.ascii_host
            except ValueError:
                continue
            if host != "localhost" and not _is_address(host):
                names[host] = None
    return list(names)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def network_findings() -> list[Finding]:
    """The address families that this machine can reach, and how many connections it may hold."""
    families = routed_families()
    if not families:
        words = "this machine has no route, neither for IPv4 nor for IPv6"
        findings = [
            Finding("network", State.WARNING, words, "bring the network up; only servers of this machine answer")
        ]
    else:
        lacking = {"IPv4", "IPv6"} - set(families)
        words = f"a route for {' and '.join(families)}" + "".join(f"; none for {family}" for family in lacking)
        findings = [Finding("network", State.OK, words)]
    return findings + _files()


def _files() -> list[Finding]:
    import resource

    from mailtui.actions.check import Limits

    wanted = Limits().total + _OTHER_FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return []
    words = f"only {soft} files may be open at once, and {Limits().total} connections may be"
    return [
        Finding("network", State.WARNING, words, f"run: ulimit -n {max(1_024, wanted)}, or check with a lower --limit")
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
