"""Apply what a diagnosis proposes: to an account, or as the TOML that a person would change."""

from mailtui.model.account import Account
from mailtui.model.diagnosis import Fix


def apply_fix(account: Account, fix: Fix) -> Account:
    """`account` with `fix` made. Raises UsageError when it does not fit the account any more."""
    raise NotImplementedError
