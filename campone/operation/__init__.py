"""What whoever runs the service sees of it: whether it lives, whether it is ready, its figures, its log."""
