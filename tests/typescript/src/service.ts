// The service under test: one that is started here, or one that runs somewhere already.
//
//   ONEFOLD_BINARY    the program to start; target/debug/examples/testbed if left out
//   ONEFOLD_ISOLATED  1: every procedure is a Lambda binary of its own
//   ONEFOLD_URL       the service runs there (`https://…/trpc`); nothing is started
//   ONEFOLD_TOKEN     an administrator's token for it; its subject is a user's id
//   ONEFOLD_STAGE     in place of a token, when nobody else uses the service: the stage whose keys sign tokens
//   ONEFOLD_DATA      the folder with those keys
//   ONEFOLD_MAILS     where its mails can be read, in the form of the local service's `/_local/mail`
//   ONEFOLD_SECRETS   where secrets can be put for it: PUT `<there>/<name>`
//   ONEFOLD_HOME      the origin that the service takes for its own, when it is reached under another one
//   ONEFOLD_APP_URL   where the pages of a service that is started here are: the links of its mails lead there
//   ONEFOLD_RECORD    a file to which a service that is started here appends which rights its procedures use

import { execFileSync, spawn } from "node:child_process";
import { createPrivateKey, sign as signed } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The repository's root, wherever this is compiled to. */
export const ROOT = rootAbove(new URL("./", import.meta.url));

function rootAbove(folder: URL): string {
  return existsSync(new URL("Cargo.lock", folder)) ? fileURLToPath(folder) : rootAbove(new URL("../", folder));
}

/** How long a service may take to start. With ONEFOLD_ISOLATED, cargo builds the functions first. */
const START_TIMEOUT_MS = 300_000;

export type Service = {
  /** Where the procedures are, without a slash at the end. */
  readonly url: string;
  /** Whether the service is ours: empty at the start, with every role at hand. */
  readonly isOurs: boolean;
  /** Signs a token. Only for a service of ours. */
  token(role: string, subject?: string): string;
  /** Signs a token that was made an hour ago, when its person was there last. Only for a service of ours. */
  oldToken(role: string): string;
  /** An administrator's token, made a moment ago. */
  readonly administrator: string;
  /** The origin that it takes for its own: providers send browsers back there. */
  readonly home: string;
  /** An address of the service, as it is reached from here. */
  here(address: URL): URL;
  /** The mails that somebody got, newest first. */
  mails(to: string): Promise<Mail[]>;
  stop(): Promise<void>;
};

/** A mail that the service sent. */
export type Mail = { readonly to: string; readonly subject: string; readonly text: string };

/** Reads a mailbox: the local service's own, or one that answers alike. */
const mailboxAt = (url: string) => async (to: string): Promise<Mail[]> => {
  const answer = await fetch(`${url}?${new URLSearchParams({ to })}`);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as Mail[];
};

/** The token in the newest mail with one that somebody got. */
export async function mailedToken(service: Service, to: string): Promise<string> {
  const found = (await service.mails(to)).map(({ text }) => /#token=([\w-]+)/.exec(text)?.[1]);
  const token = found.find((one) => one !== undefined);
  if (token === undefined) throw new Error(`${to} got no mail with a token`);
  return token;
}

/** Starts the service that the environment asks for. A service of ours gets these secrets, by their names. */
export async function startService(secrets: Readonly<Record<string, unknown>> = {}): Promise<Service> {
  const { ONEFOLD_URL: url, ONEFOLD_TOKEN: token, ONEFOLD_STAGE: stage, ONEFOLD_DATA: keys } = process.env;
  if (url === undefined) return startHere(secrets);
  const mails = mailboxAt(process.env["ONEFOLD_MAILS"] ?? new URL("/_local/mail", url).href);
  const { origin } = new URL(url);
  const home = process.env["ONEFOLD_HOME"] ?? origin;
  const here = (address: URL) => (address.origin === home ? new URL(address.href.slice(home.length), origin) : address);
  const there = { url, home, here, mails, stop: async () => {} };
  if (stage !== undefined && keys !== undefined) {
    for (const [name, secret] of Object.entries(secrets)) await put(`${process.env["ONEFOLD_SECRETS"] ?? ""}/${name}`, secret);
    const sign = signer(program(TESTBED), "--data", keys, "--stage", stage);
    const key = join(keys, "stages", stage.startsWith("pr-") ? "preview" : stage, "signing.key");
    const administrator = kept(() => sign("administrator"));
    return {
      ...there,
      isOurs: true,
      token: sign,
      oldToken: (role) => aged(sign(role), key),
      get administrator() {
        return administrator();
      },
    };
  }
  if (token === undefined) throw new Error("ONEFOLD_URL wants ONEFOLD_TOKEN as well, or ONEFOLD_STAGE and ONEFOLD_DATA");
  const sign = () => {
    throw new Error("only a service that the tests start signs tokens for them");
  };
  return { ...there, isOurs: false, token: sign, oldToken: sign, administrator: token };
}

/** Made again every minute: what wants a sign-in of a moment ago takes an operator's token of a moment ago. */
function kept(make: () => string): () => string {
  let [text, at] = ["", 0];
  return () => {
    if (Date.now() - at > 60_000) [text, at] = [make(), Date.now()];
    return text;
  };
}

/** The same token, made an hour ago. The key is Ed25519 in PKCS #8, with the seed and the public key in their places. */
function aged(token: string, file: string): string {
  const der = readFileSync(file);
  const [seed, point] = [der.subarray(16, 48).toString("base64url"), der.subarray(-32).toString("base64url")];
  const key = createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d: seed, x: point }, format: "jwk" });
  const [head, payload = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { iat: number };
  const message = `${head}.${Buffer.from(JSON.stringify({ ...claims, iat: claims.iat - 3_600 })).toString("base64url")}`;
  return `${message}.${signed(null, Buffer.from(message), key).toString("base64url")}`;
}

