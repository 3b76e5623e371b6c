"""Graphs over vectors, by which the nearest are found without looking at all: one library in each file.

base.py         what each offers
usearch.py, faiss.py, hnswlib.py
file.py         how they stand in a file, with what tells whose vectors they are

All three are hierarchical navigable small worlds (Malkov & Yashunin 2018): a search goes from neighbour to neighbour
towards the query, and may miss some of the nearest. firth asks them for candidates alone, and scores those by the
vectors themselves.
"""

from __future__ import annotations

from firth.indexes.base import Graph
from firth.indexes.faiss import FaissGraph
from firth.indexes.hnswlib import HnswlibGraph
from firth.indexes.usearch import UsearchGraph

__all__ = ["GRAPHS", "Graph"]

GRAPHS: dict[str, type[Graph]] = {graph.kind: graph for graph in (UsearchGraph, FaissGraph, HnswlibGraph)}
