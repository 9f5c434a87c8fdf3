"""Drive rudder-sdk-python, unmodified: only `host` differs from its defaults (so gzip is on).

Arguments: host, write key, number of messages, user id. Prints {"version", "sent": [message ids], "failed": [...]}.
"""

import json
import sys

from rudderstack.analytics.client import Client
from rudderstack.analytics.version import VERSION


def main() -> None:
    host, write_key, count, user = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    failures: list[str] = []
    client = Client(write_key, host=host, on_error=lambda error, _batch: failures.append(repr(error)))
    sent = [client.identify(user, {"plan": "gold", "visits": 3})[1]]
    sent += [client.track(user, "Product Viewed", {"n": n, "price": 12.5})[1] for n in range(count - 2)]
    sent.append(client.page(user, "Shop", "Home", {"path": "/"})[1])
    client.shutdown()
    print(json.dumps({"version": VERSION, "sent": [m["messageId"] for m in sent], "failed": failures}))


main()
