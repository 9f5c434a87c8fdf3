"""The people of a set of observations, computed the slow and obvious way from the words of the rule.

Shares nothing with the product but names_conflict: no rows, no increments, no fast paths. Everything is found again
from the list of observations and the set of cut pairs.
"""

from itertools import combinations

from msgspec import Struct

from patron.identity.evidence import ASSURANCE
from patron.identity.normalise import births_conflict, names_conflict
from patron.identity.rules import IdentityRules
from patron.model.people import Located

LIGHT = ("order_id", "visit_id")
RECORDS = ("user_id", "card", "crm_id")
DEVICES = ("anonymous_id", "device_id")


class Seen(Struct, frozen=True):
    """One observation."""

    time: int
    uid: str
    position: int
    assurance: str
    located: Located


def kind(key: str) -> str:
    return key.split(":", maxsplit=1)[0]


def light(key: str) -> bool:
    return kind(key) in LIGHT


def pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def swapped(a: str, b: str) -> bool:
    """Whether one address becomes the other when two neighbouring letters before the @ are swapped."""
    name, _, domain = a.removeprefix("email:").partition("@")
    ways = [
        name[:i] + name[i + 1] + name[i] + name[i + 2 :]
        for i in range(len(name) - 1)
        if name[i].isalpha() and name[i + 1].isalpha()
    ]
    return len(name) >= 5 and b in {f"email:{way}@{domain}" for way in ways}


