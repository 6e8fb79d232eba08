"""Google's credentials, project and region; the emulator's where its variables are set."""

import os

from vertex_torchserve.doctor.finding import Finding, State

_NO_SDK = Finding(
    "google", State.MISSING, "the Google SDK is not installed", "pip install 'vertex-torchserve[vertex]'"
)


def check_google(project: str | None, location: str | None) -> list[Finding]:
    """Whether the commands that talk to Vertex AI can: who is asked, as whom, for what.

    Args:
        project: Google Cloud project id; that of the credentials when None.
        location: Vertex AI region.
    """
    try:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
        from google.auth.transport.requests import Request

        from vertex_torchserve.vertex_ai.client import EMULATOR_HOST
        from vertex_torchserve.vertex_ai.place import place_problems
    except ModuleNotFoundError:
        return [_NO_SDK]
    if emulator := os.environ.get(EMULATOR_HOST):
        who = Finding("credentials", State.OK, f"none are needed: {EMULATOR_HOST}={emulator} is the emulator")
    else:
        try:
            credentials, project_of = google.auth.default(
                scopes=["https://www.googleapis.com/auth/cloud-platform"]
            )
            project = project or project_of
            credentials.refresh(Request())
            account = getattr(credentials, "service_account_email", "") or "your own account"
            who = Finding("credentials", State.OK, f"{type(credentials).__name__} of {account}")
        except DefaultCredentialsError:
            who = Finding(
                "credentials",
                State.MISSING,
                "no Google credentials were found",
                "run `gcloud auth application-default login`, or start the emulator and export its variables",
            )
        except (RefreshError, TransportError) as error:
            who = Finding(
                "credentials",
                State.MISSING,
                f"the credentials can't be used: {error}",
                "run `gcloud auth application-default login` again",
            )
    problems = list(place_problems(project or "", location or "")) if location else []
    if not project or not location:
        given = f"project {project or 'not set'}, location {location or 'not set'}"
        fix = "export GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION, or give --project and --location"
        return [who, Finding("place", State.MISSING, given, fix)]
    if problems:
        return [who, *(Finding("place", State.MISSING, each.message, each.fix) for each in problems)]
    return [who, Finding("place", State.OK, f"project {project}, location {location}")]
