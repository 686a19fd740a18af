"""What is written down is true and fit to publish: links lead somewhere, modules stay small, no machine shows."""

import configparser
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE_LIMIT = 400

# The patterns are put together here so that this file holds none of them.
_REGISTRIES = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("conda", "io"))
]
_MACHINE = [
    "/".join(parts)
    for parts in (("", "work", "main"), ("", "work", "shared"), ("", "tmp", "v", "bin"), ("..", "shared"))
]

_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_HTML_LINK = re.compile(r"""<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def links(markdown: str) -> list[str]:
    """Every target of a link or picture, code aside."""
    text = _CODE.sub("", markdown)
    return [target for pattern in (_LINK, _HTML_LINK, _DEFINITION) for target in pattern.findall(text)]


def anchors(markdown: str) -> set[str]:
    """The anchors that a forge makes from headings: lower case, punctuation dropped, spaces as hyphens."""
    headings = _HEADING.findall(re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(document: Path) -> list[str]:
    """The links of a document that lead to no file and no heading; addresses elsewhere are not followed."""
    dead = []
    for link in links(document.read_text()):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = document.parent / unquote(parts.path) if parts.path else document
        missing = not target.exists()
        if missing or (parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target.read_text())):
            dead.append(link)
    return dead


def files_of_the_project() -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def index_hosts() -> list[str]:
    """The hosts of the package index that this machine's pip is set to use."""
    values = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL")]
    for path in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"):
        settings = configparser.RawConfigParser()
        settings.read(path)
        values += [value for section in settings.sections() for key, value in settings.items(section) if "url" in key]
    hosts = (urlsplit(address).hostname for value in values for address in value.split())
    return [host for host in hosts if host and host not in ("localhost", "127.0.0.1")]


def traces(text: str, forbidden: list[str]) -> list[str]:
    """Which of the forbidden strings a text holds."""
    return [pattern for pattern in forbidden if pattern in text]


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/config.md", "docs/keys.md"]
)
def test_every_link_leads_somewhere(name: str) -> None:
    assert dead_links(ROOT / name) == []


def test_the_readme_shows_a_picture() -> None:
    pictures = [link for link in links((ROOT / "README.md").read_text()) if link.endswith((".svg", ".png"))]
    assert pictures
    assert all((ROOT / picture).stat().st_size > 0 for picture in pictures if not urlsplit(picture).scheme)


def test_no_module_is_long() -> None:
    modules = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "mailtui").rglob("*.py")}
    assert modules
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules.items()}
    assert {name: length for name, length in lengths.items() if length > LINE_LIMIT} == {}


def test_no_machine_and_no_registry_shows_through() -> None:
    forbidden = [*_REGISTRIES, *_MACHINE, f"{ROOT}/", *index_hosts()]
    found = {
        path.relative_to(ROOT).as_posix(): hits
        for path in files_of_the_project()
        if (hits := traces(path.read_text(errors="replace"), forbidden))
    }
    assert found == {}


def test_a_trace_of_the_machine_would_be_found() -> None:
    text = f"see {_MACHINE[0]}/x and https://files.{_REGISTRIES[1]}/y"
    assert traces(text, [*_REGISTRIES, *_MACHINE]) == [_REGISTRIES[1], _MACHINE[0]]


def test_a_dead_link_would_be_found(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(
        "# A tour of it\n[ok](README.md) [up](#a-tour-of-it) [gone](gone.md) [no](#nowhere)\n"
        '![pic](pic.svg) <img src="lost.png"> [far](https://example.org/x) `[code](never.md)`\n[ref]: lost.md\n'
    )
    assert dead_links(document) == ["gone.md", "#nowhere", "pic.svg", "lost.png", "lost.md"]
