"""Ways to send a message: each reads the service's answer, not only its status."""
