"""Pictures of word vectors: maps, heat maps and analogies on paper, and maps to explore in a browser."""

from firth.visualise.choosing import neighbourhoods, read_groups
from firth.visualise.heat import draw_heatmap
from firth.visualise.maps import draw_map, draw_panels
from firth.visualise.page import Page, draw_page
from firth.visualise.panels import Panel
from firth.visualise.parallelograms import draw_analogies
from firth.visualise.picture import Picture
from firth.visualise.plotting import plot

__all__ = [
    "Page",
    "Panel",
    "Picture",
    "draw_analogies",
    "draw_heatmap",
    "draw_map",
    "draw_page",
    "draw_panels",
    "neighbourhoods",
    "plot",
    "read_groups",
]
