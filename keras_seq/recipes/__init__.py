"""Recipes: data, model, training and measurement of one task, in the order in which they happen."""
