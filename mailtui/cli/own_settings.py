"""What the person's settings file says to a command; a slip in it is told and keeps nobody out."""

from argparse import Namespace

from mailtui.cli.output import Output
from mailtui.storage.paths import settings_path
from mailtui.storage.settings import Settings, load_settings


def own_settings(output: Output, *tables: str) -> Settings:
    """The settings; what is wrong with one of `tables`, or with the whole file, is told on standard error."""
    settings = load_settings(settings_path())
    for problem in settings.problems:
        # What is wrong with colours and keys is told where they are used; without places, nothing could be read.
        if not settings.places or any(f": {table}" in problem for table in tables):
            output.error(problem)
    return settings


def certificate_days(args: Namespace, output: Output) -> int:
    """How soon a certificate must end to be a warning: as the option says, or else the settings."""
    if args.certificate_days is not None:
        return int(args.certificate_days)
    return own_settings(output, "check").certificate_days
