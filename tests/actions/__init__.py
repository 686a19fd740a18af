"""Tests of the use cases, free of any user interface."""
