// The deployment, rehearsed: `onefold deploy` gives the synthesized templates and the real release binaries to
// an emulator of AWS, which runs each function as a process of its own behind its HTTP API, on its DynamoDB, and
// judges every request by the policies of the function's role. The clients' suites run against that. Then a second
// version is deployed over the first, and the first over the second.
//
// The functions are those of a copy of the tree, so that one of them can be changed. Linux on x86-64.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, failureOf, type User } from "@onefold/backoffice";
import contract from "@onefold/backoffice/contract.json" with { type: "json" };
import { addProcedure, copyTarget, copyTree, tutorial } from "../readme/readme.js";
import { ROOT } from "../service.js";
import { ACCOUNT, attempt, REGION, startCloud, startFront, startHelper, type Cloud, type Ended } from "./cloud.js";
import { asking, batches, documents, graphql, jsonRpc, rest, soap } from "./styles.js";

const STAGE = "pr-7";
const PREFIX = `${contract.service}-${STAGE}`;
/** How many users are written while functions are killed, and how many at once. */
const WRITES = 240;
const PARALLEL = 6;

const tree = copyTree("rehearsal");
const target = copyTarget("rehearsal");
const onefold = process.env["ONEFOLD_BINARY"] ?? join(ROOT, "target/debug/onefold");
const steps = tutorial();
const functionOf = (procedure: string) => `${PREFIX}-${procedure.replaceAll(".", "-")}`;

let cloud: Cloud;
let url: string;
let front: Awaited<ReturnType<typeof startFront>>;
let helper: Awaited<ReturnType<typeof startHelper>>;
const times: string[] = [];

/** Runs the command line in the copy. */
function command(parameters: readonly string[], changed: NodeJS.ProcessEnv = {}): Ended {
  const environment = { ...cloud.environment, CARGO_TARGET_DIR: target, ...changed };
  return attempt(onefold, [...parameters, "--data", join(cloud.folder, "data")], tree, environment);
}

/** Runs it, expects that it succeeds, and notes how long it took. */
function timed(what: string, parameters: readonly string[]): string {
  const start = performance.now();
  const { status, said } = command(parameters);
  times.push(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  assert.equal(status, 0, `${parameters.join(" ")}:\n${said}\n${cloud.tail()}`);
  return said;
}

/** Runs it, expects that it refuses, and answers what it says. */
function refused(parameters: readonly string[], changed?: NodeJS.ProcessEnv): string {
  const { status, said } = command(parameters, changed);
  assert.notEqual(status, 0, `it was accepted:\n${said}`);
  return said;
}

const deploy = (what: string, stage = STAGE) => timed(what, ["deploy", "--stage", stage, "--architecture", "x86_64"]);

const token = (role = "administrator") => {
  const { status, said } = command(["token", "--stage", STAGE, "--role", role]);
  assert.equal(status, 0, said);
  return said.trim();
};
const client = () => createClient({ url: front.url, token: token() });

const PASSWORD = "seven grey herons wade";

/** Somebody who registers, and proves the address with the token of the mail and the password. */
async function register(url: string, email: string, more: { founderToken?: string } = {}) {
  const anybody = createClient({ url });
  await anybody.auth.register.mutate({ email, name: "Grace", password: PASSWORD, ...more });
  const [newest] = await cloud.mails(email);
  const token = /#token=([\w-]+)/.exec(newest?.text ?? "")?.[1] ?? assert.fail(`${email} got no mail:\n${cloud.tail()}`);
  await anybody.auth.verify_email.mutate({ token, password: PASSWORD });
  return anybody;
}

async function signIn(url: string, email: string): Promise<string> {
  const { tokens } = await createClient({ url }).auth.login.mutate({ email, password: PASSWORD, keep: "tokens" });
  return tokens?.accessToken ?? assert.fail("no tokens");
}

/** A part of a token, which nobody checks here. */
const partOf = (token: string, at: number) => JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString()) as Record<string, unknown>;

/** The keys that `keys` lists, with what it says of each. */
const keysIn = (said: string) => new Map([...said.matchAll(/^ {2}([\w-]{43})(?: {2}(.*))?$/gm)].map(([, kid = "", what = ""]) => [kid, what]));
const keyThat = (said: string, wanted: string) => [...keysIn(said)].find(([, what]) => what === wanted)?.[0] ?? assert.fail(`no key: ${wanted}\n${said}`);

