"""Vectors made of others by what all of them have in common, by a lexicon, or by a second model.

    from firth.transforms import align, read_lexicon, retrofitted, transformed

components.py    the mean and the strongest directions taken out, unit length
retrofitting.py  words drawn to their neighbours in a lexicon
alignment.py     one model turned onto another, and which words moved
listed.py        lexicons and dictionaries read from text files
files.py         all that from model files to a model file

Each takes `WordVectors` of any storage and gives new float32 ones with the same words and counts.
"""

from firth.transforms.alignment import Alignment, Moved, align
from firth.transforms.components import transformed
from firth.transforms.listed import read_lexicon, read_pairs
from firth.transforms.retrofitting import retrofitted

__all__ = ["Alignment", "Moved", "align", "read_lexicon", "read_pairs", "retrofitted", "transformed"]
