"""Drive segment-analytics-python, unmodified: only `host` differs from its defaults.

Arguments: host, write key, number of messages, user id. Prints {"version", "sent": [message ids], "failed": n}.
"""

import json
import sys

from segment.analytics.client import Client
from segment.analytics.version import VERSION


def main() -> None:
    host, write_key, count, user = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    failures: list[str] = []
    client = Client(write_key, host=host, on_error=lambda error, _batch: failures.append(repr(error)))
    sent = [client.identify(user, {"plan": "gold", "visits": 3})[1]]
    sent += [client.track(user, "Product Viewed", {"n": n, "price": 12.5})[1] for n in range(count - 2)]
    sent.append(client.page(user, "Shop", "Home", {"path": "/"})[1])
    client.shutdown()
    # 2.4.0 returns the message that was queued; older releases return it too, with the id they gave it
    print(json.dumps({"version": VERSION, "sent": [m["messageId"] for m in sent], "failed": failures}))


main()
