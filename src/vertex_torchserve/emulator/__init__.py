"""A local Vertex AI, a REST subset for the unmodified SDK, beside an emulated Cloud Storage.

`lifecycle.py` starts and stops everything; `state.py` keeps models, endpoints and jobs in one file;
`durable_file.py` writes what a kill must not tear, `relay.py` passes connections on. Of the rooms, each
imports only those before it:

- `rest/`: requests, answers, errors, names, lists, long-running operations, and what a server refuses;
- `storage/`: the emulated Cloud Storage, and the emulator's own copies of model artifacts;
- `registry/`: models, their versions and aliases;
- `containers/`: what a model's container gets from the platform, and what serves: a process or its image;
- `endpoints/`: endpoints, and the models deployed to them;
- `batch/`: batch prediction jobs;
- `google_hosts/`: Google's own host names, for clients that write them.

Of the rest of the package it imports `errors`, `resource_rules` and `serving_plan`, and in `containers/`
alone what starts a served model: `serving` and `docker`. Only the demo and the command `emulator` import it.
docs/emulator.md says what is emulated.
"""

from vertex_torchserve.emulator.lifecycle import Emulator

__all__ = ["Emulator"]
