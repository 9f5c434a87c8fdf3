"""Profiles: what is known of a person, as an exact merge of one aggregate per node (CORE.md sections 1 and 3).

`fold` takes an event into the `Partial` of its node, `merge` makes the `Profile` of a person from the partials of
their nodes. Both depend on the SET of events only: order of arrival, slicing and the division into nodes change
nothing, so that a merge of two people and its undoing are exact.
"""