class Oracle:
    """All that follows from observations and cuts under some rules."""

    def __init__(self, seen: list[Seen], cuts: set[tuple[str, str]], rules: IdentityRules) -> None:
        self.rules = rules
        self.sharing = {t.name: t.sharing for t in rules.types}
        self.limits = {t.name: t.limit for t in rules.types}
        self.windows = {t.name: t.window for t in rules.types if t.window}
        self.order = {t.name: i for i, t in enumerate(rules.types)}
        self.first: dict[str, int] = {}
        self.names: dict[str, set[str]] = {}
        self.births: dict[str, set[str]] = {}
        self.proofs: dict[tuple[str, str], dict[int, tuple[int, str]]] = {}
        self.assured: dict[tuple[str, str], dict[int, int]] = {}
        for one in seen:
            self._take(one)
        self.known = {
            p: min((s, t) for s, (t, _) in by.items()) for p, by in self.proofs.items() if p not in cuts
        }
        kept = {key: self._kept(key) for key in self.first}
        self.kept = kept
        self.links = {
            p: place for p, place in self.known.items() if p[1] in kept[p[0]] and p[0] in kept[p[1]]
        }
        self.accounts = self._accounts()
        self.crowded: set[str] = set()
        self.dead = {key for key in self.first if kind(key) not in DEVICES and self._shared(key)}
        self.dead |= {key for key in self.first if kind(key) in DEVICES and self._shared(key)}
        self.root = self._partition()

    def _take(self, one: Seen) -> None:
        claims, node = one.located.claims, one.located.node
        for claim in claims:
            key = claim.key
            self.first[key] = min(one.time, self.first.get(key, one.time))
            if not light(key):
                if one.located.given_name:
                    self.names.setdefault(key, set()).add(one.located.given_name)
                if one.located.birth_date:
                    self.births.setdefault(key, set()).add(one.located.birth_date)
        for a, b in combinations(claims, 2):
            if (light(a.key) or light(b.key)) and not (
                (a.key == node and light(b.key)) or (b.key == node and light(a.key))
            ):
                continue
            strength = max(a.strength, b.strength)
            by = self.proofs.setdefault(pair(a.key, b.key), {})
            by[strength] = min(by.get(strength, (one.time, one.uid)), (one.time, one.uid))
            best = self.assured.setdefault(pair(a.key, b.key), {})
            best[strength] = max(best.get(strength, 0), ASSURANCE[one.assurance])

    def _kept(self, key: str) -> set[str]:
        places = []
        for p, (strength, time) in self.known.items():
            if key in p:
                other = p[0] if p[1] == key else p[1]
                places.append((light(other), strength, time, other))
        return {other for *_, other in sorted(places)[: self.rules.neighbours]}

    def _accounts(self) -> dict[str, str]:
        head = {key: key for key in self.first if kind(key) == "user_id"}
        for a, b in self.links:
            if kind(a) == kind(b) == "user_id":
                new, old = sorted((head[a], head[b]))
                head = {key: new if value == old else value for key, value in head.items()}
        return head

    def _shared(self, key: str) -> bool:
        rule = self.sharing[kind(key)]
        if rule.names and (
            self._differ(self.names.get(key, set()), names_conflict, self.rules.names_kept)
            or self._differ(self.births.get(key, set()), births_conflict, self.rules.names_kept)
        ):
            return True
        near = self.kept[key]
        users = {self._account_at(key, o) for o in near if kind(o) == "user_id"}
        records = users | {o for o in near if kind(o) in RECORDS and kind(o) != "user_id"}
        emails = [o for o in near if kind(o) == "email"]
        counts = (
            (rule.user_ids, len(users)),
            (rule.emails, self._people(key, emails) if kind(key) in DEVICES else len(emails)),
            (rule.records, self._customers(key, records)),
            (rule.devices, sum(kind(o) in DEVICES for o in near)),
        )
        return any(most and count >= most for most, count in counts)

    def _account_at(self, key: str, user: str) -> str:
        """The account that a user id stands for at an identifier: its own where a full row does not keep the identifier."""
        return self.accounts[user] if key in self.kept[user] else f"{user} alone"

    def _people(self, device: str, emails: list[str]) -> int:
        """How many people e-mails speak of: those that are one address mistyped, or that stand together on a record, with an
        address or on a phone that links, are one person's."""
        mutual = [e for e in emails if device in self.kept[e]]
        joined = {(a, b) for a in mutual for b in mutual if swapped(a, b) or self._stand_together(a, b)}
        left, count = set(emails), 0
        while left:
            todo = [left.pop()]
            count += 1
            while todo:
                one = todo.pop()
                near = {b for b in left if (one, b) in joined}
                left -= near
                todo += near
        return count

    def _stand_together(self, a: str, b: str) -> bool:
        holders = [k for k in self.first if kind(k) in (*RECORDS, "email", "phone") and k not in self.dead]
        return any(pair(a, k) in self.links and pair(b, k) in self.links for k in holders)

    def _customers(self, key: str, records: set[str]) -> int:
        """How many records, those of one name counted once; of anything but an address or number, simply how many."""
        if kind(key) not in {"email", "phone"}:
            return len(records)
        named = {}
        for record in records:
            keys = [k for k in self.kept[key] if self.accounts.get(k, k) == record and key in self.kept[k]]
            own = [
                v
                for k in keys
                if not self._differ(v := self.names.get(k, set()), names_conflict, self.rules.names_kept)
            ]
            if names := set().union(*own):
                named[record] = names
        everything = set().union(*named.values())
        if self._differ(everything, names_conflict, self.rules.names_kept):
            return len(records)
        return len(records) - max(0, len(named) - 1)

    @staticmethod
    def _differ(values: set[str], differ, most: int = 10**9) -> bool:
        return len(values) > most or any(differ(a, b) for a, b in combinations(values, 2))

    def near(self, key: str) -> list[str]:
        """Live neighbours."""
        if key in self.dead:
            return []
        others = [a if b == key else b for a, b in self.links if key in (a, b)]
        return [o for o in others if o not in self.dead]

    def _partition(self) -> dict[str, str]:
        left, root = set(self.first), {}
        while left:
            seed = min(left)
            whole, todo = {seed}, [seed]
            while todo:
                for other in self.near(todo.pop()):
                    if other not in whole:
                        whole.add(other)
                        todo.append(other)
            left -= whole
            big = sum(not light(k) for k in whole) > self.rules.crowded
            self.crowded |= whole if big else set()
            for group in self._crowded(whole) if big else self._canonical(whole):
                lead = min(group, key=lambda k: (light(k), self.first[k], k))
                root.update(dict.fromkeys(group, lead))
        return root

    def _canonical(self, whole: set[str]) -> list[set[str]]:
        groups = {key: {key} for key in whole}
        ranked = sorted((*self.links[p], *p) for p in self.links if p[0] in whole and p[1] in whole)
        for _, _, a, b in ranked:
            union = groups[a] | groups[b]
            if groups[a] is not groups[b] and not self.breaks(union):
                for key in union:
                    groups[key] = union
        return list({id(g): g for g in groups.values()}.values())

    def breaks(self, group: set[str]) -> bool:
        """Whether a group breaks a limit."""
        heavy = [k for k in group if not light(k)]
        if len(heavy) > self.rules.total_limit:
            return True
        for name, most in self.limits.items():
            held = {self.accounts.get(k, k) for k in heavy if kind(k) == name}
            if most and name not in LIGHT and len(held) > most:
                return True
        for values, differ in ((self.names, names_conflict), (self.births, births_conflict)):
            own = [
                v for k in heavy if not self._differ(v := values.get(k, set()), differ, self.rules.names_kept)
            ]
            if self._differ(set().union(*own), differ):
                return True
        return any(self._crammed(heavy, name, w) for name, w in self.windows.items())

    def _crammed(self, heavy: list[str], name: str, window) -> bool:
        times = []
        for key in heavy:
            near = [o for o in self.kept[key] if not light(o)]
            if kind(key) == name and near:
                times.append(min(self.known[pair(key, o)][1] for o in near))
        span = window.days * 86_400_000
        return any(sum(start <= t < start + span for t in times) > window.most for start in times)

    def _crowded(self, whole: set[str]) -> list[set[str]]:
        def senior(key: str) -> tuple[int, str]:
            return self.order[kind(key)], key

        owner = {}
        for key in whole:
            above = [
                (*self.links[pair(key, o)], *pair(key, o), o)
                for o in self.near(key)
                if senior(o) < senior(key)
            ]
            owner[key] = min(above)[-1] if above else None
        groups: list[set[str]] = []
        placed: set[str] = set()
        for head in sorted(whole, key=senior):
            if head in placed:
                continue
            group, waiting = {head}, [k for k in whole if owner[k] == head]
            while waiting:
                best = min(waiting, key=lambda k: (*self.links[pair(k, owner[k])], *pair(k, owner[k])))
                waiting.remove(best)
                if not self.breaks(group | {best}):
                    group.add(best)
                    waiting += [k for k in whole if owner[k] == best]
            groups.append(group)
            placed |= group
        return groups
