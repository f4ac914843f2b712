// The second version, deployed over the first, and the first over the second.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createClient, type User } from "@onefold/testbed";
import contract from "@onefold/testbed/contract.json" with { type: "json" };
import { addProcedure, procedureFile } from "../readme/readme.js";
import {
  STAGE, WRITES, PACKAGE, tree, steps, regen, functionOf, cloud, url, front, timed, refused, deploy, client, deployedCode,
  allUsers,
} from "./stage.js";

describe("the second version: one procedure changed, one added", () => {
  const PING = join(tree, PACKAGE, "src/health/ping.rs");
  const LIB = join(tree, PACKAGE, "src/lib.rs");
  const added = `${steps.domain}.${steps.name}`;
  let first: Record<string, string>;
  let users: Map<string, User>;
  let before: { ping: string; lib: string };
  /** Every file of the infrastructure that people write, with what is in it. */
  const ground = (): Record<string, string> => {
    const rooms = ["infra", "shared/infra"].map((room) => join(tree, room));
    const made = rooms.flatMap((room) => ["node_modules", "build", "cdk.out"].map((name) => join(room, name)));
    const files = rooms
      .flatMap((room) => readdirSync(room, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !made.some((folder) => file.startsWith(`${folder}/`)));
    return Object.fromEntries(files.map((file) => [file, readFileSync(file, "utf8")]));
  };

  test("is one file, one word and one command away, and touches nothing of the infrastructure", () => {
    before = { ping: readFileSync(PING, "utf8"), lib: readFileSync(LIB, "utf8") };
    const untouched = ground();
    assert.ok(Object.keys(untouched).length > 30);
    writeFileSync(PING, before.ping.replaceAll('"pong"', '"pong, changed"'));
    addProcedure(tree, steps, PACKAGE);
    const { status, said } = regen();
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
    const entries = (await client().audit.list.query({ limit: 100 })).items;
    const userId = entries.find(({ actor }) => actor !== null)?.actor ?? assert.fail("nobody did anything");
    const activity = await reading[steps.domain][steps.name].query({ userId, count: 1 });
    assert.equal(activity.length, 1);
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
    const path = join(tree, contract.layout.bindings, "contract.json");
    const written = readFileSync(path, "utf8");
    const changed = (change: (table: any) => void) => {
      const next = JSON.parse(written);
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
      writeFileSync(path, written);
    }
  });

  test("and back: the first version over the second, with all that was stored", async () => {
    writeFileSync(PING, before.ping);
    writeFileSync(LIB, before.lib);
    rmSync(procedureFile(tree, steps, PACKAGE));
    const { status, said } = regen();
    assert.equal(status, 0, said);
    deploy("back to the first version");
    assert.deepEqual(deployedCode(), first);
    assert.equal(await createClient({ url: front.url }).health.ping.query(), "pong");
    assert.equal((await fetch(`${front.url}/${added}`)).status, 404);
    assert.deepEqual(await allUsers(), users);
  });
});
