"""What a command does before it works for long."""

import gc
import logging


def settle() -> None:
    """Silence the libraries' own logs, and let the collector work again; all that was loaded stays."""
    # Libraries log in words of their own, which nobody has cleaned or masked, and Python prints what nobody handles.
    logging.getLogger().addHandler(logging.NullHandler())
    gc.freeze()
    gc.enable()
