"""Forms of requests of other APIs: each is read as an instance, and answered in its own form."""
