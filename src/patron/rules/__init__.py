"""The one rule language: plain conditions on a person's facts, checked, matched and said in words."""
