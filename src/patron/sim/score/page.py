"""x"""


def page(card):
    return ""
