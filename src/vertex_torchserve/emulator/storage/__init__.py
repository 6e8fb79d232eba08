"""The emulated Cloud Storage: its server, the objects the emulator reads and writes, copies of artifacts."""
