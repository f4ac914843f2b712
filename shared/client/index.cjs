"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.createClient = createClient;
exports.withEnvelopes = withEnvelopes;
exports.parsed = parsed;
exports.failureOf = failureOf;
exports.wantsReauthentication = wantsReauthentication;
const client_1 = require("@trpc/client");
/** What one batch may have, and how long an address may be that CloudFront and API Gateway take. */
const BATCH = { maxItems: 50, maxURLLength: 7_500 };
/**
 * Keys and numbers of tRPC's errors, by HTTP status.
 *
 * @type {Record<number, [key: string, code: number]>}
 */
const CODES = {
    400: ["BAD_REQUEST", -32600],
    500: ["INTERNAL_SERVER_ERROR", -32603],
    501: ["NOT_IMPLEMENTED", -32603],
    502: ["BAD_GATEWAY", -32603],
    503: ["SERVICE_UNAVAILABLE", -32603],
    504: ["GATEWAY_TIMEOUT", -32603],
    401: ["UNAUTHORIZED", -32001],
    402: ["PAYMENT_REQUIRED", -32002],
    403: ["FORBIDDEN", -32003],
    404: ["NOT_FOUND", -32004],
    405: ["METHOD_NOT_SUPPORTED", -32005],
    406: ["NOT_ACCEPTABLE", -32006],
    408: ["TIMEOUT", -32008],
    409: ["CONFLICT", -32009],
    412: ["PRECONDITION_FAILED", -32012],
    413: ["PAYLOAD_TOO_LARGE", -32013],
    415: ["UNSUPPORTED_MEDIA_TYPE", -32015],
    422: ["UNPROCESSABLE_CONTENT", -32022],
    428: ["PRECONDITION_REQUIRED", -32028],
    429: ["TOO_MANY_REQUESTS", -32029],
    499: ["CLIENT_CLOSED_REQUEST", -32099],
};
/** @type {typeof import("./index.cjs").createClient} */
function createClient({ url, token, pathSeparator, batch, fetch }) {
    const headers = async () => {
        const value = typeof token === "function" ? await token() : token;
        return value === undefined ? {} : { authorization: `Bearer ${value}` };
    };
    /** @type {any} Which types its calls have is the caller's to say. */
    const link = { url, headers, fetch: withEnvelopes(fetch) };
    if (pathSeparator !== undefined)
        link.pathSeparator = pathSeparator;
    return (0, client_1.createTRPCClient)({ links: [batch === true ? (0, client_1.httpBatchLink)({ ...link, ...BATCH }) : (0, client_1.httpLink)(link)] });
}
/** @type {typeof import("./index.cjs").withEnvelopes} */
function withEnvelopes(fetch = globalThis.fetch) {
    return async (input, init) => {
        const response = await fetch(input, /** @type {RequestInit | undefined} */ (init));
        if (response.ok)
            return response;
        const said = parsed(await response.clone().text());
        if (said?.error !== undefined || Array.isArray(said))
            return response;
        const { status } = response;
        const [key, code] = CODES[status] ?? CODES[status < 500 ? 400 : 500];
        const message = typeof said?.message === "string" ? said.message : `The gateway answered with ${status}.`;
        const headers = new Headers(response.headers);
        const requestId = headers.get("apigw-requestid") ?? headers.get("x-amz-cf-id") ?? "";
        for (const name of ["content-encoding", "content-length"])
            headers.delete(name);
        headers.set("content-type", "application/json");
        const error = { message, code, data: { code: key, httpStatus: status, requestId } };
        return new Response(JSON.stringify({ error }), { status, headers });
    };
}
/** @type {typeof import("./index.cjs").parsed} */
function parsed(text) {
    try {
        return JSON.parse(text);
    }
    catch {
        return undefined;
    }
}
/** @type {typeof import("./index.cjs").failureOf} */
function failureOf(procedure, error) {
    const data = dataOf(error);
    return data?.path === procedure ? data.failure : undefined;
}
/** @type {typeof import("./index.cjs").wantsReauthentication} */
function wantsReauthentication(error) {
    return dataOf(error)?.failure?.type === "reauthenticate";
}
/**
 * By name: an application may hold two copies of @trpc/client, and only one has the class.
 *
 * @type {(error: any) => any}
 */
const dataOf = (error) => (error instanceof Error && error.name === "TRPCClientError" ? /** @type {any} */ (error).data : undefined);
