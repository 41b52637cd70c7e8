"""What is told of an incident: when and why, to whom at which address, in which words."""
