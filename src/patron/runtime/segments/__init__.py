"""Segments, computed traits and conditions of a running workspace: defined, filled, kept live, explained, compared with the lake."""
