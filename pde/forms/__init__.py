"""Closed forms of the Fokker–Planck equation: the catalogue in one dimension, products of it, balls, and normal laws."""

from .form import ClosedForm as ClosedForm
from .form import NoClosedForm as NoClosedForm
