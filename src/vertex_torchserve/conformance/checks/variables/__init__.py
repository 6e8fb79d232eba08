"""Another port and other routes."""
