// The console's own script: theme, keys, palette, dialogs, toasts, copying and the one live stream of a tab.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const token = $('meta[name="csrf"]')?.content ?? "";

// Every request that htmx sends carries the form token.
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = token;
});

// --- theme: the system's, or the one chosen here (kept in a cookie so that the server draws it at once)
const themes = ["", "light", "dark"];
const themeNames = { "": "System", light: "Light", dark: "Dark" };
function theme() {
  return document.documentElement.dataset.theme ?? "";
}
function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  const age = name ? 31536000 : 0;
  document.cookie = `patron_theme=${name}; path=/console; max-age=${age}; samesite=lax`;
  showTheme();
}
function showTheme() {
  for (const label of $$("[data-theme-name]")) label.textContent = themeNames[theme()];
  for (const button of $$("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme()));
  }
}
showTheme();

// --- dialogs
const modal = $("#modal");
const palette = $("#palette");
const help = $("#help");
let opener = null;
function open(dialog) {
  if (!dialog || dialog.open) return;
  opener = document.activeElement;
  dialog.showModal();
}
for (const dialog of $$("dialog")) {
  dialog.addEventListener("close", () => opener?.isConnected && opener.focus());
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx.target;
  if (target?.id === "modal-body") {
    open(modal);
    $("input:not([type=hidden]),select,button", modal)?.focus();
  }
  if (target?.id === "palette-results") {
    markOption(0);
    answered();
  }
});

// A form that cannot be taken back asks first; the verb stands on the button.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.sure) return;
  event.preventDefault();
  const body = $("#modal-body");
  body.replaceChildren();
  const title = Object.assign(document.createElement("h2"), { id: "modal-title", textContent: form.dataset.confirm });
  const acts = Object.assign(document.createElement("div"), { className: "acts" });
  const cancel = Object.assign(document.createElement("button"), { className: "btn", type: "button", textContent: "Cancel" });
  const sure = Object.assign(document.createElement("button"), { className: "btn bad", type: "button", textContent: form.dataset.verb });
  cancel.addEventListener("click", () => modal.close());
  sure.addEventListener("click", () => {
    form.dataset.sure = "1";
    form.submit();
  });
  acts.append(cancel, sure);
  body.append(title, acts);
  open(modal);
  cancel.focus();
});

// --- palette
const paletteInput = $("#palette-input");
let marked = -1;
let asking = ""; // "typed": the list is behind what stands in the field; "chosen": and Enter was pressed meanwhile
function options() {
  return $$("#palette-list a[role=option]");
}
function markOption(index) {
  const all = options();
  marked = all.length ? (index + all.length) % all.length : -1;
  all.forEach((option, at) => option.setAttribute("aria-selected", String(at === marked)));
  if (marked >= 0) {
    paletteInput.setAttribute("aria-activedescendant", all[marked].id);
    all[marked].scrollIntoView({ block: "nearest" });
  } else paletteInput.removeAttribute("aria-activedescendant");
}
function openPalette() {
  if (!palette) return;
  open(palette);
  paletteInput.select();
  markOption(0);
  // The places stand in the page: only what was typed before is asked for again.
  if (paletteInput.value) window.htmx?.ajax("POST", "/console/palette", { source: paletteInput, target: "#palette-results", values: { q: paletteInput.value } });
}
paletteInput?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    markOption(marked + step);
  } else if (event.key === "Enter" && asking === "typed") {
    // Go once the list fits what was typed. A second Enter does not wait: it searches all people.
    event.preventDefault();
    asking = "chosen";
  } else if (event.key === "Enter" && asking === "" && marked >= 0) {
    event.preventDefault();
    options()[marked].click();
  }
});
paletteInput?.addEventListener("input", () => (asking = "typed"));
function answered() {
  const chosen = asking === "chosen";
  asking = "";
  if (!chosen) return;
  if (marked >= 0) options()[marked].click();
  else paletteInput.form.requestSubmit();
}

