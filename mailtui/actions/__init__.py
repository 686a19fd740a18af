"""The use cases, free of any user interface: what a person asks for, done and answered in values."""
