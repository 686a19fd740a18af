"""The account form without a screen: its fields, what they hold, and what becomes of it."""
