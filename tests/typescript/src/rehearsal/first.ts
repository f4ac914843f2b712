// The first version, in every style, and its functions killed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, failureOf } from "@onefold/testbed";
import contract from "@onefold/testbed/contract.json" with { type: "json" };
import { ROOT } from "../service.js";
import { REGION } from "./cloud.js";
import { asking, batches, documents, graphql, jsonRpc, rest, soap } from "./styles.js";
import {
  STAGE, PREFIX, WRITES, functionOf, cloud, url, front, helper, reach, times, command, timed, refused, deploy, token,
  client, PASSWORD, register, signIn, partOf, keyThat, allUsers,
} from "./stage.js";

describe("the first version", () => {
  test("one command deploys it and prints the address", async () => {
    const said = deploy("first deployment, with the build of all functions");
    assert.match(said, /nothing is there yet/);
    await reach(/^pr-7 {2}(https:\/\/\S+\/trpc)$/m.exec(said)?.[1] ?? assert.fail(said));
    assert.match(url, new RegExp(`^https://\\w+\\.execute-api\\.${REGION}\\.amazonaws\\.com/trpc$`));
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
    assert.equal((await post("sessions.revokeOthers", { cookie, "x-csrf-token": csrf, origin: "https://evil.example" })).status, 403);
    assert.equal((await post("sessions.revokeOthers", { cookie, "x-csrf-token": csrf, origin: home })).status, 200);
  });

  describe("each procedure was answered by its own function, which logged it", () => {
    let logs: any[];
    before(() => {
      logs = cloud.askEach("logs", "filter_log_events", contract.procedures.map(({ name }) => ({ logGroupName: `/${contract.service}/${STAGE}/${name}` })));
    });
    for (const [index, { name }] of contract.procedures.entries()) {
      test(name, () => {
        const lines = logs[index].events.map(({ message }: any) => message).filter((line: string) => line.startsWith("{"));
        const calls = lines.map((line: string) => JSON.parse(line)).filter(({ message }: any) => message === "call");
        assert.ok(calls.length > 0);
        assert.deepEqual([...new Set(calls.map(({ procedure }: any) => procedure))], [name]);
      });
    }
  });

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

/** How many are written at once. */
const PARALLEL = 6;

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
