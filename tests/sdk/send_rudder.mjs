// Drive @rudderstack/rudder-sdk-node, unmodified: only `dataPlaneUrl` differs from its defaults (so gzip is on).
// Arguments: package, host, write key, number of messages, user id, retries ('' = its default of 3).
// The library does not hand back the ids it makes, so the script gives them.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [, , name, host, writeKey, count, userId, retries] = process.argv;
const Rudder = require(name);
const failed = [];
const options = { dataPlaneUrl: host, logLevel: "none", errorHandler: (error) => failed.push(String(error)) };
if (retries) options.retryCount = Number(retries);
const client = new Rudder(writeKey, options);

const sent = [];
const total = Number(count);
await new Promise((resolve) => {
  let answered = 0;
  const one = () => {
    answered += 1;
    if (answered === total) resolve();
  };
  const call = (method, message) => {
    const messageId = `${userId}-${sent.length}-0f8fad5b-d9cb-469f-a165-70867728950e`;
    sent.push(messageId);
    client[method]({ ...message, userId, messageId }, one);
  };
  call("identify", { traits: { plan: "gold", visits: 3 } });
  for (let n = 0; n < total - 2; n += 1) call("track", { event: "Product Viewed", properties: { n, price: 12.5 } });
  call("page", { name: "Home", properties: { path: "/", category: "Shop" } });
  client.flush().catch(() => {});
});
const { version } = require(`${name}/package.json`);
console.log(JSON.stringify({ version, sent, failed }));
