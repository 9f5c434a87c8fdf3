"""Keys: random secrets shown once and kept as hashes, and the directory that finds what a key belongs to."""

import hashlib
import secrets

from patron.model.access import ApiKey, Source
from patron.model.ports import Table


def new_key(prefix: str) -> str:
    """Draw a key of 160 random bits, such as `wk_3f...` (write key) or `sk_...` (secret key)."""
    return f"{prefix}_{secrets.token_hex(20)}"


def key_hash(key: str) -> str:
    """Hash of a key as it is stored. The key has 160 random bits, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class KeyRing:
    """Finds the source of a write key and the rights of a secret key, from the tables that hold them."""

    def __init__(self, sources: Table[Source], keys: Table[ApiKey]) -> None:
        self._sources = sources
        self._keys = keys
        self._source_by_hash: dict[str, str] = {}
        self._key_by_hash: dict[str, str] = {}
        self._warm: dict[str, Source] = {}
        self._warm_keys: dict[str, ApiKey] = {}
        self.reload()

    def reload(self) -> None:
        """Read the tables again after a source or key changed."""
        self._warm.clear()
        self._warm_keys.clear()
        self._source_by_hash = {
            k.hash: name
            for name in self._sources.keys()
            for k in (self._sources.get(name) or Source(name="", channel="")).keys
            if k.revoked is None
        }
        self._key_by_hash = {
            k.hash: n for n in self._keys.keys() if (k := self._keys.get(n)) and not k.revoked
        }

    def source_of(self, write_key: str) -> Source | None:
        """The source a live write key belongs to."""
        source = self._warm.get(write_key)
        if source is None:
            name = self._source_by_hash.get(key_hash(write_key))
            source = self._sources.get(name) if name else None
            if source is not None:
                self._warm[write_key] = source
        return source

    def api_key(self, secret: str) -> ApiKey | None:
        """The live secret key, or None."""
        key = self._warm_keys.get(secret)
        if key is None:
            name = self._key_by_hash.get(key_hash(secret))
            key = self._keys.get(name) if name else None
            if key is not None:
                self._warm_keys[secret] = key
        return key
