"""What people do: acts on alarms and devices, reports, orders; each through the one door of `duty.door`."""
