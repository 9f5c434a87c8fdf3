"""What somebody would see now, at every placement: asked of the same gates, model and formula, and then forgotten."""

from patron.decide.choose import SEED_BITS
from patron.decide.rating import propensities
from patron.decide.record import Drawn, spell
from patron.model.errors import BadRequest
from patron.model.offers import NOTHING, Ask, Outcome, Placement
from patron.model.people import Key, Person
from patron.model.views import DecisionView, PlacePreview, Preview, PreviewAsk
from patron.profiles.sentence import display_name
from patron.rules.calendar import Calendar
from patron.runtime.decisions.answer import Answers
from patron.runtime.people import people
from patron.runtime.workspace import Workspace


def preview(workspace: Workspace, answers: Answers, about: PreviewAsk) -> Preview:
    """What somebody, or nobody in particular, would see.

    Raises
    ------
    NotFound, Gone : there is no such person. BadRequest : no such placement, or an hour that is none.
    """
    person = people.find(workspace, about.person) if about.person else None
    now = _at(workspace, about.hour)
    key = _key(person, proved=about.proved)
    found = [_place(answers, place, about, key, now) for place in _places(answers, about.placement)]
    profile = people.profile(workspace, person) if person else None
    who = display_name(profile, person.members) if person and profile else ""
    views = [
        PlacePreview(place.id, place.name, made.channel, _view(answers, made, who)) for place, made in found
    ]
    return Preview(person.id if person else "", who, now, views)


def _at(workspace: Workspace, hour: int | None) -> int:
    """Now, or when it is that hour next by the clock of the business."""
    now = workspace.clock.now()
    if hour is None:
        return now
    if not 0 <= hour <= 23:
        raise BadRequest("bad_hour", f"`hour` is 0 to 23, not {hour}.")
    return Calendar(workspace.settings.business.timezone).next(hour * 60, now)


def _key(person: Person | None, *, proved: bool) -> Key:
    """The node that would ask: a device of theirs where nothing is proved."""
    if person is None:
        return ""
    devices = [key for key in person.members if key.startswith("anonymous_id:")]
    return devices[0] if devices and not proved else person.members[0]


def _places(answers: Answers, name: str) -> list[Placement]:
    """The declared placements, or those that offers name; all of them or one."""
    index = answers.index
    if name:
        return [index.places_of.get(name) or Placement(name, name)]
    if index.places_of:
        return list(index.places_of.values())
    named = dict.fromkeys(place for offer in index.offers for place in offer.placements)
    return [Placement(one, one) for one in named] or [Placement("web_home", "web_home")]


def _place(
    answers: Answers, place: Placement, about: PreviewAsk, key: Key, now: int
) -> tuple[Placement, Drawn]:
    """The place and what it would show likeliest: of all draws one that gives it, so that the sentences fit it."""
    ask = Ask(place.id, None, None, place.channel or about.channel, about.context, place.slots)
    verified = about.proved and bool(key)
    made = answers.preview(ask, key, verified=verified, now=now)
    seed = _likeliest(made)
    return place, made if seed is None else answers.preview(ask, key, verified=verified, now=now, seed=seed)


def _likeliest(made: Drawn) -> int | None:
    """A seed that draws the choice with the greatest chance; None where all are alike."""
    if made.rating is None or len(made.eligible) < 2:
        return None
    chances = propensities(made.rating)
    at = int(chances.argmax())
    middle = float(chances[:at].sum()) + float(chances[at]) / 2
    return min(int(middle * (1 << SEED_BITS)), (1 << SEED_BITS) - 1)


def _view(answers: Answers, made: Drawn, who: str) -> DecisionView:
    index = answers.index
    names = {offer.id: offer.name for offer in index.offers}
    offer = "Nothing shown" if made.action == NOTHING else names.get(made.action, made.action)
    return DecisionView(spell(made, index), Outcome(), offer, who, names)
