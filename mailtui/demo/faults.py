"""Servers that fail in one plain way each. Every one of them waits until the client goes away."""

import asyncio

_CHUNK = 4_096


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept the connection and never say a word."""
    while await reader.read(_CHUNK):
        pass


async def ssh_banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet like an SSH server (RFC 4253, section 4.2), then say nothing more."""
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    await silent(reader, writer)
