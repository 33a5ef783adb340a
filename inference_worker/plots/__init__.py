"""Figures as files, drawn by matplotlib's Agg without any window: one module a figure, `style` for all."""
