/**
 * A small Lambda runtime interface client: what AWS's managed Node runtime does around a handler, and no more.
 * It asks for the next event over one kept-alive connection, calls the handler, posts the answer.
 *
 * Usage: `AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001 node runtime.mjs handler.mjs`
 */
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const base = "/2018-06-01/runtime";

function exchange(method, path, body) {
  return new Promise((done, failed) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request({ agent, host, port, method, path: base + path, headers }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("end", () => done({ headers: incoming.headers, body: Buffer.concat(chunks).toString("utf8") }));
      incoming.on("error", failed);
    });
    outgoing.on("error", failed);
    outgoing.end(body);
  });
}

function described(fault) {
  return JSON.stringify({ errorType: fault?.name ?? "Error", errorMessage: fault?.message ?? String(fault), stackTrace: [] });
}

let handler;
try {
  ({ handler } = await import(pathToFileURL(resolve(process.argv[2])).href));
} catch (fault) {
  console.error(fault);
  await exchange("POST", "/init/error", described(fault));
  process.exit(1);
}

for (;;) {
  const next = await exchange("GET", "/invocation/next");
  const awsRequestId = next.headers["lambda-runtime-aws-request-id"];
  const deadlineMs = Number(next.headers["lambda-runtime-deadline-ms"]);
  const context = {
    awsRequestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    invokedFunctionArn: next.headers["lambda-runtime-invoked-function-arn"],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
  try {
    const answer = await handler(JSON.parse(next.body), context);
    await exchange("POST", `/invocation/${awsRequestId}/response`, JSON.stringify(answer));
  } catch (fault) {
    console.error(fault);
    await exchange("POST", `/invocation/${awsRequestId}/error`, described(fault));
  }
}
