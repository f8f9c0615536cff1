"""Parametric anatomy: whole upper abdomens as label volumes, each body drawn from a plan of some thirty numbers."""

from livermre.simulate.anatomy.build import make_anatomy
from livermre.simulate.anatomy.plan import BodyPlan, Resection, random_plan
from livermre.simulate.anatomy.volume import Anatomy

__all__ = ["Anatomy", "BodyPlan", "Resection", "make_anatomy", "random_plan"]
