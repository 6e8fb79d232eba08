"""Which version of a model is the one in use: an alias moves only to a version that answers as recorded.

May use everything below the component; docs/decisions/0027-promotion.md says how a promotion is proved.
"""
