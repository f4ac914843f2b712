"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.createSession = createSession;
const client_1 = require("@trpc/client");
const index_cjs_1 = require("./index.cjs");
/**
 * @import { Fetch } from "./index.cjs"
 * @import { SessionNames, TokenStorage } from "./session.cjs"
 *
 * @typedef {ReturnType<typeof getUntypedClient>} Calls
 * @typedef {{ plain: Fetch, client: (fetch: Fetch) => Calls, key: string, ended: () => void, names: SessionNames }} Around
 * @typedef {{ accessToken: string, refreshToken: string, expiresInS: number, receivedAt: number }} Tokens
 */
const CSRF = "x-csrf-token";
/** The part of its life after which an access token is renewed. */
const FRESH = 0.9;
/** How long the service may take to renew a session: both attempts fit into its grace for a lost answer. */
const RENEW_TIMEOUT_MS = 10_000;
/** How long a renewal of a cookie suffices, whatever came of it. */
const RENEW_PAUSE_MS = 10_000;
/** What a session needs of the runtime, beside `fetch`. */
const NEEDED = ["AbortController", "Headers", "Response", "URL", "clearTimeout", "queueMicrotask", "setTimeout"];
/** @param {string} name */
const has = (name) => /** @type {any} */ (globalThis)[name] !== undefined;
/** @type {typeof import("./session.cjs").createSession} */
function createSession({ url, keep = "cookie", storage, onEnd, pathSeparator, fetch }, names) {
    const missing = [...NEEDED, ...(fetch === undefined ? ["fetch"] : [])].filter((name) => !has(name));
    if (missing.length > 0)
        throw new TypeError(`createSession needs what this runtime does not have: ${missing.join(", ")}`);
    const plain = (0, index_cjs_1.withEnvelopes)(fetch);
    /** @param {Fetch} fetch */
    const client = (fetch) => (0, client_1.getUntypedClient)((0, index_cjs_1.createClient)({ url, pathSeparator, fetch }));
    const key = `onefold ${url}`;
    // An error in it is the application's, not that of the call which finds the session ended.
    const ended = () => queueMicrotask(() => onEnd?.());
    const around = { plain, client, key, ended, names };
    const { reauthenticate, ...session } = keep === "tokens" ? tokenSession(around, storage) : cookieSession(around);
    const own = originOf(url);
    // What proves who is calling goes to this service and nowhere else.
    /** @type {Fetch} */
    const guarded = (input, init) => (originOf(input) === own ? session.fetch : plain)(input, init);
    return { ...session, ...(names.reauthenticate === null ? {} : { reauthenticate }), fetch: guarded };
}
/** @param {Parameters<Fetch>[0]} input */
const originOf = (input) => new URL(isRequest(input) ? input.url : input, globalThis.location?.href).origin;
/** @param {Around} around */
function cookieSession({ plain, client, key, ended, names }) {
    const locked = lock(`${key} renewal`);
    const renewals = lastRenewal(`${key} renewal`);
    /** @type {string | undefined} */
    let csrf;
    let isLive = false;
    /** @type {Fetch} */
    const send = async (input, init) => {
        const sent = isSafe(input, init) ? undefined : csrf;
        const response = await request(plain, input, init, { [CSRF]: sent }, "include");
        csrf = response.headers.get(CSRF) ?? csrf;
        isLive ||= response.headers.has(CSRF);
        return response;
    };
    /**
     * Repeats a call that was refused because another cookie, or a new page, wants another CSRF token.
     *
     * @type {Fetch}
     */
    const exchange = async (input, init) => {
        const before = csrf;
        const response = await send(input, init);
        const wanted = response.headers.get(CSRF);
        if (wanted === null || wanted === before || isSafe(input, init) || !isRepeatable(init))
            return response;
        return (await isRefused(response, 403)) ? send(input, init) : response;
    };
    /** @param {number} since */
    const renew = (since) => locked(async () => {
        if (since < renewals.at() + RENEW_PAUSE_MS)
            return;
        // A page that is left meanwhile still gets its cookie.
        const lasting = client((input, init) => exchange(input, { ...init, keepalive: true }));
        // Another answer will ask again.
        await inTime((signal) => lasting.mutation(names.refresh, {}, { signal })).catch(() => { });
        renewals.note();
    });
    /** @type {Fetch} */
    const fetch = async (input, init) => {
        const since = Date.now();
        let response = await exchange(input, init);
        const isAny = isSafe(input, init);
        if (isLive && (await isWithoutSession(response, isAny))) {
            // It may have left with a cookie that was being replaced, here or in another tab.
            const isRenewed = await locked(() => renewals.at() >= since);
            if (isRenewed && isRepeatable(init))
                response = await exchange(input, init);
            if (isLive && (await isWithoutSession(response, isAny))) {
                isLive = false;
                ended();
            }
        }
        if (response.headers.get("onefold-renew") === "1")
            void renew(since);
        return response;
    };
    return {
        fetch,
        /** @param {object} input */
        signIn: async (input) => {
            const said = await client(fetch).mutation(names.signIn, { ...input, [names.keepField]: names.cookie });
            isLive = true;
            return memberOf(said, names.whoField);
        },
        signOut: async () => {
            await client(fetch).mutation(names.signOut, {});
            isLive = false;
        },
        /** @param {string} password */
        reauthenticate: (password) => locked(async () => {
            await prove(client(exchange), names, password);
            // It is another cookie, as after a renewal: calls that left with the one before are repeated.
            renewals.note();
        }),
    };
}
/**
 * Whether a call was refused for want of a session: with one that lives, answers have the CSRF token.
 *
 * @param {Response} response
 * @param {boolean} isAny
 */
