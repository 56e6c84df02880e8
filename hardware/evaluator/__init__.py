"""Evaluator (好差评): keys with which a citizen says how content they were."""
