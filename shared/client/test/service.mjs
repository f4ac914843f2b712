// An imitation of a service, as far as it can be had without a network: what was called, and what is answered.

/** A `fetch` that answers what `answer` says for a procedure, and the calls that it got. */
export function imitation(answer) {
  const calls = [];
  const fetch = async (input, init) => {
    const procedure = new URL(input).pathname.split("/").at(-1);
    const call = { procedure, method: init.method, headers: new Headers(init.headers), body: init.body && JSON.parse(init.body) };
    calls.push(call);
    const { status = 200, headers = {}, ...body } = answer(call, init);
    return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
  };
  return { calls, fetch };
}

/** A result, and an error, as the service sends them. */
export const result = (data, headers) => ({ result: { data }, headers });
export const error = (path, httpStatus, code, failure) => ({
  status: httpStatus,
  error: { message: "no", code: -32000, data: { code, httpStatus, path, requestId: "1", failure } },
});
