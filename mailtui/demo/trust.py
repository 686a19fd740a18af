"""Trust in the demo's authority, for this process alone: what a person types meets servers that prove themselves."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STORE_VARIABLE = "SSL_CERT_FILE"


@contextmanager
def trusted(ca_file: Path) -> Iterator[None]:
    """For the time of the block, what this process takes for the system's store has `ca_file`, too.

    OpenSSL reads the store's place from the environment. Raises OSError where the store cannot be read.
    """
    usual = os.environ.get(_STORE_VARIABLE)
    store = ssl.get_default_verify_paths().cafile
    bundle = ca_file.with_name("store.pem")
    bundle.write_bytes((Path(store).read_bytes() + b"\n" if store else b"") + ca_file.read_bytes())
    os.environ[_STORE_VARIABLE] = str(bundle)
    try:
        yield
    finally:
        if usual is None:
            del os.environ[_STORE_VARIABLE]
        else:
            os.environ[_STORE_VARIABLE] = usual
