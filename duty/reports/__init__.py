"""What is read or handed in: reports (初报 续报 终报), CAP, handover sheet, the duty log in words."""
