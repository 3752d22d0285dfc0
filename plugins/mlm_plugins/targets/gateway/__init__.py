"""The gateway: an OpenAI-compatible endpoint in front of the arms of a deployment."""
