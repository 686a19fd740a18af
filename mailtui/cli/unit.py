"""The agent as a service of the user's own systemd."""

import os
import shutil
import sys
from pathlib import Path

from mailtui.storage.paths import DATA_VARIABLE, SETTINGS_VARIABLE

_UNIT = """\
[Unit]
Description=mailtui agent: fetches mail and checks accounts
Documentation=man:systemd.service(5)

[Service]
Type=exec
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
{environment}Restart=on-failure
RestartSec=60
TimeoutStopSec=60
UMask=0077

# A key for the vault of passwords, where no keyring is unlocked:
#LoadCredential=mailtui.key:%h/.config/mailtui/vault.key

# Only what a user's own systemd can enforce without user namespaces. A command that delivers mail or gives a password
# is held by it, too: for one that changes its user (setuid), remove these lines.
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


def unit_text(data: str | None) -> str:
    """The unit for the agent as it would run now: this program, this data folder, these settings.

    `data` is the folder that was named on the command line.
    """
    command = [_program(), *([] if data is None else ["--data", str(Path(data).expanduser().absolute())]), "agent"]
    if command[0] == sys.executable:
        command[1:1] = ["-m", "mailtui"]
    variables = [_first_set(SETTINGS_VARIABLE, "XDG_CONFIG_HOME")]
    if data is None:
        variables.insert(0, _first_set(DATA_VARIABLE, "XDG_DATA_HOME"))
    environment = "".join(
        f"Environment={_quoted(f'{name}={Path(os.environ[name]).expanduser().absolute()}')}\n"
        for name in variables
        if name
    )
    return _UNIT.format(command=" ".join(_quoted(word, is_command=True) for word in command), environment=environment)


def _first_set(*names: str) -> str:
    """The first of the environment variables `names` that is set; empty for none. A service starts without them."""
    return next((name for name in names if os.environ.get(name)), "")


def _program() -> str:
    """This program as it can be started again: the script that was started, or else the Python that runs it."""
    script = Path(sys.argv[0])
    if script.name == "mailtui" and (found := shutil.which(script)) is not None:
        return str(Path(found).absolute())
    return sys.executable


def _quoted(word: str, *, is_command: bool = False) -> str:
    """`word` as systemd reads it back (systemd.syntax(7), systemd.service(5)): specifiers and variables are literal."""
    word = word.replace("%", "%%")
    if is_command:
        word = word.replace("$", "$$")
    if word and all(character.isalnum() or character in "-_./=%$@:+," for character in word):
        return word
    escaped = "".join(
        f"\\{character}" if character in '"\\' else f"\\x{ord(character):02x}" if ord(character) < 32 else character
        for character in word
    )
    return f'"{escaped}"'
