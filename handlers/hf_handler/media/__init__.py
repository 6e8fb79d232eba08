"""Files in an instance: their bytes, and pictures and sounds made of them."""
