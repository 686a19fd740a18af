"""The screens, each beside its style sheet; loaded when they are first shown."""
