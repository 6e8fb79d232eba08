"""Requests that one client sends to take a server away from the others, and who suffers from them."""