// --- keys: off while typing, and off for good when switched off
const GO = { h: "/console", p: "/console/people", d: "/console/decisions", a: "/console/data", s: "/console/data/sources", q: "/console/data/quarantine", k: "/console/data/keys", r: "/console/privacy", m: "/console/people/segments", f: "/console/results", b: "/console/shop", t: "/console/stories", e: "/console/practice" };
let going = -Infinity;
const keysOn = () => localStorage.getItem("patron-keys") !== "off";
function typing(target) {
  // Right after a dialog closed, the focus is still in its field until the next frame: nobody types there.
  if (target.closest?.("dialog:not([open])")) return null;
  return target.closest?.("input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable]");
}
function moveRow(step) {
  const rows = $$("[data-jk]").filter((row) => row.offsetParent !== null);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next].focus();
}
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.target.closest?.("form")?.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !keysOn() || typing(event.target) || $("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (event.timeStamp - going < 1500 && GO[key]) {
    going = -Infinity;
    if (!"btef".includes(key) || $(`a[href="${GO[key]}"]`)) location.assign(GO[key]);
    return;
  }
  going = -Infinity;
  if (key === "g") going = event.timeStamp;
  else if (key === "j") moveRow(1);
  else if (key === "k") moveRow(-1);
  else if (key === "?") open(help);
  else if (key === "p") $("[data-pause]")?.click();
  else if (key === "escape") $("[data-esc]")?.click();
  else if (/^[a-z]$/.test(key)) $(`[data-hotkey="${key}"]`)?.click();
});
const keysSwitch = $("[data-keys-switch]");
if (keysSwitch) {
  keysSwitch.checked = keysOn();
  keysSwitch.addEventListener("change", () => localStorage.setItem("patron-keys", keysSwitch.checked ? "on" : "off"));
}

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-palette]")) openPalette();
  else if (hit("[data-keys]")) open(help);
  else if (hit("[data-theme-toggle]")) setTheme(themes[(themes.indexOf(theme()) + 1) % 3]);
  else if (hit("[data-theme-set]")) setTheme(hit("[data-theme-set]").dataset.themeSet);
  else if (hit("[data-close-toast]")) hit(".toast").remove();
  else if (hit("[data-discard]")) delete $("[data-builder]")?.dataset.draft;
  else if (hit("[data-close-dialog]")) {
    const dialog = hit("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
  }
});

// --- the split dialog: identifiers, or one device at a time
document.addEventListener("change", (event) => {
  if (event.target.name !== "how") return;
  const form = event.target.closest("[data-split]");
  for (const part of $$("[data-how]", form)) part.hidden = part.dataset.how !== event.target.value;
});

