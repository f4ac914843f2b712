// Answers what neither a procedure nor a gateway is reached by, in the form that procedures fail in.
"use strict";

const { ONEFOLD_URL, ONEFOLD_APP_URL, ONEFOLD_ALLOWED_ORIGINS } = process.env;
const origins = (ONEFOLD_ALLOWED_ORIGINS ?? "").split(",").filter((origin) => origin !== "");
/** Those whose pages may call with a cookie: the service's own as well. */
const trusted = [ONEFOLD_URL, ONEFOLD_APP_URL].flatMap((url) => (url ? [new URL(url).origin] : [])).concat(origins);

/** The headers that let a page read the answer: the same rules as in shared/runtime/src/cors.rs. */
function cors(origin) {
  if (origin === undefined) return {};
  const exposed = { "access-control-expose-headers": "x-request-id, x-csrf-token, onefold-renew, retry-after, etag, link, location" };
  if (trusted.includes(origin)) {
    return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", ...exposed };
  }
  return origins.length === 0 ? { "access-control-allow-origin": "*", ...exposed } : {};
}

exports.handler = async (event) => {
  const { method } = event.requestContext.http;
  const { requestId } = event.requestContext;
  const varied = origins.length === 0 && !trusted.includes(event.headers.origin) ? [] : ["origin"];
  if (method === "OPTIONS") {
    const wanted = event.headers["access-control-request-headers"];
    return {
      statusCode: 204,
      headers: {
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-max-age": "7200",
        ...(wanted === undefined ? {} : { "access-control-allow-headers": wanted }),
        ...cors(event.headers.origin),
        vary: ["access-control-request-headers", ...varied].join(", "),
      },
    };
  }
  const path = event.rawPath.startsWith("/trpc/") ? event.rawPath.slice("/trpc/".length) : undefined;
  const error = {
    message: path === undefined ? "There is nothing here." : `There is no procedure ${JSON.stringify(path)}.`,
    code: -32004,
    data: { code: "NOT_FOUND", httpStatus: 404, ...(path === undefined ? {} : { path }), requestId },
  };
  return {
    statusCode: 404,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
      vary: ["trpc-accept", "accept", ...varied].join(", "),
      ...cors(event.headers.origin),
    },
    body: JSON.stringify({ error }),
  };
};
