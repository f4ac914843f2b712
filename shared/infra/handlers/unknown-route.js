// Answers what neither a procedure nor a gateway is reached by, as `refuse` of shared/runtime/src/answer.rs does.
"use strict";

const { isIPv4, isIPv6 } = require("node:net");
const { ONEFOLD_URL, ONEFOLD_APP_URL, ONEFOLD_ALLOWED_ORIGINS, ONEFOLD_ADDRESS_HEADER } = process.env;
const origins = (ONEFOLD_ALLOWED_ORIGINS ?? "").split(",").filter((origin) => origin !== "");
/** Those whose pages may call with a cookie: the service's own as well. */
const trusted = [ONEFOLD_URL, ONEFOLD_APP_URL].flatMap((url) => (url ? [new URL(url).origin] : [])).concat(origins);

/** The headers that let a page read the answer: the same rules as in shared/runtime/src/cors.rs. */
function cors(origin) {
  if (origin === undefined) return {};
  const exposed = { "access-control-expose-headers": "x-request-id, x-csrf-token, onefold-renew, retry-after, www-authenticate, allow, accept, accept-encoding, accept-patch, accept-post, etag, link, location" };
  if (trusted.includes(origin)) {
    return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", ...exposed };
  }
  return origins.length === 0 ? { "access-control-allow-origin": "*", ...exposed } : {};
}

/** The network of an address, as `in_log` of shared/runtime/src/web.rs has it. */
function networkOf(address = "") {
  if (isIPv4(address)) return address.replace(/\d+$/, "0/24");
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const [head, tail] = written(address).split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const groups = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  if (groups.slice(0, 6).join(":") !== "0:0:0:0:0:ffff") return `${written(`${groups.slice(0, 3).join(":")}::`)}/48`;
  const [high, low] = groups.slice(6).map((group) => parseInt(group, 16));
  return `${high >> 8}.${high & 255}.${low >> 8}.0/24`;
}

/** An IPv6 address as RFC 5952 writes it, but for one that stands for IPv4: a URL has it so. */
function written(address) {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

exports.handler = async ({ headers, rawPath, requestContext: { http: { method, sourceIp }, requestId } }) => {
  const isPreflight = method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
  const isCalled = rawPath.startsWith("/trpc/");
  const network = networkOf(ONEFOLD_ADDRESS_HEADER ? headers[ONEFOLD_ADDRESS_HEADER] : sourceIp);
  console.log(JSON.stringify({ level: "INFO", message: "nothing here", status: isPreflight ? 204 : 404, request_id: requestId, network }));
  const varied = origins.length === 0 && !trusted.includes(headers.origin) ? [] : ["origin"];
  if (isPreflight) {
    const wanted = headers["access-control-request-headers"];
    return {
      statusCode: 204,
      headers: {
        "access-control-allow-methods": `GET, HEAD, POST${isCalled ? "" : ", PUT, PATCH, DELETE"}`,
        "access-control-max-age": "7200",
        ...(wanted === undefined ? {} : { "access-control-allow-headers": wanted }),
        ...cors(headers.origin),
        vary: ["access-control-request-headers", ...varied].join(", "),
      },
    };
  }
  const path = isCalled ? rawPath.slice("/trpc/".length) : undefined;
  const message = isCalled ? `There is no procedure ${JSON.stringify(path)}.` : "There is nothing here.";
  const instance = rawPath.toWellFormed().split("/").map(encodeURIComponent).join("/");
  const answer = isCalled
    ? { error: { message, code: -32004, data: { code: "NOT_FOUND", httpStatus: 404, path, requestId } } }
    : { type: "about:blank", title: "Not Found", status: 404, detail: message, instance, code: "NOT_FOUND", requestId };
  return {
    statusCode: 404,
    headers: {
      "content-type": isCalled ? "application/json" : "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
      vary: [...(isCalled ? ["trpc-accept"] : []), "accept", ...varied].join(", "),
      ...cors(headers.origin),
    },
    body: JSON.stringify(answer),
  };
};
