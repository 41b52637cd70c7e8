"""What Grafana's three rules tell, taken as conditions of the system."""