/** Changes `stages.ts`. */
function decide(before: string, after: string): void {
  const file = join(tree, "infra/stages.ts");
  const stages = readFileSync(file, "utf8");
  assert.equal(stages.split(before).length, 2, before);
  writeFileSync(file, stages.replace(before, after));
}

/** The digests of the code of all functions, by their names. */
function deployedCode(): Record<string, string> {
  const { Functions } = cloud.ask("lambda", "list_functions");
  return Object.fromEntries(Functions.map((about: any) => [about.FunctionName, about.CodeSha256]));
}

async function allUsers(): Promise<Map<string, User>> {
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

describe("what is missing is said before anything is built", () => {
  const deployment = ["deploy", "--stage", STAGE, "--architecture", "x86_64"];

  test("a stage that there is not", () => {
    assert.match(refused(["deploy", "--stage", "staging"]), /There is no stage "staging": stages are dev, prod, and pr-7/);
  });

  test("Node.js", () => {
    const bare = join(cloud.folder, "bare");
    mkdirSync(bare);
    assert.match(refused(deployment, { PATH: bare }), /needs Node\.js 20 or newer/);
  });

  test("cargo-lambda", () => {
    const { PATH = "" } = cloud.environment;
    const withoutVenv = PATH.split(":").filter((folder) => !existsSync(join(folder, "cargo-lambda"))).join(":");
    assert.match(refused(deployment, { PATH: withoutVenv }), /pip install --require-hashes --requirement tests\/requirements\.txt/);
  });

  test("a region", () => {
    assert.match(refused(deployment, { AWS_REGION: "", AWS_DEFAULT_REGION: "" }), /No AWS region is set/);
  });

  test("credentials: none, and some that AWS does not know", () => {
    assert.match(refused(deployment, { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }), /No AWS credentials were found[\s\S]*aws sso login/);
    assert.match(refused(deployment, { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" }), /AWS does not know these credentials/);
  });

  test("AWS itself", () => {
    assert.match(refused(deployment, { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }), /AWS cannot be reached/);
  });

  test("the account's preparation, and the command that it names does it", () => {
    const said = refused(deployment);
    const [, program, parameters] = /^ {2}(infra\/\S+) (.*)$/m.exec(said) ?? assert.fail(said);
    assert.equal(parameters, `bootstrap aws://${ACCOUNT}/${REGION}`);
    const { status, said: answer } = attempt(join(tree, program ?? ""), (parameters ?? "").split(" "), tree, cloud.environment);
    assert.equal(status, 0, answer);
  });

  test("an address to send mails from, where somebody is to get them", () => {
    assert.match(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"]), /Stage dev in stages\.ts has no mailFrom, and there is mail to send \([^)]*auth\.register/);
    for (const stage of ["  dev: {", "  preview: {"]) decide(stage, `${stage} mailFrom: "no-reply@example.com",`);
    cloud.ask("sesv2", "create_email_identity", { EmailIdentity: "example.com" });
  });

  test("a secret that the stage says is there", () => {
    decide("  preview: {", '  preview: { secrets: ["identity-provider"],');
    assert.match(refused(deployment), /has the secret "identity-provider", which no procedure reads: they read identity-providers/);
    decide('"identity-provider"', '"identity-providers"');
    assert.match(refused(deployment), /The secret backoffice\/preview\/identity-providers is not there, and stages\.ts says that it is/);
    cloud.putSecret("backoffice/preview/identity-providers", []);
  });

  test("the stage's keys, and the command that it names makes them", () => {
    const said = refused(deployment);
    assert.match(said, /cargo run -- keys --stage pr-7/);
    assert.match(refused(["token", "--stage", STAGE, "--role", "viewer"]), /there is no key for pr-7 here/);
    const made = timed("keys", ["keys", "--stage", STAGE]);
    assert.match(made, /^backoffice\/preview accepts tokens signed with:$/m);
    assert.deepEqual([...keysIn(made).values()], ["this machine signs with it", "the functions sign with it"]);
    const again = timed("keys again", ["keys", "--stage", STAGE]);
    assert.match(again, /^backoffice\/preview has nothing new and accepts tokens signed with:$/m);
    assert.deepEqual(keysIn(again), keysIn(made));
  });

  test("nothing was deployed meanwhile", () => {
    assert.ok(!existsSync(join(tree, "target/lambda")));
    const { Stacks } = cloud.ask("cloudformation", "describe_stacks");
    assert.deepEqual(Stacks.map((stack: any) => stack.StackName), ["CDKToolkit"]);
  });
});

describe("the first version", () => {
  test("one command deploys it and prints the address", async () => {
    const said = deploy("first deployment, with the build of all functions");
    assert.match(said, /nothing is there yet/);
    url = /^pr-7 {2}(https:\/\/\S+\/trpc)$/m.exec(said)?.[1] ?? assert.fail(said);
    assert.match(url, new RegExp(`^https://\\w+\\.execute-api\\.${REGION}\\.amazonaws\\.com/trpc$`));
    front = await startFront(cloud, url);
    helper = await startHelper(cloud, `${contract.service}/preview`);
    assert.equal(await createClient({ url: front.url }).health.ping.query(), "pong");
  });

  test("a function's archive is far below Lambda's limit of 50 MB", () => {
    const { Functions } = cloud.ask("lambda", "list_functions");
    const sizes: number[] = Functions.filter((about: any) => about.Runtime === "provided.al2023").map((about: any) => about.CodeSize);
    assert.equal(sizes.length, contract.procedures.length + contract.gateways.length);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)].map((size) => (size / 1e6).toFixed(2));
    times.push(`${sizes.length} functions, each an archive of ${least} to ${most} MB`);
    for (const { name } of contract.gateways as { name: string }[]) {
      const { CodeSize } = Functions.find((about: any) => about.FunctionName === `${PREFIX}-gateway-${name}`);
      times.push(`the gateway ${name}: ${(CodeSize / 1e6).toFixed(2)} MB`);
    }
    assert.ok(Math.max(...sizes) < 10e6);
  });

  test("the clients' suites pass against it", async () => {
    const environment: NodeJS.ProcessEnv = {
      ...process.env,
      ONEFOLD_URL: front.url,
      ONEFOLD_STAGE: STAGE,
      ONEFOLD_DATA: join(cloud.folder, "data"),
      ONEFOLD_MAILS: helper.mails,
      ONEFOLD_SECRETS: helper.secrets,
      ONEFOLD_HOME: new URL(url).origin,
    };
    // Else the suite takes itself for a part of this test.
    delete environment["NODE_TEST_CONTEXT"];
    const suites = ["procedures", "wire"].map((name) => join(ROOT, `tests/typescript/build/clients/${name}.test.js`));
    const start = performance.now();
    // One after the other: they share a service, and there is one last administrator.
    const suite = spawn("node", ["--test", "--test-concurrency=1", "--test-reporter=tap", ...suites], { env: environment });
    const [status, stdout, stderr] = await Promise.all([once(suite, "close"), text(suite.stdout), text(suite.stderr)]);
    times.push(`the clients' suites: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(stdout)?.[1]);
    const failures = stdout.split("\n").filter((line) => line.includes("not ok"));
    assert.deepEqual(status, [0, null], `${failures.join("\n")}\n${stderr}\n${cloud.tail()}`);
    assert.deepEqual([count("fail"), count("skipped"), count("todo")], [0, 0, 0]);
    assert.ok(count("pass") > contract.procedures.length * 4, `${count("pass")} passed`);
    times.push(`the clients' suites: ${count("pass")} tests passed`);
  });

  test("paths of their own lead to their procedures", async () => {
    const { origin } = new URL(front.url);
    const own = contract.procedures.filter(({ http }) => http !== null);
    assert.ok(own.length > 5);
    for (const { name, http } of own) {
      const [method = "", path = ""] = http?.split(" ") ?? [];
      const address = `${origin}${path.replace(/\{\w+\}/, "nobody")}`;
      const answer = await fetch(address, { method, redirect: "manual" });
      assert.ok(answer.status < 500, `${name}: ${answer.status}`);
      assert.doesNotMatch(await answer.text(), /There is nothing here/);
    }
    const issuer = new URL(url).origin;
    const discovery = (await (await fetch(`${origin}/.well-known/openid-configuration`)).json()) as { issuer: string };
    assert.equal(discovery.issuer, issuer);
    assert.equal((await fetch(`${origin}/oauth/nothing`)).status, 404);
  });

  describe("is answered in every style", () => {
    for (const [style, check] of Object.entries({ batches, graphql, jsonRpc, soap, rest, documents })) {
      test(style, async () => {
        await check(asking(new URL(front.url).origin, token())).catch((error: Error) => {
          throw new Error(`${error.message}\n${cloud.tail()}`, { cause: error });
        });
      });
    }

    test("as nobody, a gateway may do what nobody may", async () => {
      const { json } = await asking(new URL(front.url).origin)("POST", "/jsonrpc", { body: { jsonrpc: "2.0", id: 1, method: "users.list" } });
      assert.equal(json.error.data.code, "UNAUTHORIZED", JSON.stringify(json));
    });

    test("a gateway may invoke procedures because its role says so", async () => {
      const { Configuration } = cloud.ask("lambda", "get_function", { FunctionName: `${PREFIX}-gateway-jsonrpc` });
      const policy = { RoleName: Configuration.Role.split("/").at(-1), PolicyName: "Grants" };
      const { PolicyDocument } = cloud.ask("iam", "get_role_policy", policy);
      const put = (document: unknown) => cloud.ask("iam", "put_role_policy", { ...policy, PolicyDocument: JSON.stringify(document) });
      const ask = asking(new URL(front.url).origin);
      const answer = async () => {
        const { json } = await ask("POST", "/jsonrpc", { body: { jsonrpc: "2.0", id: 1, method: "health.ping" } });
        return json.result ?? json.error.data.code;
      };
      put(JSON.parse(JSON.stringify(PolicyDocument).replaceAll("-health-ping", "-users-get")));
      assert.equal(await answer(), "BAD_GATEWAY");
      put(PolicyDocument);
      assert.equal(await answer(), "pong");
    });

    test("a gateway's log", () => {
      const { status, said } = command(["logs", "gateway-jsonrpc", "--stage", STAGE, "--since", "1h"]);
      assert.equal(status, 0, said);
      assert.match(said, /"message":"request".*"gateway":"jsonrpc"|"gateway":"jsonrpc".*"message":"request"/);
    });
  });

  test("somebody registers, follows the mail, and signs in with tokens that the functions' own key signs", async () => {
    await register(front.url, "hopper@example.com");
    const token = await signIn(front.url, "hopper@example.com");
    assert.equal(partOf(token, 1)["iss"], new URL(url).origin);
    const said = timed("keys once more", ["keys", "--stage", STAGE]);
    assert.equal(partOf(token, 0)["kid"], keyThat(said, "the functions sign with it"));
    const { id, email } = await createClient({ url: front.url, token }).auth.me.query();
    assert.equal(email, "hopper@example.com");
    await client().users.update.mutate({ id, role: "viewer" });
  });

  test("a cookie works for the service's own pages, and for no others", async () => {
    const home = new URL(url).origin;
    const post = (name: string, headers: Record<string, string>, input?: unknown) =>
      fetch(`${front.url}/${name}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(input) ?? null });
    const signedIn = await post("auth.login", { origin: home }, { email: "hopper@example.com", password: PASSWORD });
    assert.equal(signedIn.headers.get("access-control-allow-credentials"), "true");
    const [line = ""] = signedIn.headers.getSetCookie().filter((cookie) => cookie.startsWith("__Host-onefold="));
    assert.match(line, /; Secure\b/i);
    const [cookie = ""] = line.split(";");
    const me = await fetch(`${front.url}/auth.me`, { headers: { cookie } });
    const csrf = me.headers.get("x-csrf-token") ?? "";
    assert.equal(me.status, 200);
    assert.equal((await post("sessions.revoke_others", { cookie, "x-csrf-token": csrf, origin: "https://evil.example" })).status, 403);
    assert.equal((await post("sessions.revoke_others", { cookie, "x-csrf-token": csrf, origin: home })).status, 200);
  });

  for (const { name } of contract.procedures) {
    test(`${name} was answered by its own function, which logged it`, () => {
      const { status, said } = command(["logs", name, "--stage", STAGE, "--since", "1h"]);
      assert.equal(status, 0, said);
      const lines = said.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as { message?: string; procedure?: string });
      const calls = lines.filter(({ message }) => message === "call");
      assert.ok(calls.length > 0);
      assert.deepEqual([...new Set(calls.map(({ procedure }) => procedure))], [name]);
    });
  }

  test("a log that there is not", () => {
    assert.match(refused(["logs", "users.promote", "--stage", STAGE]), /There is no function "users\.promote"\. There are: .*health\.ping.*gateway-graphql/);
    assert.match(refused(["logs", "users.get", "--stage", "pr-8"]), /is the stage deployed there\?/);
    assert.match(refused(["logs", "users.get", "--stage", STAGE, "--since", "soon"]), /no span of time/);
  });

  test("a call without a token, and to nothing", async () => {
    const unauthorized = await fetch(`${front.url}/users.list`);
    assert.deepEqual([unauthorized.status, ((await unauthorized.json()) as any).error.data.code], [401, "UNAUTHORIZED"]);
    const nothing = await fetch(`${front.url}/users.promote`);
    assert.deepEqual([nothing.status, ((await nothing.json()) as any).error.data.code], [404, "NOT_FOUND"]);
  });

  test("a function may do what its role says, and nothing else", async () => {
    const { id } = await client().users.create.mutate({ email: "grace@example.com", name: "Grace" });
    const { Configuration } = cloud.ask("lambda", "get_function", { FunctionName: functionOf("users.get") });
    const role = Configuration.Role.split("/").at(-1);
    const policy = { RoleName: role, PolicyName: "Grants" };
    const { PolicyDocument } = cloud.ask("iam", "get_role_policy", policy);
    const put = (document: unknown) => cloud.ask("iam", "put_role_policy", { ...policy, PolicyDocument: JSON.stringify(document) });
    const answer = () => client().users.get.query({ id }).then(() => "OK", (error: any) => error.data?.code);
    assert.equal(await answer(), "OK");
    const written = JSON.stringify(PolicyDocument);
    const without = (what: string, instead: string) => {
      assert.ok(written.includes(what));
      return written.replaceAll(what, instead);
    };
    for (const narrower of [without('"user#*"', '"users#*"'), without('"dynamodb:GetItem"', '"dynamodb:Query"')]) {
      put(JSON.parse(narrower));
      assert.equal(await answer(), "INTERNAL_SERVER_ERROR");
    }
    put(PolicyDocument);
    assert.equal(await answer(), "OK");
  });
});

test("killing the functions' processes loses no acknowledged write", async () => {
  const writer = client();
  const acknowledged = new Map<string, string>();
  const unanswered: string[] = [];
  let next = 0;
  const write = async () => {
    while (next < WRITES) {
      const email = `killed.${(next += 1)}@example.com`;
      await writer.users.create.mutate({ email, name: "Ada" }).then(
        (user) => acknowledged.set(user.id, email),
        () => unanswered.push(email),
      );
    }
  };
  let killed = 0;
  let running = true;
  const killer = (async () => {
    while (running) {
      await sleep(200);
      killed += cloud.killFunctions();
    }
  })();
  await Promise.all(Array.from({ length: PARALLEL }, write));
  running = false;
  await killer;
  times.push(`${killed} processes killed: ${acknowledged.size} writes acknowledged, ${unanswered.length} unanswered`);
  assert.ok(killed >= PARALLEL, `only ${killed} processes were killed`);
  assert.ok(acknowledged.size > 0);

  const users = await allUsers();
  for (const [id, email] of acknowledged) assert.equal(users.get(id)?.email, email);
  // What was not acknowledged is there or not, and never half: an address is free exactly when nobody has it.
  const addresses = new Set([...users.values()].map((user) => user.email));
  for (const email of unanswered) {
    const error: unknown = await writer.users.create.mutate({ email, name: "Ada" }).then(() => undefined, (error: unknown) => error);
    if (addresses.has(email)) assert.equal(failureOf("users.create", error)?.type, "emailTaken");
    else assert.equal(error, undefined);
  }
});

describe("the second version: one procedure changed, one added", () => {
  const PING = join(tree, "functions/src/health/ping.rs");
  const LIB = join(tree, "functions/src/lib.rs");
  const added = `${steps.domain}.${steps.name}`;
  let first: Record<string, string>;
  let users: Map<string, User>;
  let before: { ping: string; lib: string };
  /** Every file of infra/ that people write, with what is in it. */
  const ground = (): Record<string, string> => {
    const made = ["node_modules", "build", "cdk.out"].map((name) => join(tree, "infra", name));
    const files = readdirSync(join(tree, "infra"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !made.some((folder) => file.startsWith(`${folder}/`)));
    return Object.fromEntries(files.map((file) => [file, readFileSync(file, "utf8")]));
  };

  test("is one file, one word and one command away, and touches nothing of infra/", () => {
    before = { ping: readFileSync(PING, "utf8"), lib: readFileSync(LIB, "utf8") };
    const untouched = ground();
    assert.ok(Object.keys(untouched).length > 30);
    writeFileSync(PING, before.ping.replaceAll('"pong"', '"pong, changed"'));
    addProcedure(tree, steps);
    const environment = { ...cloud.environment, CARGO_TARGET_DIR: target };
    const { status, said } = attempt("cargo", ["regen"], tree, environment);
    assert.equal(status, 0, said);
    assert.deepEqual(ground(), untouched);
  });

  test("is deployed over the first, which is told beforehand", async () => {
    users = await allUsers();
    assert.ok(users.size > WRITES / 2);
    first = deployedCode();
    const said = deploy("second deployment");
    assert.match(said, /What would be different:/);
    assert.match(said, new RegExp(`^ {2}- \`AWS::Lambda::Function\` \`${steps.domain}${steps.name}Function\\w+\`$`, "m"));
    assert.match(said, /^- Code changed: .*`healthpingFunction\w+`/m);
    assert.match(said, /^- Rights gained:$/m);
    assert.ok(said.includes(`\npr-7  ${url}\n`), "it has the same address");
  });

  test("changes the changed function and adds the added one; no function goes", () => {
    const second = deployedCode();
    assert.notEqual(second[functionOf("health.ping")], first[functionOf("health.ping")]);
    const names = (code: Record<string, string>) => Object.keys(code).sort();
    assert.deepEqual(names(second), [...names(first), functionOf(added)].sort());
  });

  test("answers through the new function, with its own role, log group and route", async () => {
    assert.equal(await createClient({ url: front.url }).health.ping.query(), "pong, changed");
    const reading = client() as any;
    const [author] = (await client().posts.list.query({ limit: 1 })).items;
    assert.ok(author);
    const latest = await reading[steps.domain][steps.name].query({ authorId: author.authorId, count: 1 });
    assert.equal(latest.length, 1);
    const { Configuration } = cloud.ask("lambda", "get_function", { FunctionName: functionOf(added) });
    const { Functions } = cloud.ask("lambda", "list_functions");
    const sharing = Functions.filter((about: any) => about.Role === Configuration.Role);
    assert.equal(sharing.length, 1, "the role is its own");
    assert.match(timed("logs", ["logs", added, "--stage", STAGE, "--since", "1h"]), new RegExp(`"procedure":"${added}"`));
  });

  test("has all that was stored", async () => {
    assert.deepEqual(await allUsers(), users);
  });

  test("a deployment that would replace the table, or change two indexes at once, is stopped", () => {
    const path = join(tree, "bindings/contract.json");
    const contract = readFileSync(path, "utf8");
    const changed = (change: (table: any) => void) => {
      const next = JSON.parse(contract);
      change(next.table);
      writeFileSync(path, JSON.stringify(next));
    };
    try {
      changed((table) => {
        table.partitionKey = "partition";
      });
      const replaced = refused(["deploy", "--stage", STAGE, "--architecture", "x86_64"]);
      assert.match(replaced, /Nothing was deployed, because it would harm what is stored:\n {2}- Table \w+ would have another name or other keys/);
      changed((table) => {
        for (const name of ["gsi6", "gsi7"]) table.indexes.push({ name, partitionKey: `${name}pk`, sortKey: `${name}sk` });
      });
      assert.match(refused(["deploy", "--stage", STAGE, "--architecture", "x86_64"]), /2 changes of indexes \(create gsi6, create gsi7\)/);
    } finally {
      writeFileSync(path, contract);
    }
  });

  test("and back: the first version over the second, with all that was stored", async () => {
    writeFileSync(PING, before.ping);
    writeFileSync(LIB, before.lib);
    rmSync(join(tree, steps.procedure.path));
    const { status, said } = attempt("cargo", ["regen"], tree, { ...cloud.environment, CARGO_TARGET_DIR: target });
    assert.equal(status, 0, said);
    deploy("back to the first version");
    assert.deepEqual(deployedCode(), first);
    assert.equal(await createClient({ url: front.url }).health.ping.query(), "pong");
    assert.equal((await fetch(`${front.url}/${added}`)).status, 404);
    assert.deepEqual(await allUsers(), users);
  });
});

/** Calls until the emulator has noticed that a function's process was killed: until then it answers 502 in its place. */
async function answered(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const said = await call().then(() => "", (error: unknown) => String(error));
    if (!said.includes("502")) return;
    await sleep(100);
  }
}

test("another key signs after a rotation and a deployment; the old one is good until it is retired", async () => {
  const [old, oldOfFunctions] = [token(), await signIn(front.url, "hopper@example.com")];
  const answers = (...bearers: string[]) =>
    Promise.all(
      bearers.map((bearer) => {
        const { posts } = createClient({ url: front.url, token: bearer });
        return posts.list.query({ limit: 1 }).then(() => "OK", (error: any) => error.data?.code ?? error);
      }),
    );
  const said = timed("keys, rotated", ["keys", "--stage", STAGE, "--rotate"]);
  const [oldKid = "", others] = [...keysIn(said)].filter(([, what]) => what === "").map(([kid]) => kid);
  assert.equal(others, undefined);
  const functionsKid = keyThat(said, "the functions sign with it");
  const nextKid = keyThat(said, "the functions sign with it after the next deployment");
  const kidOfFunctions = async () => partOf(await signIn(front.url, "hopper@example.com"), 0)["kid"];
  cloud.killFunctions();
  await answered(() => signIn(front.url, "hopper@example.com"));
  assert.equal(await kidOfFunctions(), functionsKid, "the next key does not sign before all functions know it");
  assert.match(refused(["keys", "--stage", STAGE, "--retire", functionsKid]), /is a key that functions sign with/);
  const young = token();
  assert.match(deploy("deployment after a rotation"), new RegExp(`Functions sign with ${nextKid} from now on; ${functionsKid} is accepted`));
  assert.equal(await kidOfFunctions(), nextKid);
  const youngOfFunctions = await signIn(front.url, "hopper@example.com");
  assert.deepEqual(await answers(old, oldOfFunctions, young, youngOfFunctions), ["OK", "OK", "OK", "OK"]);
  timed("keys, retired", ["keys", "--stage", STAGE, "--retire", oldKid]);
  timed("keys, retired", ["keys", "--stage", STAGE, "--retire", functionsKid]);
  deploy("deployment after keys were retired");
  assert.deepEqual(await answers(old, oldOfFunctions, young, youngOfFunctions), ["UNAUTHORIZED", "UNAUTHORIZED", "OK", "OK"]);
  assert.match(refused(["keys", "--stage", STAGE, "--retire", oldKid]), /There is no key/);
});

test("behind CloudFront, the HTTP API answers nobody else", async () => {
  timed("keys of dev", ["keys", "--stage", "dev"]);
  // Its web ACL is where CloudFront looks for it.
  const [, program = "", parameters = ""] = /^ {2}(infra\/\S+) (.*us-east-1)$/m.exec(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"])) ?? assert.fail();
  const prepared = attempt(join(tree, program), parameters.split(" "), tree, cloud.environment);
  assert.equal(prepared.status, 0, prepared.said);
  assert.match(refused(["deploy", "--stage", "dev", "--architecture", "x86_64"], { CI: "true" }), /founder, which says who may be the first administrator, is not there yet/);
  const said = deploy("deployment of dev, with its edge", "dev");
  const founderToken = /^Stage dev has a token that names its first administrator\..*\n {2}([\w-]{43})$/m.exec(said)?.[1] ?? assert.fail(said);
  const { DistributionList } = cloud.ask("cloudfront", "list_distributions");
  assert.match(DistributionList.Items[0].WebACLId, /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/backoffice-dev-firewall/);
  const [, printed = ""] = /^dev {2}(https:\/\/\S+)\/trpc$/m.exec(said) ?? assert.fail(said);
  // CloudFront's name is known when it is there: the functions are told in a second pass.
  assert.match(said, /^Once more for the functions/m);
  const { Configuration } = cloud.ask("lambda", "get_function", { FunctionName: "backoffice-dev-auth-login" });
  assert.equal(Configuration.Environment.Variables.ONEFOLD_URL, printed);
  assert.match(said, /^dev {2}frontend: s3:\/\/\S+$/m);
  const { Items } = cloud.ask("apigatewayv2", "get_apis");
  const { ApiId } = Items.find((api: any) => api.Name.startsWith("backoffice-dev-"));
  const address = `https://${ApiId}.execute-api.${REGION}.amazonaws.com/trpc`;
  const { SecretList } = cloud.ask("secretsmanager", "list_secrets");
  const { ARN } = SecretList.find((secret: any) => secret.Description?.startsWith("x-origin-secret"));
  const { SecretString } = cloud.ask("secretsmanager", "get_secret_value", { SecretId: ARN });
  const shown = [[{}, "UNAUTHORIZED"], [{ "x-origin-secret": "guessed" }, "FORBIDDEN"], [{ "x-origin-secret": SecretString }, "pong"]] as const;
  for (const [headers, expected] of shown) {
    const way = await startFront(cloud, address, headers);
    try {
      const { health } = createClient({ url: way.url });
      const answer = await health.ping.query().catch((error: any) => error.data?.code ?? error);
      assert.equal(answer, expected, cloud.tail());
    } finally {
      await way.stop();
    }
  }

  // Who calls is what the front says; without a secret that nobody made there are no providers.
  const way = await startFront(cloud, address, { "x-origin-secret": SecretString, "x-viewer-address": "203.0.113.7" });
  try {
    const { oauth } = await register(way.url, "lovelace@example.com", { founderToken });
    const lovelace = createClient({ url: way.url, token: await signIn(way.url, "lovelace@example.com") });
    assert.equal((await lovelace.auth.me.query()).role, "administrator", "whoever has the token that the deployment showed");
    assert.deepEqual((await lovelace.sessions.list.query()).items.map(({ address }) => address), ["203.0.113.7"]);
    assert.deepEqual(await oauth.providers.query(), { items: [] });
    // It goes along when a gateway invokes.
    const login = { jsonrpc: "2.0", id: 1, method: "auth.login", params: { email: "lovelace@example.com", password: PASSWORD, keep: "tokens" } };
    const { json } = await asking(new URL(way.url).origin)("POST", "/jsonrpc", { body: login });
    const { items } = await createClient({ url: way.url, token: json.result.tokens.accessToken }).sessions.list.query();
    assert.deepEqual(items.map(({ address }) => address), ["203.0.113.7", "203.0.113.7"]);
  } finally {
    await way.stop();
  }
});

describe("a stage goes as it came", () => {
  test("production does not", () => {
    assert.match(refused(["destroy", "--stage", "prod", "--yes"]), /protects its data and is not removed by a command/);
  });

  test("and no other without being asked for", () => {
    assert.match(refused(["destroy", "--stage", STAGE]), /Nothing was removed/);
  });

  test("with its table, and with a frontend's files in the bucket", () => {
    const { Buckets } = cloud.ask("s3", "list_buckets");
    const { Name } = Buckets.find(({ Name }: any) => Name.includes("dev"));
    cloud.ask("s3", "put_object", { Bucket: Name, Key: "index.html" });
    cloud.ask("s3", "put_object", { Bucket: Name, Key: "index.html" });
    for (const stage of [STAGE, "dev"]) assert.match(timed(`removal of ${stage}`, ["destroy", "--stage", stage, "--yes"]), /is gone/);
    const { Stacks } = cloud.ask("cloudformation", "describe_stacks");
    assert.deepEqual(Stacks.map((stack: any) => stack.StackName), ["CDKToolkit"]);
    assert.deepEqual(cloud.ask("dynamodb", "list_tables").TableNames, []);
    assert.deepEqual(cloud.ask("lambda", "list_functions").Functions, []);
  });

  test("once", () => {
    assert.match(timed("removal of what is gone", ["destroy", "--stage", STAGE, "--yes"]), /Stage pr-7 is not in account/);
  });
});
