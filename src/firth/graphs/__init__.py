"""Graphs, and random walks over them as a corpus: what DeepWalk and node2vec train on."""

from firth.graphs.graph import Graph

__all__ = ["Graph"]
