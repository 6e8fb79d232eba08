"""What this machine has of what the toolkit needs: one file a check."""

from vertex_torchserve.doctor.examination import CHECKS, examine
from vertex_torchserve.doctor.finding import Finding, State

__all__ = ["CHECKS", "Finding", "State", "examine"]