const isWithoutSession = async (response, isAny) => !response.headers.has(CSRF) && (await isRefused(response, 401, isAny));
/**
 * When a cookie was last renewed, in any tab.
 *
 * @param {string} key
 */
function lastRenewal(key) {
    let here = 0;
    // Where a browser keeps nothing for a page, or there is no browser, each page renews by itself.
    /**
     * @template T
     * @param {(storage: Storage) => T} use
     */
    const kept = (use) => {
        try {
            return use(globalThis.localStorage);
        }
        catch {
            return undefined;
        }
    };
    return {
        at: () => {
            const at = Math.max(here, Number(kept((storage) => storage.getItem(key)) ?? 0));
            return at <= Date.now() ? at : 0; // NaN, or the clock was put back
        },
        note: () => {
            here = Date.now();
            kept((storage) => storage.setItem(key, String(here)));
        },
    };
}
/**
 * @param {Around} around
 * @param {TokenStorage | undefined} storage
 */
function tokenSession({ plain, client, key, ended, names }, storage) {
    const locked = lock(storage === undefined ? undefined : key);
    const kept = storage ?? memory();
    const service = client((input, init) => request(plain, input, init, {}, "omit"));
    let isLive = false;
    /** @type {Promise<Tokens | undefined> | undefined} */
    let renewing;
    /** @returns {Promise<Tokens | undefined>} */
    const read = async () => {
        const tokens = (0, index_cjs_1.parsed)((await kept.getItem(key)) ?? "");
        return typeof tokens?.refreshToken === "string" ? tokens : undefined;
    };
    /** @param {unknown} issued */
    const write = async (issued) => {
        const tokens = {
            accessToken: memberOf(issued, names.accessTokenField),
            refreshToken: memberOf(issued, names.refreshTokenField),
            expiresInS: memberOf(issued, names.expiresInField),
            // The service's clock may differ from this one: only the time since the tokens came counts.
            receivedAt: Date.now(),
        };
        await kept.setItem(key, JSON.stringify(tokens));
        isLive = true;
        return tokens;
    };
    /** @returns {Promise<undefined>} */
    const forget = async () => {
        await kept.removeItem(key);
        note(undefined);
    };
    /** @param {Tokens | undefined} tokens */
    const note = (tokens) => {
        if (isLive && tokens === undefined)
            ended();
        isLive = tokens !== undefined;
    };
    /**
     * The tokens that follow, from the service or from another tab; none when the session has ended.
     *
     * @param {string} used
     * @returns {Promise<Tokens | undefined>}
     */
    const successor = async (used) => {
        const tokens = await read();
        if (tokens === undefined || (tokens.accessToken !== used && age(tokens) < FRESH))
            return tokens;
        const next = await refreshed(service, names, tokens.refreshToken);
        const now = await read();
        // Somebody may have signed out or in meanwhile, or, in a browser without locks, refreshed in another tab.
        if (now?.refreshToken !== tokens.refreshToken)
            return now;
        return next === undefined ? forget() : write(next);
    };
    /** @param {string} used */
    const renew = (used) => (renewing ??= locked(() => successor(used)).finally(() => (renewing = undefined)));
    const current = async () => {
        const tokens = await read();
        note(tokens); // another tab may have signed out
        if (tokens === undefined || age(tokens) < FRESH)
            return tokens;
        return renew(tokens.accessToken).catch((error) => {
            if (age(tokens) < 1)
                return tokens;
            throw error;
        });
    };
    /** @param {Tokens} tokens */
    const close = (tokens) => service.mutation(names.signOut, { [names.refreshTokenField]: tokens.refreshToken });
    /**
     * @param {Parameters<Fetch>[0]} input
     * @param {Parameters<Fetch>[1]} init
     * @param {Tokens | undefined} tokens
     */
    const send = (input, init, tokens) => {
        const authorization = tokens === undefined ? undefined : `Bearer ${tokens.accessToken}`;
        return request(plain, input, init, { authorization }, "omit");
    };
    /** @type {Fetch} */
    const fetch = async (input, init) => {
        const tokens = await current();
        const response = await send(input, init, tokens);
        const isAny = isSafe(input, init);
        if (tokens === undefined || !(await isRefused(response, 401, isAny)) || !isRepeatable(init))
            return response;
        const next = await renew(tokens.accessToken);
        if (next === undefined)
            return response;
        const again = await send(input, init, next);
        // A token that has just been issued and is refused: this session is good for nothing.
        if ((await isRefused(again, 401, isAny)) && (await read())?.accessToken === next.accessToken)
            await forget();
        return again;
    };
    return {
        fetch,
        /** @param {object} input */
        signIn: async (input) => {
            const said = await service.mutation(names.signIn, { ...input, [names.keepField]: names.tokens });
            const before = await read();
            await write(memberOf(said, names.tokensField));
            // Nobody has the tokens before any more: what they open is closed, or ends by itself.
            if (before !== undefined)
                await close(before).catch(() => { });
            return memberOf(said, names.whoField);
        },
        signOut: async () => {
            const tokens = await read();
            isLive = false;
            await kept.removeItem(key);
            if (tokens !== undefined)
                await close(tokens);
        },
        /** @param {string} password */
        reauthenticate: async (password) => {
            await current();
            await locked(async () => {
                const tokens = await read();
                const own = client((input, init) => send(input, init, tokens));
                const next = memberOf(await prove(own, names, password), names.tokensField);
                if (next !== null)
                    await write(next);
            });
        },
    };
}
/**
 * Proves again who is signed in.
 *
 * @param {Calls} calls
 * @param {SessionNames} names
 * @param {string} password
 */
