"""The wire's certificates, for dialogues over real connections."""

from tests.protocols.conftest import authority as authority
