"""Tests of the wire: one contract for the sessions, a battery of faults, and the parsers by themselves."""
