"""Views of a model: which layers it calls, and tables of them."""

from lamina.keras.viz import calls, summary
from lamina.keras.viz.summary import print_summary

__all__ = ["calls", "print_summary", "summary"]
