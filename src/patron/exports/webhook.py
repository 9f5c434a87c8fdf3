"""Changes to an HTTP address: a JSON body a batch, signed, with an idempotency key.

The body is `{"export", "batch", "fields", "changes": [{"op", "id", "values"}]}`. Any 2xx answer takes the batch; its JSON may
name rows that were not taken: `{"failed": [{"id": "p_...", "reason": "..."}]}`. 408, 425, 429 and 5xx are tried again.
The signature is HMAC-SHA256 of the body in hex, as GitHub and Stripe sign theirs.
"""

import hashlib
import hmac
from collections.abc import Sequence

import httpx
import msgspec

from patron.exports.delivery import Undelivered
from patron.model.exports import Difference, WebhookTarget

SECONDS = 30.0
_AGAIN = frozenset({408, 425, 429})


class _Failed(msgspec.Struct):
    id: str
    reason: str = "no reason given"


class _Answer(msgspec.Struct):
    failed: list[_Failed] = []


class WebhookSender:
    """Sends to one address; `secret` empty means unsigned."""

    def __init__(
        self,
        name: str,
        target: WebhookTarget,
        fields: Sequence[str],
        secret: str,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.batch = target.batch
        self._name = name
        self._target = target
        self._fields = list(fields)
        self._secret = secret.encode()
        self._client = client or httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)

    async def send(self, batch_id: str, changes: Sequence[Difference]) -> dict[str, str]:
        """Deliver a batch."""
        body = msgspec.json.encode(
            {
                "export": self._name,
                "batch": batch_id,
                "fields": self._fields,
                "changes": [{"op": c.op, "id": c.key, "values": _named(self._fields, c)} for c in changes],
            }
        )
        headers = {"Content-Type": "application/json", "Idempotency-Key": batch_id}
        if self._secret:
            headers["Patron-Signature"] = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        try:
            answer = await self._client.post(self._target.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Undelivered(
                f"the address does not answer ({str(error) or type(error).__name__})", again=True
            ) from error
        return _refused(answer, {c.key for c in changes})

    async def finish(self) -> None:
        """Nothing is left to do."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _refused(answer: httpx.Response, keys: set[str]) -> dict[str, str]:
    status = answer.status_code
    if not answer.is_success:
        again = status in _AGAIN or status >= 500
        hint = "it will be tried again" if again else "check the address, the secret and what it accepts"
        raise Undelivered(
            f"the address answered {status}: {answer.text[:200]!r}; {hint}", again=again, wait=_wait(answer)
        )
    try:
        told = msgspec.json.decode(answer.content, type=_Answer)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}  # an answer of another form took the batch: its status says so
    return {one.id: one.reason[:300] for one in told.failed if one.id in keys}


def _wait(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _named(fields: Sequence[str], change: Difference) -> dict[str, object]:
    return dict(zip(fields, change.values, strict=True)) if change.values else {}
