"""What Google Cloud accepts: labels, display names, version aliases, bucket names, prebuilt containers.

One module a rule, each with the public document it comes from. `vertex_ai` and the component refuse with them
before anything is uploaded; the emulator refuses with them what a client sends. Imports `errors` and nothing
else of this package.
"""
