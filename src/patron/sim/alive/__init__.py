"""A town that goes on now, at the pace of a clock, with decisions asked on the way."""
