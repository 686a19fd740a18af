"""Real mail servers on loopback ports of their own, and the tests that check accounts against them."""
