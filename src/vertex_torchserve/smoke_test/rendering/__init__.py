"""A report as people and programs read it: on a terminal, as JUnit XML, as one HTML page."""
