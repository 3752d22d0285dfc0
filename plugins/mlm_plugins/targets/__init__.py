"""Where models are served."""
