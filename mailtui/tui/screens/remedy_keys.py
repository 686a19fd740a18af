"""The keys that do something about a failed leg, the same wherever accounts are."""

from textual.binding import Binding

# In the footer only while they help, for room is dear there: see `KeyBar.offer`.
FIX = Binding(
    "F",
    "fix",
    "Fix",
    show=False,
    id="remedy.fix",
    tooltip="Make the change that the diagnosis proposes, and test again",
)
ACCEPT = Binding(
    "A",
    "accept",
    "Accept",
    show=False,
    id="remedy.accept",
    tooltip="Accept what a server changed, after showing it, and test again",
)
INSIST = Binding(
    "I",
    "insist",
    "Insist",
    show=False,
    id="remedy.insist",
    tooltip="Log in again although the login was refused; asks first",
)
