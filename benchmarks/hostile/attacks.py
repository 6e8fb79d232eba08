"""All attacks, in the order of the tables."""

from .answers import ANSWERS
from .attack import Attack
from .bodies import BODIES
from .connections import CONNECTIONS
from .forms import FORMS
from .framings import FRAMINGS
from .tasks import TASKS

# What there is to see without an attack.
NOTHING = Attack("nothing", "sends nothing", bytes, frozenset(), connections=0, holds=True)
GROUPS: dict[str, tuple[Attack, ...]] = {
    "For comparison": (NOTHING,),
    "Forms": FORMS,
    "Framings": FRAMINGS,
    "Bodies": BODIES,
    "What the reference handler is asked": TASKS,
    "What the wire can't carry": ANSWERS,
    "Slow and many": CONNECTIONS,
}
ATTACKS: dict[str, Attack] = {attack.name: attack for group in GROUPS.values() for attack in group}
