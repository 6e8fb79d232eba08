"""The REST interface: HTTP in and out, Google's errors, names, lists and operations. It knows no resource."""