/** The program of the testbed. */
export const TESTBED = join(ROOT, "target/debug/examples/testbed");
/** The program of the service of this tree. */
export const REFERENCE = join(ROOT, "target/debug/onefold");

/** The program to start: that one, unless the environment names another. */
const program = (otherwise: string) => process.env["ONEFOLD_BINARY"] ?? otherwise;

/** What was generated of the testbed. */
export const BINDINGS = join(ROOT, "tests/testbed/bindings");

/** What signs tokens with the keys of a place. */
const signer = (binary: string, ...where: string[]) => (role: string, subject?: string) => {
  const who = subject === undefined ? [] : ["--subject", subject];
  return execFileSync(binary, ["token", "--role", role, ...where, ...who], { encoding: "utf8" }).trim();
};

/**
 * Starts a service on this machine, whatever the environment asks for; with further arguments of the command line.
 *
 * @param otherwise the program, unless the environment names one
 */
export async function startHere(
  secrets: Readonly<Record<string, unknown>> = {},
  parameters: readonly string[] = [],
  otherwise: string = TESTBED,
): Promise<Service> {
  const binary = program(otherwise);
  const data = mkdtempSync(join(tmpdir(), "onefold-test-"));
  mkdirSync(join(data, "secrets"), { recursive: true });
  for (const [name, secret] of Object.entries(secrets)) {
    writeFileSync(join(data, "secrets", `${name}.json`), JSON.stringify(secret));
  }
  const isolated = process.env["ONEFOLD_ISOLATED"] === "1" ? ["--isolated"] : [];
  const record = process.env["ONEFOLD_RECORD"];
  const recorded = record === undefined ? [] : ["--record-access", record];
  const pages = ["--app-url", process.env["ONEFOLD_APP_URL"] ?? ""];
  // Pages of all origins may call, as they may by default where it is deployed: what they are refused is behind the front.
  const own = ["--ephemeral", "--port", "0", "--data", data, "--allowed-origins", "*", ...pages];
  const running = await startProgram(binary, [...own, ...isolated, ...recorded, ...parameters]);
  const sign = signer(binary, "--data", data);
  const administrator = kept(() => sign("administrator"));
  return {
    url: running.url,
    isOurs: true,
    token: sign,
    oldToken: (role) => aged(sign(role), join(data, "signing.key")),
    get administrator() {
      return administrator();
    },
    home: new URL(running.url).origin,
    here: (address) => address,
    mails: mailboxAt(new URL("/_local/mail", running.url).href),
    stop: async () => {
      await running.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function put(address: string, value: unknown): Promise<void> {
  const answer = await fetch(address, { method: "PUT", body: JSON.stringify(value) });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}: ${await answer.text()}`);
}

/** Starts a program that says where it answers, and waits until it does. */
export async function startProgram(program: string, parameters: readonly string[]) {
  const child = spawn(program, parameters, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const said: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new Error(`${program} ${why}:\n${said.join("\n")}`));
    };
    const timer = setTimeout(() => fail("did not answer in time"), START_TIMEOUT_MS);
    child.once("error", reject);
    void ended.then((code) => fail(`ended with ${String(code)}`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      const address = / answers at (http:\S+?)\/?(?:\s|$)/.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url, stop };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
