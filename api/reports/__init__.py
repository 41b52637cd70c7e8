"""Reports on an incident (初报 续报 终报): drafted through the one door, listed, read; CAP."""
