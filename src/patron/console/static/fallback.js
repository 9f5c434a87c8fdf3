// A touchpoint that goes on when Patron is away: the reference client of docs/fallback.md for pages and kiosks.
// It asks Patron and waits a moment; else it draws from the signed bundle that it holds, and keeps what it showed until Patron is back.
const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
const bytes = (text) => new TextEncoder().encode(text);
const NOTHING = { decisionId: "", action: "nothing", content: {}, propensity: 1, alone: true };

// The bundle out of what Patron sent, or out of storage; null when it was changed or signed for another key.
export async function read(signed, key) {
  try {
    const known = await crypto.subtle.importKey("raw", bytes(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const proof = hex(await crypto.subtle.sign("HMAC", known, bytes(signed.bundle)));
    return proof === signed.signature ? JSON.parse(signed.bundle) : null;
  } catch {
    return null; // nothing held; or a page without https, where a browser has no crypto.subtle
  }
}

// The number, 0 <= u < 1, that a decision id draws: the first 53 bits of a SHA-256.
export async function unit(bundle, decision) {
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes(`${bundle}/${decision}`)));
  return Number(digest.getBigUint64(0) >> 11n) / 2 ** 53;
}

// What a decision id draws from a bundle at a time (ms).
export async function drawn(bundle, now, decision, weather = "", language = "") {
  const hour = Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone: bundle.timezone }).format(now));
  const here = bundle.when[bundle.parts.find(([, first, end]) => first <= hour && hour < end)[0]];
  const { choices, chances, seal } = bundle.tables[here[weather] ?? here[""]];
  let total = 0;
  const sums = chances.map((chance) => (total += chance));
  const u = await unit(bundle.bundle, decision);
  let at = sums.findIndex((sum) => sum > u * total);
  if (at < 0) at = chances.findLastIndex((chance) => chance > 0);
  const said = language.toLowerCase().replaceAll("_", "-");
  const fits = ({ languages }) => !languages.length || languages.some((tag) => said === tag.toLowerCase() || said.startsWith(`${tag.toLowerCase()}-`));
  const content = (bundle.offers[choices[at]] ?? []).find(fits)?.content ?? {};
  return { decisionId: decision, action: choices[at], content, propensity: chances[at], alone: true, seal, bundle: bundle.bundle };
}

export class Touchpoint {
  // patience: ms that a customer is kept waiting for Patron.
  constructor({ base, key, placement, channel, storage = localStorage, patience = 200 }) {
    Object.assign(this, { base, key, placement, channel, storage, patience });
    this.headers = { authorization: `Basic ${btoa(`${key}:`)}`, "content-type": "application/json" };
    this.names = { bundle: `patron-bundle-${placement}`, queue: `patron-queue-${placement}` };
  }

  held(name) {
    return JSON.parse(this.storage.getItem(this.names[name]) ?? "null");
  }

  // Fetch the bundle; call it at every start and then once an hour. False: Patron is away, or sent none that is good.
  async refresh() {
    try {
      const path = `${this.base}/v1/fallback/${encodeURIComponent(this.placement)}?channel=${encodeURIComponent(this.channel)}`;
      const answer = await fetch(path, { headers: { authorization: this.headers.authorization }, signal: AbortSignal.timeout(10000) });
      const signed = answer.ok ? await answer.json() : null;
      if (!signed || !(await read(signed, this.key))) return false;
      this.storage.setItem(this.names.bundle, JSON.stringify(signed));
      return true;
    } catch {
      return false;
    }
  }

  // What to show now: Patron's answer when it comes in time, else a draw from the bundle, which is queued.
  async ask(who, context = {}) {
    try {
      const body = JSON.stringify({ placement: this.placement, ...who, context });
      const answer = await fetch(`${this.base}/v1/decide`, { method: "POST", headers: this.headers, body, signal: AbortSignal.timeout(this.patience) });
      if (answer.ok) {
        const made = await answer.json();
        this.storage.setItem(`${this.names.bundle}-group`, made.group === "control" ? who.anonymousId : "");
        return { ...made, alone: false };
      }
    } catch {
      // Away, or too slow: go on alone.
    }
    const bundle = await read(this.held("bundle") ?? {}, this.key);
    const now = Date.now();
    const heldOut = this.storage.getItem(`${this.names.bundle}-group`) === who.anonymousId;
    if (!bundle || heldOut || now < bundle.issued || now >= bundle.expires) return NOTHING;
    const id = `f_${hex(crypto.getRandomValues(new Uint8Array(12)))}`;
    const shown = await drawn(bundle, now, id, context.weather, context.language);
    this.queue(shown, who, now);
    return shown;
  }

  queue(shown, who, now) {
    const { decisionId, action, propensity, bundle, seal } = shown;
    const properties = { decision_id: decisionId, action, propensity, placement: this.placement, bundle, bundle_seal: seal };
    const event = action === "nothing" ? "Decision Exposed" : "Offer Shown";
    const message = { type: "track", event, messageId: `${decisionId}-shown`, timestamp: new Date(now).toISOString(), ...who, properties, context: { channel: this.channel } };
    this.storage.setItem(this.names.queue, JSON.stringify([...(this.held("queue") ?? []), message]));
  }

  // Send what is queued; gives how many Patron took. Safe to repeat: every message has its own id, and Patron takes each once.
  async deliver() {
    const batch = (this.held("queue") ?? []).slice(0, 500);
    if (!batch.length) return 0;
    try {
      const body = JSON.stringify({ batch, sentAt: new Date().toISOString() });
      const answer = await fetch(`${this.base}/v1/batch`, { method: "POST", headers: this.headers, body });
      if (answer.status === 408 || answer.status === 429 || answer.status >= 500) return 0;
      const sent = new Set(batch.map(({ messageId }) => messageId));
      this.storage.setItem(this.names.queue, JSON.stringify((this.held("queue") ?? []).filter(({ messageId }) => !sent.has(messageId))));
      return batch.length;
    } catch {
      return 0;
    }
  }
}
