// The page of a shop that uses @segment/analytics-next; bundled once per release (the import is replaced).
// Only the hosts differ from the library's defaults: where settings come from and where events go.
import { AnalyticsBrowser } from "ANALYTICS_NEXT";

window.send = async ({ host, writeKey, count, userId, batching }) => {
  const strategy = batching ? { deliveryStrategy: { strategy: "batching", config: { size: 10, timeout: 1000 } } } : {};
  const [analytics] = await AnalyticsBrowser.load(
    { writeKey, cdnURL: `http://${host}` },
    { integrations: { "Segment.io": { apiHost: `${host}/v1`, protocol: "http", ...strategy } } },
  );
  const failed = [];
  analytics.on("error", (error) => failed.push(String(error.reason ?? error)));
  const contexts = [await analytics.identify(userId, { plan: "gold", visits: 3 })];
  const calls = [];
  for (let n = 0; n < count - 2; n += 1) {
    calls.push(analytics.track("Product Viewed", { n, price: 12.5 }));
    // in waves, so that batching makes a dozen requests of it and not one
    if (batching && n % 80 === 79) await new Promise((resolve) => setTimeout(resolve, 60));
  }
  calls.push(analytics.page("Shop", "Home", { path: "/" }));
  contexts.push(...(await Promise.all(calls)));
  return { sent: contexts.map((context) => context.event.messageId), failed };
};
