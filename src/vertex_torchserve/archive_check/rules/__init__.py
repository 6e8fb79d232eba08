"""The rules, one a file; `rule_table.py` lists them."""
