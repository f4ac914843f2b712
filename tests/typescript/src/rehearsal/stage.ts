// The stage that is rehearsed: the copy of the tree that is deployed, the commands that do it, and how it is reached.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { createClient, type User } from "@onefold/testbed";
import contract from "@onefold/testbed/contract.json" with { type: "json" };
import { copyTarget, copyTree, tutorial } from "../readme/readme.js";
import { TESTBED } from "../service.js";
import { attempt, startCloud, startFront, startHelper, type Cloud, type Ended } from "./cloud.js";

export const STAGE = "pr-7";
export const PREFIX = `${contract.service}-${STAGE}`;
/** How many users are written while functions are killed. */
export const WRITES = 240;

export const tree = copyTree("clone");
export const target = copyTarget("clone");
export const onefold = process.env["ONEFOLD_BINARY"] ?? TESTBED;
export const steps = tutorial();
/** The package of the procedures that are deployed. */
export const PACKAGE = contract.layout.packages.functions.folder;
/** Writes what is generated of them. */
export const regen = (): Ended => attempt("cargo", ["run", "--quiet", "--example", "testbed", "--", "regen"], tree, { ...cloud.environment, CARGO_TARGET_DIR: target });
export const functionOf = (procedure: string) => `${PREFIX}-${procedure.replaceAll(".", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export let cloud: Cloud;
export let url: string;
export let front: Awaited<ReturnType<typeof startFront>>;
export let helper: Awaited<ReturnType<typeof startHelper>>;

/** Reaches what was deployed there, from now on. */
export async function reach(deployed: string): Promise<void> {
  url = deployed;
  front = await startFront(cloud, url);
  helper = await startHelper(cloud, `${contract.service}/preview`);
}

export const times: string[] = [];

/**
 * Runs the command line in the copy. The functions are those of the release profile, but for the optimizer's work: that is
 * half of what building them takes, and nothing of a deployment depends on it.
 */
export function command(parameters: readonly string[], changed: NodeJS.ProcessEnv = {}): Ended {
  const environment = { ...cloud.environment, CARGO_TARGET_DIR: target, CARGO_PROFILE_RELEASE_OPT_LEVEL: "0", ...changed };
  return attempt(onefold, [...parameters, "--data", join(cloud.folder, "data")], tree, environment);
}

/** Runs it, expects that it succeeds, and notes how long it took. */
export function timed(what: string, parameters: readonly string[]): string {
  const start = performance.now();
  const { status, said } = command(parameters);
  times.push(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  assert.equal(status, 0, `${parameters.join(" ")}:\n${said}\n${cloud.tail()}`);
  return said;
}

/** Runs it, expects that it refuses, and answers what it says. */
export function refused(parameters: readonly string[], changed?: NodeJS.ProcessEnv): string {
  const { status, said } = command(parameters, changed);
  assert.notEqual(status, 0, `it was accepted:\n${said}`);
  return said;
}

export const deploy = (what: string, stage = STAGE) => timed(what, ["deploy", "--stage", stage, "--architecture", "x86_64"]);

export const token = (role = "administrator") => {
  const { status, said } = command(["token", "--stage", STAGE, "--role", role]);
  assert.equal(status, 0, said);
  return said.trim();
};
export const client = () => createClient({ url: front.url, token: token() });

export const PASSWORD = "seven grey herons wade";

/** Somebody who registers, and proves the address with the token of the mail and the password. */
export async function register(url: string, email: string, more: { founderToken?: string } = {}) {
  const anybody = createClient({ url });
  await anybody.auth.register.mutate({ email, name: "Grace", password: PASSWORD, ...more });
  const [newest] = await cloud.mails(email);
  const token = /#token=([\w-]+)/.exec(newest?.text ?? "")?.[1] ?? assert.fail(`${email} got no mail:\n${cloud.tail()}`);
  await anybody.auth.verifyEmail.mutate({ token, password: PASSWORD });
  return anybody;
}

export async function signIn(url: string, email: string): Promise<string> {
  const { tokens } = await createClient({ url }).auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
  return tokens?.accessToken ?? assert.fail("no tokens");
}

/** A part of a token, which nobody checks here. */
export const partOf = (token: string, at: number) => JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString()) as Record<string, unknown>;

/** The keys that `keys` lists, with what it says of each. */
export const keysIn = (said: string) => new Map([...said.matchAll(/^ {2}([\w-]{43})(?: {2}(.*))?$/gm)].map(([, kid = "", what = ""]) => [kid, what]));
export const keyThat = (said: string, wanted: string) => [...keysIn(said)].find(([, what]) => what === wanted)?.[0] ?? assert.fail(`no key: ${wanted}\n${said}`);

/** Changes `stages.ts`. */
export function decide(before: string, after: string): void {
  const file = join(tree, "infra/stages.ts");
  const stages = readFileSync(file, "utf8");
  assert.equal(stages.split(before).length, 2, before);
  writeFileSync(file, stages.replace(before, after));
}

/** The digests of the code of all functions, by their names. */
export function deployedCode(): Record<string, string> {
  const { Functions } = cloud.ask("lambda", "list_functions");
  return Object.fromEntries(Functions.map((about: any) => [about.FunctionName, about.CodeSha256]));
}

export async function allUsers(): Promise<Map<string, User>> {
  const users = new Map<string, User>();
  const asking = client();
  let page = await asking.users.list.query({ limit: 100 });
  for (;;) {
    for (const user of page.items) users.set(user.id, user);
    if (page.next === null) return users;
    page = await asking.users.list.query({ limit: 100, cursor: page.next });
  }
}

before(async () => {
  cloud = await startCloud(join(tree, "infra/node_modules"));
});

after(async () => {
  await front?.stop();
  await helper?.stop();
  await cloud?.stop();
  console.log(`\nThe rehearsal's steps:\n${times.map((line) => `  ${line}`).join("\n")}`);
});
