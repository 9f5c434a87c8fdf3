"""Who may see and change what. Everybody who signs in may look; a page says who may when the reader may not.

`see` is personal data in clear (`masked` hides it from all others); `reveal` is to see one dead letter in clear, by an
act that is logged; `rules` is to try other identity rules; `audience` is to save segments and computed traits; `export`
is to say what is carried out of here, and where to; `catalogue` is to change what may be decided for; `launch` is to move
policies on, or stop them; `send` is to begin and stop sends.
"""

MAY: dict[str, frozenset[str]] = {
    "admin": frozenset(
        {
            "see",
            "split",
            "privacy",
            "setup",
            "letters",
            "rules",
            "audience",
            "export",
            "catalogue",
            "launch",
            "send",
        }
    ),
    "marketer": frozenset({"see", "split", "audience", "catalogue", "launch", "send"}),
    "privacy": frozenset({"see", "split", "privacy", "rules"}),
    "developer": frozenset({"setup", "letters", "reveal", "rules", "audience"}),
    "viewer": frozenset(),
}
_NAMES = {
    "admin": "administrators",
    "marketer": "marketers",
    "privacy": "privacy officers",
    "developer": "developers",
}


def may(role: str, action: str) -> bool:
    """Whether an account of this role may take the action (`see`, `split`, `privacy`, `setup`, `letters`, `reveal`, `rules`,
    `audience`, `export`, `catalogue`, `launch`, `send`).

    >>> may("marketer", "split"), may("marketer", "setup"), may("nonsense", "split")
    (True, False, False)
    """
    return action in MAY.get(role, frozenset())


def who_may(action: str) -> str:
    """The roles that may, as words for a page.

    >>> who_may("setup")
    'administrators and developers'
    """
    names = [_NAMES[role] for role, actions in MAY.items() if action in actions]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
