"""Who is on duty: shifts in steps, stand-ins, absences, and the gaps ahead."""
