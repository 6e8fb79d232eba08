"""What the KFP component does, behind its interface: check all inputs, stage, package, prove, register."""
