"""The wire's own fixtures serve here as well."""

from tests.protocols.conftest import authority, clock

__all__ = ["authority", "clock"]
