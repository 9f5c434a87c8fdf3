// Drive @segment/analytics-node, unmodified: only `host` differs from its defaults.
// Arguments: package (the npm alias), host, write key, number of messages, user id, retries ('' = its default).
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [, , name, host, writeKey, count, userId, retries] = process.argv;
const { Analytics } = require(name);
const options = { writeKey, host };
if (retries) options.maxRetries = Number(retries);
const analytics = new Analytics(options);
const failed = [];
analytics.on("error", (error) => failed.push(String(error.reason ?? error.code ?? error)));

const sent = [];
const done = (resolve) => (error, context) => {
  if (error) failed.push(String(error));
  sent.push(context.event.messageId);
  resolve();
};
const calls = [new Promise((resolve) => analytics.identify({ userId, traits: { plan: "gold", visits: 3 } }, done(resolve)))];
for (let n = 0; n < Number(count) - 2; n += 1) {
  calls.push(new Promise((resolve) =>
    analytics.track({ userId, event: "Product Viewed", properties: { n, price: 12.5 } }, done(resolve))));
}
calls.push(new Promise((resolve) =>
  analytics.page({ userId, category: "Shop", name: "Home", properties: { path: "/" } }, done(resolve))));
await analytics.closeAndFlush();
await Promise.all(calls);
const { version } = require(`${name}/package.json`);
console.log(JSON.stringify({ version, sent, failed }));
