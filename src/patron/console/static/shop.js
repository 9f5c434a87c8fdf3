// Be the customer: a web page, a kiosk and a till that speak to the tracking API as real touchpoints do.
import { Touchpoint } from "./fallback.js";

const root = document.querySelector("#shop");
const setup = JSON.parse(root.dataset.setup);
const token = document.querySelector('meta[name="csrf"]').content;
const money = new Intl.NumberFormat("en-GB", { style: "currency", currency: setup.currency });
const $ = (selector) => root.querySelector(selector);
const $$ = (selector) => [...root.querySelectorAll(selector)];
const uuid = () =>
  crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
const digits = (n) => Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => b % 10).join("");

// One shopper a tab: a browser, a card; the kiosk and the till forget between visits.
function fresh() {
  return { web: `shop-${uuid()}`, kiosk: `kiosk-${uuid()}`, card: `29${digits(10)}`, cart: [], basket: [], kioskKey: "", posKey: "" };
}
let me = JSON.parse(sessionStorage.getItem("patron-shopper") ?? "null") ?? fresh();
function keep() {
  sessionStorage.setItem("patron-shopper", JSON.stringify(me));
}

function say(screen, text, bad = false) {
  const line = $(`[data-said="${screen}"]`);
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

// Browser and server share one machine here, so a screen waits longer than a touchpoint in a shop would.
const touchpoints = Object.fromEntries(
  Object.entries(setup.placements).map(([screen, placement]) => [
    screen,
    new Touchpoint({ base: setup.base, key: setup.keys[screen], placement, channel: screen, patience: 1500 }),
  ]),
);
const used = new Set();
async function together(screen) {
  const fresh = !used.has(screen);
  used.add(screen);
  if (fresh) await touchpoints[screen].refresh();
  await touchpoints[screen].deliver();
}

async function send(screen, route, body) {
  const now = new Date().toISOString();
  const message = {
    messageId: `shop-${uuid()}`,
    timestamp: now,
    sentAt: now,
    ...body,
    context: {
      channel: screen,
      touchpoint: { id: `demo-${screen}-1`, kind: screen, store_id: screen === "web" ? undefined : setup.store || undefined },
      ...body.context,
    },
  };
  try {
    const answer = await fetch(`${setup.base}/v1/${route}`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${setup.keys[screen]}:`)}`, "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    const reply = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(reply.message ?? `answer ${answer.status}`);
    await feed();
    return true;
  } catch (error) {
    say(screen, `Not sent: ${error.message}. Nothing was lost here; try again.`, true);
    return false;
  }
}

// Ask for a decision and show it; without one the screen shows its default, never an error.
async function decide(screen, who, context = {}) {
  const slot = $(`[data-slot="${screen}"]`);
  slot.replaceChildren();
  try {
    const decision = await touchpoints[screen].ask(who, { channel: screen, ...context });
    if (decision.alone && !decision.decisionId) throw new Error("nobody answers");
    const nothing = !decision.action || decision.action === "nothing";
    const box = document.createElement("div");
    box.className = nothing ? "muted sm" : "offer";
    const content = decision.content ?? {};
    const title = Object.assign(document.createElement("b"), { textContent: content.title ?? content.headline ?? content.name ?? decision.action });
    if (nothing) box.textContent = "Decided: show nothing here.";
    else {
      const text = content.text ?? content.body ?? content.say ?? "";
      const lead = Object.assign(document.createElement("small"), { className: "muted", textContent: screen === "pos" ? "Say this" : "For you" });
      box.append(lead, title);
      if (text) box.append(Object.assign(document.createElement("span"), { className: "sm", textContent: String(text) }));
    }
    if (decision.alone) box.append(Object.assign(document.createElement("small"), { className: "muted", textContent: " Patron is away: drawn from what this screen holds, told later." }));
    else if (decision.decisionId) {
      const link = Object.assign(document.createElement("a"), { className: "sm", href: `/console/decisions/${encodeURIComponent(decision.decisionId)}`, textContent: "Why this" });
      if (nothing) box.append(" ");
      box.append(link);
    }
    slot.append(box);
    if (!decision.alone) together(screen);
    if (!nothing && !decision.alone) await send(screen, "track", { ...who, event: "Offer Shown", properties: { decisionId: decision.decisionId, action: decision.action, offer_name: title.textContent } });
  } catch {
    slot.append(Object.assign(document.createElement("p"), { className: "muted sm", textContent: "No offer could be asked for. The screen shows its default." }));
  }
}

// What arrived, as the server knows it.
let feeding = null;
async function feed() {
  const form = new URLSearchParams({ web: `anonymous_id:${me.web}`, kiosk: me.kioskKey, pos: me.posKey });
  feeding?.abort();
  feeding = new AbortController();
  try {
    const answer = await fetch("/console/shop/feed", { method: "POST", headers: { "X-CSRF-Token": token, "HX-Request": "true" }, body: form, signal: feeding.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("#feed").replaceChildren(...page.body.childNodes);
    for (const line of document.querySelectorAll("[data-screen]")) {
      const pill = $(`[data-who="${line.dataset.screen}"]`);
      pill.textContent = line.dataset.person || { web: "visitor", kiosk: "nobody", pos: "no card" }[line.dataset.screen];
      pill.classList.toggle("ok", Boolean(line.dataset.person));
    }
  } catch {
    // The next second asks again.
  }
}

const productOf = (button, attribute) => ({
  product_id: button.dataset[attribute],
  name: button.dataset.name,
  category: button.dataset.category,
  price: Number(button.dataset.price),
  currency: setup.currency,
  quantity: 1,
});
const total = (lines) => lines.reduce((sum, line) => sum + Math.round(line.price * 100), 0) / 100;
const order = (prefix, lines) => ({ order_id: `${prefix}-${Date.now().toString(36)}-${digits(4)}`, revenue: total(lines), currency: setup.currency, products: lines });
function showBaskets() {
  $("[data-cart]").textContent = me.cart.length ? `In the cart: ${me.cart.length}, ${money.format(total(me.cart))}` : "Cart is empty";
  $("[data-pay]").textContent = money.format(total(me.basket));
  $("[data-card]").textContent = me.card.slice(-4);
  keep();
}
const webWho = () => ({ anonymousId: me.web });
const cardId = () => ({ externalIds: [{ type: "card", id: me.card, collection: "users", encoding: "none" }] });
const tillWho = () => ({ anonymousId: me.posVisit });

let clearing = 0;
function leaveKiosk(text) {
  clearTimeout(clearing);
  $('[data-form="kiosk"]').reset();
  $('[data-slot="kiosk"]').replaceChildren();
  nameField("email");
  me.kiosk = `kiosk-${uuid()}`;
  keep();
  say("kiosk", text);
}
function nameField(by) {
  const form = $('[data-form="kiosk"]');
  $("[data-by]").textContent = by === "email" ? "E-mail" : "Phone number";
  form.elements.value.placeholder = by === "email" ? "you@posta.example" : "+39 333 123 4567";
}

root.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.view) {
    const product = productOf(button, "view");
    if (await send("web", "track", { ...webWho(), event: "Product Viewed", properties: product })) say("web", `Looked at ${product.name}.`);
    await decide("web", webWho(), { product_id: product.product_id, category: product.category });
  } else if (button.dataset.add) {
    const product = productOf(button, "add");
    me.cart.push(product);
    showBaskets();
    if (await send("web", "track", { ...webWho(), event: "Product Added", properties: product })) say("web", `${product.name} is in the cart.`);
  } else if (button.dataset.till) {
    me.basket.push(productOf(button, "till"));
    showBaskets();
  } else if ("scan" in button.dataset) {
    me.posVisit = `till-${uuid()}`;
    me.posKey = `card:${me.card}`;
    keep();
    const context = { ...cardId(), identification: { mode: "card" } };
    if (await send("pos", "track", { ...tillWho(), event: "Card Scanned", properties: { store_id: setup.store }, context })) {
      say("pos", `Card ending ${me.card.slice(-4)} was read.`);
      await decide("pos", tillWho());
    }
  } else if ("leave" in button.dataset) leaveKiosk("Fine. Nothing was sent.");
});

root.addEventListener("change", (event) => {
  if (event.target.name !== "by") return;
  nameField(event.target.value);
});

const valid = { email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/, phone: /^[+\d][\d\s()./-]{5,}$/ };
root.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = Object.fromEntries(new FormData(form));
  const consent = (names) => ({ categoryPreferences: Object.fromEntries(names.map((name) => [name, fields[name] === "on"])) });
  if (form.dataset.form === "web") {
    if (!me.cart.length) return say("web", "Add something to the cart first.", true);
    const context = { consent: consent(["personalization"]), identification: { mode: "typed", notice_version: setup.notice } };
    const known = await send("web", "identify", { ...webWho(), traits: { email: fields.email }, context });
    const bought = order("W", me.cart);
    if (known && (await send("web", "track", { ...webWho(), event: "Order Completed", properties: { ...bought, email: fields.email }, context }))) {
      me.cart = [];
      showBaskets();
      say("web", `Ordered ${bought.order_id}, ${money.format(bought.revenue)}.`);
      await decide("web", webWho());
    }
  } else if (form.dataset.form === "kiosk") {
    if (!valid[fields.by].test(fields.value.trim())) return say("kiosk", fields.by === "email" ? "An e-mail has an @ and a dot." : "A phone number starts with + or a digit.", true);
    me.kioskKey = `anonymous_id:${me.kiosk}`;
    keep();
    const context = { ...cardId(), consent: consent(["personalization", "email_marketing"]), identification: { mode: "self_screen", benefit: "coffee", notice_version: setup.notice } };
    if (await send("kiosk", "identify", { anonymousId: me.kiosk, traits: { [fields.by]: fields.value.trim() }, context })) {
      say("kiosk", `Hello. Your card ending ${me.card.slice(-4)} works at the till.`);
      await decide("kiosk", { anonymousId: me.kiosk });
      clearTimeout(clearing);
      clearing = setTimeout(() => leaveKiosk("The screen cleared itself."), 30000);
    }
  } else if (form.dataset.form === "pos") {
    if (!me.basket.length) return say("pos", "Add something to the basket first.", true);
    me.posVisit ??= `till-${uuid()}`;
    const bought = order("T", me.basket);
    const context = { ...(me.posKey.startsWith("card:") ? cardId() : {}), ereceipt: Boolean(fields.email) };
    const traits = fields.email ? { traits: { email: fields.email } } : {};
    if (fields.email && !(await send("pos", "identify", { ...tillWho(), ...traits, context }))) return undefined;
    if (await send("pos", "track", { ...tillWho(), event: "Order Completed", properties: { ...bought, store_id: setup.store }, context })) {
      if (!me.posKey) me.posKey = `anonymous_id:${me.posVisit}`;
      me.basket = [];
      me.posVisit = undefined;
      form.reset();
      showBaskets();
      say("pos", `Paid ${money.format(bought.revenue)}, receipt ${bought.order_id}.`);
    }
  }
  return undefined;
});

document.querySelector("[data-fresh]").addEventListener("click", () => {
  me = fresh();
  for (const form of $$("form")) form.reset();
  for (const slot of $$("[data-slot]")) slot.replaceChildren();
  for (const screen of ["web", "kiosk", "pos"]) say(screen, "");
  nameField("email");
  showBaskets();
  feed();
});

addEventListener("online", () => used.forEach(together));
setInterval(() => used.forEach((screen) => touchpoints[screen].refresh()), 3600000);

let ticks = 0;
document.addEventListener("patron:live", () => {
  ticks += 1;
  if (ticks % 3 === 0 && !document.querySelector("#feed").matches(":hover,:focus-within")) feed();
});
showBaskets();
if (sessionStorage.getItem("patron-shopper")) feed();
