"""Certificates from votes on ablated inputs."""
