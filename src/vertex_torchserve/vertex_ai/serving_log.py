"""Where Google keeps what the containers of an endpoint log."""

from urllib.parse import quote


def log_filter(endpoint_id: str) -> str:
    """The filter of Cloud Logging that shows an endpoint's containers."""
    return f'resource.type="aiplatform.googleapis.com/Endpoint" resource.labels.endpoint_id="{endpoint_id}"'


def log_url(project: str, endpoint_id: str) -> str:
    """The page of the console that shows them."""
    lines = log_filter(endpoint_id).replace(" ", "\n")
    return f"https://console.cloud.google.com/logs/query;query={quote(lines, safe='')}?project={project}"
