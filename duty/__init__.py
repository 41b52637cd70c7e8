"""Who is told and what was done: notification, escalation, roster, orders, reports, CAP, duty log."""
