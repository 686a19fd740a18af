"""A mail world of its own on loopback: servers that work, servers that fail, and the accounts that meet them."""
