// The one thing that is changed in a foreign client: where its requests to the vendor go.
import http from "node:http";
import https from "node:https";

const target = new URL(process.env.SANDBOX_URL);
const vendor = /^https:\/\/[^/]*\b(amocrm\.ru|amocrm\.com|kommo\.com)(?=\/|$)/;

const fetched = globalThis.fetch;
globalThis.fetch = (input, init) => fetched(String(input).replace(vendor, target.origin), init);

https.request = (options, callback) =>
  http.request({ ...options, hostname: target.hostname, port: target.port }, callback);
