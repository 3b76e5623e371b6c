"""Pictures of word vectors: maps on two principal components, with the extra `viz`."""

from firth.visualise.picture import Panel, draw_map, draw_panels

__all__ = ["Panel", "draw_map", "draw_panels"]
