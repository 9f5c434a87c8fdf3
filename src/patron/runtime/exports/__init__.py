"""Exports of a running workspace: saved, run when due, and shown."""
