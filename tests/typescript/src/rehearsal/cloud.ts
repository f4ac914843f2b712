// The emulator that stands for AWS, and what the rehearsal does with it. Everything is on 127.0.0.1, in a folder of its own, with
// credentials that exist nowhere else: whatever happens, no real account is asked.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer, request, type OutgoingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { freePort, type Mail, ROOT } from "../service.js";

const VENV = join(ROOT, "tests/.venv/bin");
export const ACCOUNT = "000000000000";
export const REGION = "eu-central-1";
/** How long the emulator may take to start. */
const START_TIMEOUT_MS = 60_000;

export type Ended = { status: number; said: string };

/** Starts the emulator. @param modules where the SDK for JavaScript is, which Lambda's Node.js brings with it */
export async function startCloud(modules: string) {
  const folder = mkdtempSync(join(tmpdir(), "onefold-rehearsal-"));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const { PATH = "", HOME = "", CARGO_HOME, RUSTUP_HOME } = process.env;
  const environment: NodeJS.ProcessEnv = {
    PATH: `${VENV}:${PATH}`,
    HOME,
    ...(CARGO_HOME === undefined ? {} : { CARGO_HOME }),
    ...(RUSTUP_HOME === undefined ? {} : { RUSTUP_HOME }),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    CDK_HOME: join(folder, "cdk"),
    CDK_DISABLE_CLI_TELEMETRY: "true",
  };
  const log = createWriteStream(join(folder, "emulator.log"));
  const emulator = spawn(join(VENV, "python"), [join(ROOT, "tests/rehearsal/emulator.py")], {
    // Functions find their code, and their processes their names, under this folder.
    env: { ...environment, BIND_HOST: "127.0.0.1", GATEWAY_PORT: String(port), AUTH: "true", TMPDIR: folder, MINISTACK_REGION: REGION, NODE_PATH: modules },
    stdio: ["ignore", "pipe", "pipe"],
  });
  emulator.stdout.pipe(log);
  emulator.stderr.pipe(log);
  const ended = new Promise<void>((resolve) => emulator.once("exit", () => resolve()));
  for (const start = Date.now(); ; await sleep(100)) {
    if (await fetch(endpoint).then(() => true, () => false)) break;
    if (emulator.exitCode !== null || Date.now() - start > START_TIMEOUT_MS) {
      emulator.kill("SIGKILL");
      throw new Error(`the emulator did not start:\n${readFileSync(join(folder, "emulator.log"), "utf8")}`);
    }
  }

  /** The processes of functions. */
  const functions = (): number[] =>
    readdirSync("/proc").map(Number).filter((pid) => {
      try {
        return pid > 0 && readlinkSync(`/proc/${pid}/exe`).startsWith(folder);
      } catch {
        return false;
      }
    });
  const killFunctions = (): number => functions().filter((pid) => tryKill(pid)).length;

  return {
    folder,
    environment,
    endpoint,
    /** Asks as somebody who may do everything; operations have botocore's names. */
    ask(service: string, operation: string, parameters: object = {}): any {
      return this.askEach(service, operation, [parameters])[0];
    },
    /** The same operation with each of several parameters. */
    askEach(service: string, operation: string, calls: readonly object[]): any[] {
      const command = [join(ROOT, "tests/rehearsal/ask.py"), service, operation, ...calls.map((parameters) => JSON.stringify(parameters))];
      return JSON.parse(execFileSync(join(VENV, "python"), command, { env: environment, encoding: "utf8", maxBuffer: 1 << 28 }));
    },
    /** The mails that somebody got from Amazon SES, newest first. */
    async mails(to: string): Promise<Mail[]> {
      const { messages } = (await (await fetch(`${endpoint}/_ministack/ses/messages`)).json()) as any;
      const found = (Object.values(messages).flat() as any[]).filter(({ To }) => To.includes(to));
      return found.map(({ Subject: subject, BodyText: text }) => ({ to, subject, text })).reverse();
    },
    /** Puts a secret to what people put there: a new one, or another value. */
    putSecret(name: string, value: unknown): void {
      const { SecretList } = this.ask("secretsmanager", "list_secrets");
      const [operation, key] = SecretList.some(({ Name }: any) => Name === name) ? ["put_secret_value", "SecretId"] : ["create_secret", "Name"];
      this.ask("secretsmanager", operation!, { [key!]: name, SecretString: JSON.stringify(value) });
    },
    /** Ends the processes of all functions at once; answers how many there were. */
    killFunctions,
    /** What the emulator said last, for a test that fails. */
    tail: () => readFileSync(join(folder, "emulator.log"), "utf8").split("\n").slice(-40).join("\n"),
    async stop(): Promise<void> {
      emulator.kill("SIGTERM");
      await Promise.race([ended, sleep(10_000)]);
      emulator.kill("SIGKILL");
      await ended;
      killFunctions();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Cloud = Awaited<ReturnType<typeof startCloud>>;

function tryKill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Runs a command and answers how it ended and what it said. */
export function attempt(command: string, parameters: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd, env, encoding: "utf8", maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  return { status: status ?? -1, said: stdout + stderr };
}

/**
 * Stands where DNS and TLS stand at AWS: takes requests for one HTTP API and gives them to the emulator under the API's own host
 * name, with the headers that CloudFront would add.
 */
export async function startFront(cloud: Cloud, url: string, headers: OutgoingHttpHeaders = {}) {
  const { hostname, pathname } = new URL(url);
  const emulator = new URL(cloud.endpoint);
  const host = `${hostname.split(".")[0] ?? ""}.execute-api.localhost:${emulator.port}`;
  const server = createServer((asked, answer) => {
    const forwarded = request(
      {
        host: emulator.hostname,
        port: emulator.port,
        agent: false,
        method: asked.method,
        path: asked.url,
        headers: { ...asked.headers, ...headers, host },
      },
      (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(answer);
      },
    );
    forwarded.on("error", (error) => answer.headersSent ? answer.destroy(error) : answer.writeHead(502).end());
    asked.pipe(forwarded);
  });
  // While a command runs nothing is read here, and a connection that was closed meanwhile would be used again.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}${pathname}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What the suites ask of whoever runs the service for them: its mails (`/mails`, in the form of the local service's `/_local/mail`),
 * and secrets (`/secrets/<name>`), which functions read when they start anew. `stage` is what the secrets' names begin with.
 */
export async function startHelper(cloud: Cloud, stage: string) {
  const server = createServer((asked, answer) => {
    const url = new URL(asked.url ?? "", "http://helper");
    const done = async () => {
      if (asked.method !== "PUT") return answer.end(JSON.stringify(await cloud.mails(url.searchParams.get("to") ?? "")));
      cloud.putSecret(`${stage}${url.pathname.replace("/secrets", "")}`, JSON.parse(await text(asked)));
      cloud.killFunctions();
      return answer.end();
    };
    done().catch((error: unknown) => answer.writeHead(500).end(String(error)));
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    mails: `${url}/mails`,
    secrets: `${url}/secrets`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
