"""Figures for print: drawings of plain shapes, in points, that become SVG or lines of a PDF."""
