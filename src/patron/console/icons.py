"""Line icons, 16 by 16, drawn for the console. Names of channels are names of icons."""

from markupsafe import Markup

_PATHS = {
    "home": '<path d="M2.5 7 8 2.500 13.500 7v6.500h-4V9.500h-3v4h-4z"/>',
    "people": '<circle cx="6" cy="5.500" r="2.500"/><path d="M1.500 13.500c.4-3 2.200-4.500 4.500-4.500s4.100 1.500 4.500 4.500M10.500 3.200a2.500 2.500 0 0 1 0 4.600M12 9.600c1.500.6 2.300 2 2.500 3.900"/>',
    "decisions": '<path d="M8 1.500v4M8 5.500 3 10.500M8 5.500l5 5M1.500 12h3M11.500 12h3"/><circle cx="8" cy="5.500" r="1"/>',
    "results": '<path d="M2 14V2M2 14h12M5.500 11V7M9 11V4.500M12.500 11V9"/>',
    "data": '<ellipse cx="8" cy="3.500" rx="5.500" ry="2"/><path d="M2.500 3.500v9c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2v-9M2.500 8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2"/>',
    "privacy": '<path d="M8 1.500 13.500 3.500v4c0 3.500-2.300 5.800-5.500 7-3.200-1.200-5.500-3.500-5.500-7v-4z"/><path d="m5.500 8 2 2 3.200-4"/>',
    "shop": '<path d="M2 6.500V14h12V6.500M1.500 5 3 2h10l1.500 3c0 2-3.200 2-3.200 0 0 2-3.300 2-3.300 0 0 2-3.300 2-3.300 0 0 2-3.200 2-3.200 0z"/>',
    "find": '<circle cx="7" cy="7" r="4.500"/><path d="m10.500 10.500 3.500 3.500"/>',
    "key": '<circle cx="5" cy="8" r="2.500"/><path d="M7.500 8H14M11.500 8v2.500"/>',
    "web": '<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2.300 2 2.300 10 0 12M8 2c-2.300 2-2.300 10 0 12"/>',
    "app": '<rect x="4.500" y="1.500" width="7" height="13" rx="1.500"/><path d="M7 12.500h2"/>',
    "pos": '<path d="M3.500 1.500h9v13l-1.500-1-1.500 1-1.500-1-1.500 1-1.500-1-1.500 1zM6 5h4M6 8h4"/>',
    "kiosk": '<rect x="3" y="1.500" width="10" height="9" rx="1"/><path d="M8 10.500v4M5 14.500h6"/>',
    "associate_tablet": '<circle cx="8" cy="4.500" r="2.500"/><path d="M3 14.500c.3-4 2.300-5.500 5-5.500s4.700 1.500 5 5.500M8 9v2.500"/>',
    "call_centre": '<path d="M3.500 2h2.300l1 3-1.500 1.200c.8 1.900 2.100 3.200 4 4l1.200-1.500 3 1v2.300c0 1-.8 1.500-1.500 1.500C7 13.300 2.500 8.500 2 3.500 2 2.700 2.600 2 3.500 2z"/>',
    "email": '<rect x="1.500" y="3" width="13" height="10" rx="1"/><path d="m2 4 6 5 6-5"/>',
    "sms": '<path d="M2 2.500h12V11H7L4 13.800V11H2z"/>',
    "push": '<path d="M4 11V7a4 4 0 0 1 8 0v4l1.200 1.500H2.800zM6.800 14.500h2.400"/>',
    "signage": '<rect x="1.500" y="2.500" width="13" height="8.500" rx="1"/><path d="M8 11v3M5.500 14h5"/>',
    "paid_media": '<path d="M2 6.500v3h2.500L10 13V3L4.500 6.500zM12.500 6c.8 1 .8 3 0 4"/>',
    "crm": '<rect x="2.500" y="2.500" width="11" height="11" rx="1"/><circle cx="8" cy="6.500" r="1.500"/><path d="M5.500 11.500c.2-1.500 1.200-2.200 2.500-2.200s2.300.7 2.500 2.200"/>',
    "backend": '<rect x="2" y="2.500" width="12" height="4.500" rx="1"/><rect x="2" y="9" width="12" height="4.500" rx="1"/><path d="M4.500 4.800h.1M4.500 11.300h.1"/>',
    "stories": '<path d="M8 4C6.500 2.800 4.500 2.500 2 2.500v10c2.500 0 4.500.3 6 1.500 1.500-1.200 3.500-1.500 6-1.500v-10c-2.500 0-4.500.3-6 1.500zM8 4v10"/>',
    "practice": '<path d="M8 3 1.500 6 8 9l6.500-3zM4 7.300v3.700c2.300 1.900 5.700 1.900 8 0V7.300M14.500 6v4.500"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.500V8l2.500 1.500"/>',
    "more": '<circle cx="3" cy="8" r=".8"/><circle cx="8" cy="8" r=".8"/><circle cx="13" cy="8" r=".8"/>',
    "link": '<path d="M6.500 9.500 9.500 6.500M5 8 3.200 9.800a2.300 2.300 0 0 0 3.200 3.200L8 11.200M11 8l1.800-1.800a2.300 2.300 0 0 0-3.200-3.200L8 4.800"/>',
    "theme": '<circle cx="8" cy="8" r="6"/><path d="M8 2v12M8 4.500 12.600 4M8 8h6M8 11.500l4.600.5"/>',
    "keys": '<rect x="1.500" y="4" width="13" height="8" rx="1"/><path d="M4 6.700h.1M6.700 6.700h.1M9.400 6.700h.1M12 6.700h.1M5 9.500h6"/>',
    "quarantine": '<path d="M8 2 14.500 13.500h-13zM8 6.500v3.500M8 11.800v.1"/>',
    "out": '<path d="M6.500 2.500h-4v11h4M10 5l3 3-3 3M13 8H6"/>',
    "copy": '<rect x="5" y="5" width="8.500" height="8.500" rx="1"/><path d="M11 5V2.500H2.500V11H5"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "ok": '<path d="m3 8.500 3.500 3.500L13 4.500"/>',
    "no": '<path d="m4 4 8 8M12 4l-8 8"/>',
}


def icon(name: str) -> Markup:
    """The drawing of a name; an unknown channel gets a plain dot.

    >>> "viewBox" in icon("web")
    True
    """
    path = _PATHS.get(name, '<circle cx="8" cy="8" r="2"/>')
    return Markup(  # noqa: S704 - our own constants
        f'<svg class="ico" viewBox="0 0 16 16" aria-hidden="true">{path}</svg>'
    )
