"""Files in an instance: bytes, pictures and sounds."""
