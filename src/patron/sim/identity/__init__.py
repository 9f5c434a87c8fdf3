"""The identity lab: the records of a generated world, the methods of table 7.5 over them, and how right each is.

A system is scored by the person it gives for each record's key:

>>> from patron.sim.identity import Record, clusters_from, report
>>> records = [Record("card:1", person=1, household=0), Record("anonymous_id:c", person=1, household=0)]
>>> report(records, clusters_from(records, {"card:1": "p", "anonymous_id:c": "p"})).recall
1.0
"""

from patron.sim.identity.records import Record, records_of
from patron.sim.identity.report import Scores, clusters_from, report, table

__all__ = ["Record", "Scores", "clusters_from", "records_of", "report", "table"]