// --- the builder: fields that change the form draw it anew; Save goes its own way; a draft is not left by accident
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-redraw]")) $("[data-look]", event.target.form)?.click();
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-builder]");
  if (form && event.target.name !== "person") form.dataset.draft = "";
});
document.addEventListener(
  "submit",
  (event) => {
    if (!event.submitter?.matches("[data-native]")) return;
    delete event.target.dataset.draft;
    event.stopImmediatePropagation(); // the browser sends it, not htmx
  },
  true,
);
window.addEventListener("beforeunload", (event) => {
  if ($("[data-builder][data-draft]")) event.preventDefault();
});
let held = null; // the field that had the focus when the form was drawn anew
document.addEventListener("htmx:before:swap", () => {
  const active = document.activeElement;
  held = active?.closest("[data-builder]") ? { id: active.id, row: active.closest(".rule,.subgroup")?.id } : null;
});
document.addEventListener("htmx:after:swap", () => {
  const form = $("[data-builder]");
  if (!form) return;
  const bad = $$("[data-bad]", form).flatMap((one) => one.dataset.bad.split(" "));
  for (const field of $$("input[id^='r.']", form)) {
    if (bad.includes(field.id)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const row = form.dataset.focus && document.getElementById(form.dataset.focus);
  delete form.dataset.focus;
  if (!row && (!held || form.contains(document.activeElement))) return;
  const next = row ? $("input,select:not(.quiet)", row) ?? row : document.getElementById(held.id) ?? document.getElementById(held.row) ?? $("[data-hotkey]", form);
  held = null;
  next?.focus();
});

// --- toasts leave after 8 s, not while somebody is on them
for (const toast of $$("[data-toast]")) {
  let left = 8;
  const tick = setInterval(() => {
    if (toast.matches(":hover,:focus-within") || document.hidden) return;
    left -= 1;
    if (left <= 0) {
      clearInterval(tick);
      toast.remove();
    }
  }, 1000);
}

// --- copying
customElements.define("copy-text", class extends HTMLElement {
  connectedCallback() {
    const button = $("[data-copy]", this);
    button?.addEventListener("click", async () => {
      const label = $("span", button);
      const before = label.textContent;
      try {
        await navigator.clipboard.writeText($("code,span[hidden]", this).textContent);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Select and copy it by hand";
      }
      setTimeout(() => (label.textContent = before), 2000);
    });
  }
});

// --- a JSON field says whether it can be read
customElements.define("json-edit", class extends HTMLElement {
  connectedCallback() {
    const field = $("textarea", this);
    const state = $("p", this);
    const check = () => {
      try {
        const value = JSON.parse(field.value);
        const good = value && typeof value === "object" && !Array.isArray(value);
        state.textContent = good ? "Readable JSON." : "A message is one JSON object, in braces.";
      } catch (error) {
        state.textContent = `Not readable yet: ${error.message}`;
      }
    };
    field.addEventListener("input", check);
    check();
  }
});

// --- live: one stream a tab, closed while nobody looks
class LiveList extends HTMLElement {
  connectedCallback() {
    this.waiting = 0;
    this.paused = false;
    this.busy = false;
    this.known = $("[data-newest]", this)?.dataset.newest ?? "";
    $("[data-pause]", this)?.addEventListener("click", (event) => {
      this.paused = !this.paused;
      const button = event.currentTarget;
      button.setAttribute("aria-pressed", String(this.paused));
      $("span", button).textContent = this.paused ? "Go on" : "Pause";
      for (const word of $$("[data-live-word]", this.parentElement)) word.textContent = this.paused ? "Paused" : "Live";
    });
    this.addEventListener("focusout", () => this.show());
    this.addEventListener("mouseleave", () => this.show());
  }
  update(value) {
    const next = String(value ?? "");
    if (!next || next === this.known || next === this.next) {
      this.show();
      return;
    }
    this.next = next;
    this.waiting += 1;
    this.show();
  }
  get held() {
    const table = $("tbody,.events", this);
    const open = $("details[open],.older [hx-get]:focus", this);
    return this.paused || table?.matches(":hover") || table?.contains(document.activeElement) || Boolean(open) || Boolean($("dialog[open]"));
  }
  async show() {
    if (!this.next || this.busy) return;
    const note = $("[data-waiting]", this);
    if (this.held) {
      note.hidden = false;
      note.textContent = `${this.waiting === 1 ? `1 newer ${this.dataset.noun}` : `${this.waiting} newer updates`}. The list waits while you point at it.`;
      return;
    }
    this.busy = true;
    const seen = this.next;
    const target = this.dataset.target ?? "#decision-rows";
    if (!this.dataset.target || window.scrollY < 600) {
      await window.htmx?.ajax("GET", this.getAttribute("src"), { target, swap: "innerHTML", source: this });
    }
    this.known = seen;
    if (this.next === seen) this.next = null;
    this.waiting = 0;
    this.busy = false;
    if (note.isConnected) note.textContent = note.closest(".newer") ? "" : "The list waits while you point at it.";
  }
}
customElements.define("live-list", LiveList);

const wantsLive = document.body.hasAttribute("data-live");
let stream = null;
let lastHeard = 0;
let lastSaid = Date.now();
function setText(selector, text) {
  for (const node of $$(selector)) if (node.textContent !== text) node.textContent = text;
}
function heard(data) {
  lastHeard = Date.now();
  for (const state of $$("[data-live-state]")) state.classList.remove("stale");
  for (const name of ["time", "total", "events", "decisions"]) setText(`[data-live="${name}"]`, data[name]);
  for (const [channel, rate] of Object.entries(data.rates)) setText(`[data-rate="${CSS.escape(channel)}"]`, rate);
  for (const list of $$("live-list")) list.update(data[list.dataset.key]);
  document.dispatchEvent(new CustomEvent("patron:live", { detail: data }));
  const summary = $("#live-summary");
  if (summary && document.body.hasAttribute("data-home") && Date.now() - lastSaid > 60000) {
    lastSaid = Date.now();
    summary.textContent = `${data.total} events a second, ${data.decisions} decisions today.`;
  }
}
function listen() {
  if (!wantsLive || stream || document.hidden) return;
  const watch = document.body.dataset.watch;
  stream = new EventSource(`/console/live${watch ? `?watch=${encodeURIComponent(watch)}` : ""}`);
  stream.addEventListener("message", (event) => heard(JSON.parse(event.data)));
  stream.addEventListener("signed_out", () => location.assign("/console/signin"));
}
function rest() {
  stream?.close();
  stream = null;
}
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
window.addEventListener("pagehide", rest);
window.addEventListener("pageshow", listen);
setInterval(() => {
  if (!stream || !lastHeard || Date.now() - lastHeard < 5000) return;
  for (const state of $$("[data-live-state]")) state.classList.add("stale");
  setText("[data-live-word]", `${Math.round((Date.now() - lastHeard) / 1000)} s behind`);
}, 1000);
