"""The study of the time that sampling the twin takes."""
