"""`connector demo`: a shop's morning through the whole system, on simulated bexio and Arcavis, with its proof."""

from app.cli.demo.command import demo

__all__ = ["demo"]
