"""Where the contract is written: Google's pages, and what stands on none of them."""

_PAGES = "https://cloud.google.com/vertex-ai/docs/predictions"

CUSTOM_CONTAINERS = f"{_PAGES}/custom-container-requirements"
ENDPOINT_TYPES = f"{_PAGES}/choose-endpoint-type"
ONLINE_PREDICTIONS = f"{_PAGES}/get-online-predictions"
BATCH_PREDICTIONS = f"{_PAGES}/get-batch-predictions"
KUBERNETES_PODS = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
SECURE_PODS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
NO_PAGE = "no page of Google's says so; it is what clients and operators rely on"
