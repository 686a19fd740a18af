"""The hostile battery: servers, and people on the way to them, that mean harm; see docs/hostile.md."""
