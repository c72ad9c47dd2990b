"""What Celery's workers are told."""
