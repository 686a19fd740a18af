"""mailtui: keep, prove and use mail accounts from a terminal."""

__version__ = "0.1.0.dev0"
