"""Plan the move of an alias, with everything that is wrong found before anything is asked or changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.release.artifact import golden_requests_of
from vertex_torchserve.release.proof import Proof, proved_here, proved_on_endpoint
from vertex_torchserve.resource_rules.version_aliases import version_alias_problems
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.smoke_test.run import READY_TIMEOUT_SECONDS
from vertex_torchserve.vertex_ai import (
    DeployedVersion,
    ModelPlace,
    RegisteredVersion,
    deployments_of,
    find_versions,
    model_place,
    move_alias,
    versions_before,
)

_RECORD = "record the answers with `vertex-torchserve golden record`"


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        model: The model's resource name, id or display name.
        alias: The alias to move.
        version: Id or alias of the version that gets it; None for the version that had it before.
        project: Google Cloud project id; None where `model` is a resource name.
        location: Vertex AI region; likewise.
        endpoint: Resource name, id or display name of the endpoint to ask; None for the one there is.
        golden: Requests in place of the archive's own.
    """

    model: str
    alias: str
    version: str | None = None
    project: str | None = None
    location: str | None = None
    endpoint: str | None = None
    golden: RequestFile | None = None


@dataclass(frozen=True)
class Move:
    """An alias, from where to where, and how the version is proved before.

    Attributes:
        place: Where the model is.
        alias: The alias.
        target: The version that gets it.
        holder: Id of the version that has it; None when none has.
        before: What `target` keeps as the versions that had the alias before, the last one first.
        golden: What to ask, and the answers; None when the alias is there already.
        deployed: Where to ask; None for a server here.
    """

    place: ModelPlace
    alias: str
    target: RegisteredVersion
    holder: str | None
    before: tuple[str, ...]
    golden: RequestFile | None = None
    deployed: DeployedVersion | None = None

    @property
    def is_done(self) -> bool:
        """Whether the version has the alias already."""
        return self.holder == self.target.version_id

    def prove(
        self, *, image: str | None = None, ready_timeout_seconds: float = READY_TIMEOUT_SECONDS
    ) -> Proof:
        """Ask the version its golden requests.

        Args:
            image: Serve it in a container of this image, where it isn't deployed; None for this Python.
            ready_timeout_seconds: How long the model may take to load here.

        Raises:
            InputError: The archive can't be had, or is not the one that was registered.
            ServingError: It does not serve, or a request is not answered.
        """
        if self.golden is None:
            raise ValueError(f"{self.alias} is there already: nothing was planned to ask")
        if self.deployed:
            return proved_on_endpoint(self.deployed, self.golden)
        return proved_here(self.target, self.golden, image=image, ready_timeout_seconds=ready_timeout_seconds)

    def carry_out(self) -> None:
        """Move the alias; doing it again changes nothing.

        Raises:
            RegistryError: When Vertex AI refuses or fails.
        """
        if not self.is_done:
            move_alias(self.place, self.target, self.alias, self.before)


def planned(wish: Wish) -> Move:
    """Find model, version, golden requests and endpoint; only reads.

    Args:
        wish: What is asked for.

    Raises:
        InputError: With everything that is wrong.
        RegistryError: When Vertex AI refuses or fails.
    """
    place, unplaced = model_place(wish.model, wish.project, wish.location)
    problems = list(version_alias_problems([wish.alias]))
    if unplaced:
        raise InputError(*unplaced, *problems)
    try:
        versions = find_versions(place)
    except InputError as error:
        raise InputError(*problems, *error.problems) from error
    holder = next((each for each in versions if wish.alias in each.aliases), None)
    held_by = holder.version_id if holder else None
    target: RegisteredVersion | None
    if wish.version is None:
        target, before = _version_before(versions, holder, wish.alias, problems)
    else:
        target = _version(versions, wish.version, problems)
        before = (holder.version_id, *versions_before(holder, wish.alias)) if holder else ()
    if target is None:
        raise InputError(*problems)
    if target is holder and not problems:
        return Move(place, wish.alias, target, held_by, before)
    deployed = _deployed(place, target, wish.endpoint, problems)
    golden = wish.golden or _packed(target, problems)
    if golden and all(request.predictions is None for request in golden.requests):
        problems.append(
            Problem("the golden requests hold no predictions to compare the answers with", _RECORD)
        )
    raise_problems(problems)
    return Move(place, wish.alias, target, held_by, before, golden, deployed)


def _version(
    versions: Sequence[RegisteredVersion], named: str, problems: list[Problem]
) -> RegisteredVersion | None:
    """The version with this id or alias."""
    for version in versions:
        if named == version.version_id or named in version.aliases:
            return version
    there = ", ".join(version.version_id for version in versions)
    problems.append(
        Problem(
            f"{versions[0].display_name} has no version {named!r}; it has {there}",
            "give one of these as --version, or an alias",
        )
    )
    return None


def _version_before(
    versions: Sequence[RegisteredVersion],
    holder: RegisteredVersion | None,
    alias: str,
    problems: list[Problem],
) -> tuple[RegisteredVersion | None, tuple[str, ...]]:
    """The version that had the alias before, and those before it; versions that were deleted are left out."""
    there = {version.version_id: version for version in versions}
    before = [each for each in versions_before(holder, alias) if each in there] if holder else []
    if before:
        return there[before[0]], tuple(before[1:])
    name = versions[0].display_name
    what = (
        f"version {holder.version_id} of {name} has the alias {alias!r}, and no version is written down that "
        "had it before"
        if holder
        else f"no version of {name} has the alias {alias!r}"
    )
    problems.append(
        Problem(
            f"nothing to roll back to: {what}",
            f"name the version: `vertex-torchserve promote MODEL --alias {alias} --version VERSION`; there "
            f"are {', '.join(there)}",
        )
    )
    return None, ()


def _deployed(
    place: ModelPlace, target: RegisteredVersion, endpoint: str | None, problems: list[Problem]
) -> DeployedVersion | None:
    """Where to ask: the endpoint that is named, else the only one where the version gets requests."""
    everywhere = deployments_of(place, target)
    asked = [each for each in everywhere if each.percent]
    if endpoint is not None:
        named = [each for each in everywhere if each.is_called(endpoint)]
        asked = [each for each in named if each.percent]
        if not asked:
            problems.append(
                Problem(
                    f"version {target.version_id} gets no traffic on endpoint {endpoint!r}, so it can't be "
                    "asked there"
                    if named
                    else f"version {target.version_id} is not deployed on an endpoint {endpoint!r}; it is on "
                    f"{_listed(everywhere) or 'none'}",
                    "give it a share of the traffic, or leave --endpoint out to have it served here",
                )
            )
            return None
    if len(asked) > 1:
        problems.append(
            Problem(
                f"version {target.version_id} is deployed on several endpoints: {_listed(asked)}",
                "name the one to ask with --endpoint",
            )
        )
    return asked[0] if len(asked) == 1 else None


def _packed(target: RegisteredVersion, problems: list[Problem]) -> RequestFile | None:
    try:
        golden = golden_requests_of(target)
    except InputError as error:
        problems += error.problems
        return None
    if golden is None:
        problems.append(
            Problem(
                f"version {target.version_id} has no golden requests: nothing says what it should answer",
                f"{_RECORD}, and give the file with --golden-request, or package the model with it",
            )
        )
    return golden


def _listed(deployments: Iterable[DeployedVersion]) -> str:
    return ", ".join(f"{each.endpoint_display_name} ({each.endpoint})" for each in deployments)