const prove = (calls, names, password) => calls.mutation(names.reauthenticate ?? "", { [names.passwordField]: password });
/**
 * A member of an answer, whose type is the service's.
 *
 * @param {any} said
 * @param {string} field
 */
const memberOf = (said, field) => said[field];
/**
 * How much of an access token's life is over. Where the clock was put back it is less, and the service will say so.
 *
 * @param {Tokens} tokens
 */
const age = ({ receivedAt, expiresInS }) => (Date.now() - receivedAt) / (expiresInS * 1000);
/**
 * The next tokens; none when the session has ended. A lost answer is asked for again: the service gives the same.
 *
 * @param {Calls} service
 * @param {SessionNames} names
 * @param {string} refreshToken
 */
async function refreshed(service, names, refreshToken) {
    const input = { [names.refreshTokenField]: refreshToken };
    for (let attempt = 1;; attempt += 1) {
        try {
            const said = await inTime((signal) => service.mutation(names.refresh, input, { signal }));
            return memberOf(said, names.tokensField) ?? undefined;
        }
        catch ( /** @type {any} */error) {
            // Only the service itself says so: what stands before it may refuse for reasons of its own.
            const { path, httpStatus } = error.data ?? {};
            const isUnreadable = path === names.refresh && httpStatus === 400;
            if (isUnreadable || (0, index_cjs_1.failureOf)(names.refresh, error)?.type === names.ended)
                return undefined;
            if (attempt === 2 || httpStatus < 500)
                throw error;
        }
    }
}
/**
 * Whether the caller was refused with a status, and not only what they asked: that is a failure of the procedure. Of a
 * batch, every call; or any, where the whole can be repeated without harm.
 *
 * @param {Response} response
 * @param {number} status
 */
