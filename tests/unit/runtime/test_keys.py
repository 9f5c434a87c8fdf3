"""The key ring: what it remembers of a key ends when the key does."""

from msgspec.structs import replace

from patron.model.access import ApiKey, Source, WriteKey
from patron.runtime.keys import KeyRing, key_hash, new_key
from patron.testing.tables import MemoryTable


def test_a_revoked_key_is_forgotten_at_once() -> None:
    secret, write = new_key("sk"), new_key("wk")
    sources, keys = MemoryTable[Source](), MemoryTable[ApiKey]()
    ring = KeyRing(sources, keys)
    key = ApiKey("till", key_hash(secret), "sk_1", ("decide",))
    source = Source("shop", "web", keys=(WriteKey(key_hash(write), "wk_1", 1),))
    keys.put("till", key)
    sources.put("shop", source)
    assert ring.api_key(secret) is None, "a ring knows what it has read"
    ring.reload()
    for _ in range(2):
        assert ring.api_key(secret) == key
        assert ring.source_of(write) == source
        assert ring.api_key(write) is None
        assert ring.source_of(secret) is None
    keys.put("till", replace(key, revoked=2))
    sources.put("shop", replace(source, keys=(replace(source.keys[0], revoked=2),)))
    ring.reload()
    assert ring.api_key(secret) is None
    assert ring.source_of(write) is None
