"""The rules are read only when something is wrong, and once."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_WITNESS = """
import sys
from mailtui.diagnosis import diagnose
from tests.diagnosis.legs import failed_leg, warning_leg
from mailtui.model.check import Cause
assert diagnose(warning_leg("")) is None
print("mailtui.diagnosis.rules" in sys.modules, "tomllib" in sys.modules)
for _ in range(3):
    diagnose(failed_leg(Cause.SILENT))
print(sys.modules["mailtui.diagnosis.rules"]._packaged.cache_info().misses)
"""


def test_the_rules_are_read_once_and_only_for_a_leg_that_failed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITNESS], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split("\n")[:2] == ["False False", "1"], done.stderr