async function isRefused(response, status, isAny = false) {
    const said = await faults(response);
    /** @param {any} answer */
    const isOne = (answer) => answer?.error?.data?.httpStatus === status && answer.error.data.failure === undefined;
    return isAny ? said.some(isOne) : said.length > 0 && said.every(isOne);
}
/**
 * What the calls in an answer say, if one of them may have failed: it need not have the answer's status.
 *
 * @param {Response} response
 */
async function faults(response) {
    const isLines = response.headers.get("content-type") === "application/jsonl";
    if (response.ok && response.status !== 207 && !isLines)
        return [];
    const text = await response.clone().text();
    if (!isLines)
        return [(0, index_cjs_1.parsed)(text)].flat();
    return text.split("\n").slice(1, -1).map((line) => (0, index_cjs_1.parsed)(line)?.[2]?.[0]?.[0]);
}
/**
 * A renewal that is given up after its time. A timer says so, since not every runtime has `AbortSignal.timeout`.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} renewal
 */
async function inTime(renewal) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), RENEW_TIMEOUT_MS);
    try {
        return await renewal(controller.signal);
    }
    finally {
        clearTimeout(timer);
    }
}
/**
 * @param {Fetch} fetch
 * @param {Parameters<Fetch>[0]} input
 * @param {Parameters<Fetch>[1]} init
 * @param {Record<string, string | undefined>} additional
 * @param {RequestCredentials} credentials
 */
function request(fetch, input, init, additional, credentials) {
    const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined));
    for (const [name, value] of Object.entries(additional))
        if (value !== undefined)
            headers.set(name, value);
    // A request can be sent once only, and a call may have to be repeated.
    return fetch(isRequest(input) ? input.clone() : input, { ...init, headers, credentials });
}
/** @type {(...call: Parameters<Fetch>) => boolean} */
const isSafe = (input, init) => ["GET", "HEAD", "OPTIONS"].includes(init?.method ?? (isRequest(input) ? input.method : "GET"));
/**
 * Not every runtime has the class.
 *
 * @type {(input: Parameters<Fetch>[0]) => input is Request}
 */
const isRequest = (input) => globalThis.Request !== undefined && input instanceof Request;
/**
 * A stream can be read once only.
 *
 * @param {any} init
 */
const isRepeatable = (init) => typeof init?.body?.getReader !== "function";
/**
 * Runs one piece of work at a time: in all tabs, if it has a name and the browser has locks, and otherwise in this page.
 *
 * @param {string | undefined} name
 */
function lock(name) {
    /** @type {Promise<unknown>} */
    let last = Promise.resolve();
    /**
     * @template T
     * @param {() => T | Promise<T>} work
     * @returns {Promise<T>}
     */
    return (work) => {
        /** @type {any} */
        const locks = name === undefined ? undefined : globalThis.navigator?.locks;
        if (locks !== undefined)
            return locks.request(name, () => work());
        const turn = last.then(work);
        last = turn.then(() => { }, () => { });
        return turn;
    };
}
/** @returns {TokenStorage} */
function memory() {
    /** @type {Map<string, string>} */
    const texts = new Map();
    return {
        getItem: (key) => texts.get(key) ?? null,
        setItem: (key, text) => void texts.set(key, text),
        removeItem: (key) => void texts.delete(key),
    };
}
