"""Every check, one a file; the folders are the groups, `check_table.py` has their order."""
