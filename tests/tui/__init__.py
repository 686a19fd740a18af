"""Tests of the screens: scripted checks, no network and no clock."""
