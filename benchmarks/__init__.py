"""Runnable comparisons: this program's check beside the tools that people use for the same job."""
