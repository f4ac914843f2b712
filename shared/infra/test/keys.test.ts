/** The keys of a stage: what is made, published, and given its turn, and in which order. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { findSecrets, type Known, knownLater } from "../src/commands/deploy.js";
import { inWords, type Made, plan, type StageSecret, type There, type Wish } from "../src/commands/keys.js";
import { moveOn, versionsOf } from "../src/commands/secrets.js";
import { parseContract } from "../src/contract.js";
import { Names } from "../src/names.js";
import { formatVersions, parseVersions } from "../src/secret-versions.js";
import type { StageConfig } from "../src/stage.js";
import { BARE, EVERYTHING, type Json, plainProcedure, rawContract } from "./support.js";

const key = (kid: string) => ({ kid, x: `x of ${kid}` });
const secret = (...kids: string[]): StageSecret => ({
  ONEFOLD_TOKENS: { issuer: "urn:us", audience: "us", keys: kids.map(key) },
});
/** What a machine makes, with its own key and a fresh one for the functions. */
const made = (machine: string | undefined, functions: string): Made => ({
  secret: secret(...(machine === undefined ? [] : [machine])),
  cursors: { ONEFOLD_CURSOR_KEY: "fresh" },
  functions: { public: key(functions), signer: { kid: functions, pkcs8: "private" } },
});
const NOTHING: Wish = { rotate: false, retire: undefined };
const ROTATE: Wish = { rotate: true, retire: undefined };
const retire = (kid: string): Wish => ({ rotate: false, retire: kid });
const EMPTY: There = { secret: undefined, signing: undefined };
/** A machine `m1`, and functions that sign with `f1`. */
const there = (next?: string): There => ({
  secret: secret("m1", "f1", ...(next === undefined ? [] : [next])),
  signing: { current: "f1", next },
});

describe("the keys of a stage", () => {
  it("are all new where there are none, and the functions sign with theirs at once", () => {
    const planned = plan(EMPTY, made("m1", "f1"), NOTHING);
    assert.deepEqual(planned, { secret: secret("m1", "f1"), signing: { current: "f1", next: undefined }, isNew: true });
  });

  it("stay when the machine that made them asks again, whatever else somebody put into the secret", () => {
    const before = { secret: { ...there().secret!, ELSE: "kept" }, signing: there().signing };
    const planned = plan(before, made("m1", "f2"), NOTHING);
    assert.equal(JSON.stringify(planned.secret), JSON.stringify(before.secret));
    assert.deepEqual([planned.signing, planned.isNew], [{ current: "f1", next: undefined }, false]);
  });

  it("are without that of cursors, which has a secret of its own, whoever put it here before and whatever is wished", () => {
    const before = { secret: { ONEFOLD_CURSOR_KEY: "old", ...secret("m1", "m2", "f1"), ELSE: "kept" }, signing: there().signing };
    const { ONEFOLD_CURSOR_KEY: _, ...kept } = before.secret;
    assert.equal(JSON.stringify(plan(before, made("m1", "f2"), NOTHING).secret), JSON.stringify(kept));
    for (const wish of [ROTATE, retire("m2")]) {
      assert.ok(!("ONEFOLD_CURSOR_KEY" in plan(before, made("m1", "f2"), wish).secret));
    }
  });

  it("another machine adds its own, and nothing for the functions", () => {
    const planned = plan(there(), made("m2", "f2"), NOTHING);
    assert.deepEqual(planned, { secret: secret("m1", "f1", "m2"), signing: { current: "f1", next: undefined }, isNew: false });
  });

  it("functions that begin to sign get one", () => {
    const planned = plan({ secret: secret("m1"), signing: undefined }, made("m1", "f1"), NOTHING);
    assert.deepEqual(planned, { secret: secret("m1", "f1"), signing: { current: "f1", next: undefined }, isNew: true });
  });

  it("functions that do not sign get none", () => {
    for (const wish of [NOTHING, ROTATE]) {
      const planned = plan({ secret: secret("m1"), signing: false }, made("m2", "f1"), wish);
      assert.deepEqual(planned, { secret: secret("m1", "m2"), signing: { current: undefined, next: undefined }, isNew: false });
    }
  });

  it("in a rotation, the functions' next key is known before it signs", () => {
    const planned = plan(there(), made("m2", "f2"), ROTATE);
    assert.deepEqual(planned, { secret: secret("m1", "f1", "m2", "f2"), signing: { current: "f1", next: "f2" }, isNew: true });
  });

  it("in two rotations without a deployment, the last one counts, and what was told stays told", () => {
    const planned = plan(there("f2"), made("m3", "f3"), ROTATE);
    assert.deepEqual(planned.signing, { current: "f1", next: "f3" });
    assert.deepEqual(planned.secret, secret("m1", "f1", "f2", "m3", "f3"));
  });

  it("a retired one goes, and brings nothing new", () => {
    for (const machine of ["m2", "stranger", undefined]) {
      const planned = plan({ secret: secret("m1", "m2", "f1"), signing: there().signing }, made(machine, "f2"), retire("m1"));
      assert.deepEqual(planned, { secret: secret("m2", "f1"), signing: { current: "f1", next: undefined }, isNew: false });
    }
  });

  it("those that sign cannot be retired, here or in functions, now or next", () => {
    const cases: [There, Made, string, RegExp][] = [
      [there(), made("m1", "f2"), "m9", /^Problem: There is no key m9; there are: m1, f1\.$/],
      [EMPTY, made("m1", "f1"), "m1", /there are: none/],
      [there(), made("m1", "f2"), "m1", /m1 is the key that signs here.*--rotate/],
      [there(), made("m2", "f2"), "f1", /f1 is a key that functions sign with.*--rotate, and deploy/],
      [there("f2"), made("m2", "f3"), "f2", /f2 is a key that functions sign with/],
      [{ secret: secret("m1"), signing: undefined }, made("m2", "f2"), "m1", /No key would be left/],
    ];
    for (const [before, own, kid, message] of cases) {
      assert.throws(() => plan(before, own, retire(kid)), message);
    }
  });

  it("are told with what each is for, and never with a private half", () => {
    const own = made("m2", "f2");
    const lines = inWords(plan(there(), own, ROTATE), own);
    assert.deepEqual(lines, [
      "  m1",
      "  f1  the functions sign with it",
      "  m2  this machine signs with it",
      "  f2  the functions sign with it after the next deployment",
    ]);
    const lost = inWords(plan({ secret: secret("m1"), signing: { current: "f1", next: undefined } }, made("m1", "f2"), NOTHING), made("m1", "f2"));
    assert.deepEqual(lost, ["  m1  this machine signs with it", "and not with f1, which the functions sign with: make another one, with --rotate, and deploy."]);
  });
});

/** Secrets Manager, as far as labels go: what it is asked, in order, and what it answers to each name. */
async function withSecrets(answers: Record<string, Json>, use: (client: SecretsManagerClient, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const { SecretId, ...others } = JSON.parse(Buffer.concat(chunks).toString());
    const operation = String(request.headers["x-amz-target"]).replace("secretsmanager.", "");
    asked.push([operation, SecretId, ...Object.entries(others).map(([name, value]) => `${name}=${value}`).sort()].join(" "));
    const answer = answers[SecretId];
    response.statusCode = answer === undefined ? 400 : 200;
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify(answer ?? { __type: "ResourceNotFoundException", message: "there is none" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new SecretsManagerClient({ region: "local", endpoint, credentials: { accessKeyId: "x", secretAccessKey: "x" } });
  try {
    await use(client, asked);
  } finally {
    client.destroy();
    server.close();
  }
}

const labels = (current: string, next?: string): Json => ({
  VersionIdsToStages: { [current]: ["AWSCURRENT"], older: ["AWSPREVIOUS"], ...(next === undefined ? {} : { [next]: ["AWSPENDING"] }) },
});

describe("the versions of a secret", () => {
  it("are asked for without what is in them", async () => {
    const both = { VersionIdsToStages: { k2: ["AWSCURRENT", "AWSPENDING"], k1: ["AWSPREVIOUS"] } };
    await withSecrets({ a: labels("k1"), b: labels("k1", "k2"), both, gone: { DeletedDate: 1, ...labels("k1") } }, async (client, asked) => {
      assert.deepEqual(await versionsOf(client, "a"), { current: "k1", next: undefined });
      assert.deepEqual(await versionsOf(client, "b"), { current: "k1", next: "k2" });
      assert.deepEqual(await versionsOf(client, "both"), { current: "k2", next: undefined }, "its turn has come already");
      assert.equal(await versionsOf(client, "c"), undefined);
      await assert.rejects(versionsOf(client, "gone"), /^Problem: The secret gone is about to be deleted: `aws secretsmanager restore-secret --secret-id gone` keeps it\.$/);
      assert.deepEqual(new Set(asked.map((line) => line.split(" ")[0])), new Set(["DescribeSecret"]));
    });
  });

  it("take their turn: the next one is current, and is not next any more", async () => {
    await withSecrets({ b: {} }, async (client, asked) => {
      await moveOn(client, "b", { current: "k1", next: "k2" });
      assert.deepEqual(asked, [
        "UpdateSecretVersionStage b MoveToVersionId=k2 RemoveFromVersionId=k1 VersionStage=AWSCURRENT",
        "UpdateSecretVersionStage b RemoveFromVersionId=k2 VersionStage=AWSPENDING",
      ]);
    });
  });

  it("come to the templates as they were found", () => {
    const versions = new Map([["sample/dev", "-v_1"], ["sample/dev/signing", "k1"]]);
    assert.deepEqual(parseVersions(formatVersions(versions)), versions);
    assert.deepEqual(parseVersions(""), new Map());
  });
});

describe("before a deployment", () => {
  const raw = rawContract();
  const mold = plainProcedure();
  const input = { properties: { from: { anyOf: [{ $ref: "#/inputTypes/Cursor" }, { type: "null" }] } } };
  const contract = parseContract({ ...raw, gateways: [], procedures: [{ ...mold, secrets: ["signing", "identity-providers", "founder"], input }] });
  const project = (secrets: string[], name = "dev") => {
    const stage = { name, config: { ...BARE, secrets } };
    return { contract, stage, names: new Names(contract, stage) };
  };
  const own = `${raw.service}/dev`;
  const cursors = { [`${own}/cursors`]: labels("c1") };

  it("the secrets are there that functions read, the stage's own asked for last", async () => {
    const all = { ...cursors, [own]: labels("v1"), [`${own}/signing`]: labels("k1", "k2"), [`${own}/identity-providers`]: labels("v7"), [`${own}/founder`]: labels("f1") };
    await withSecrets(all, async (secrets, asked) => {
      const found = await findSecrets({ secrets }, project(["identity-providers"]));
      assert.deepEqual([...found].map(([id, { current, next }]) => [id, current, next]), [
        [`${own}/founder`, "f1", undefined],
        [`${own}/identity-providers`, "v7", undefined],
        [`${own}/signing`, "k1", "k2"],
        [`${own}/cursors`, "c1", undefined],
        [own, "v1", undefined],
      ]);
      assert.equal(asked.at(-1), `DescribeSecret ${own}`);
    });
    await withSecrets({ ...cursors, [own]: labels("v1"), [`${own}/signing`]: labels("k1") }, async (secrets) => {
      const found = await findSecrets({ secrets }, project([]));
      assert.equal(found.size, 3, "what the stage does not state is not looked for, and the founder's is made later");
    });
  });

  it("one that is missing is named, with what to do", async () => {
    const cases: [Record<string, Json>, RegExp][] = [
      [{ [own]: labels("v1"), [`${own}/signing`]: labels("k1"), [`${own}/identity-providers`]: labels("v7"), [`${own}/cursors`]: undefined }, /dev\/cursors, with the key that seals cursors, is not there yet: `cargo run -- keys --stage dev` makes it\.$/],
      [{ [own]: labels("v1") }, /dev\/signing, with which functions sign tokens, is not there yet: `cargo run -- keys --stage dev` makes it\.$/],
      [{ [own]: labels("v1"), [`${own}/signing`]: labels("k1") }, /dev\/identity-providers is not there, and stages\.ts says that it is: docs\/deploying\.md/],
      [{ [`${own}/signing`]: labels("k1"), [`${own}/identity-providers`]: labels("v7") }, /dev, which holds the stage's keys, is not there yet: `cargo run -- keys --stage dev` makes it\.$/],
    ];
    for (const [there, message] of cases) {
      const stated = there[`${own}/signing`] === undefined ? [] : ["identity-providers"];
      await withSecrets({ ...cursors, ...there }, async (secrets) => assert.rejects(findSecrets({ secrets }, project(stated)), message));
    }
  });
});

describe("after a deployment", () => {
  const raw = rawContract();
  const kept = { ...plainProcedure(), name: "keys.list", function: "keys-list", kind: "query", auth: { type: "public" }, http: "GET /.well-known/keys.json", rest: null, cacheSeconds: 86_400 };
  const stage = (config: StageConfig) => ({ name: "dev", config });
  const project = (config: StageConfig) => {
    const contract = parseContract({ ...raw, gateways: [], procedures: [kept] });
    return { contract, stage: stage(config), names: new Names(contract, stage(config)) };
  };
  const signing = `${raw.service}/dev/signing`;
  const known: Known = { url: "https://d1.cloudfront.net", secretVersions: new Map([[`${raw.service}/dev`, "v1"], [signing, "k1"]]) };
  const outputs = { DistributionHost: "d1.cloudfront.net" };
  const at = (next?: string) => new Map([[signing, { current: "k1", next }]]);
  const WITH_EDGE = { ...BARE, edge: {} };

  it("nothing is done again when nothing became known", async () => {
    await withSecrets({}, async (secrets, asked) => {
      assert.equal(await knownLater({ secrets }, project(WITH_EDGE), known, at(), outputs), undefined);
      assert.equal(await knownLater({ secrets }, project(WITH_EDGE), known, at(), {}), undefined, "what nobody says again stays known");
      assert.equal(await knownLater({ secrets }, project(BARE), { ...known, url: undefined }, at(), {}), undefined);
      assert.equal(await knownLater({ secrets }, project(EVERYTHING), { ...known, url: undefined }, at(), outputs), undefined);
      assert.deepEqual(asked, []);
    });
  });

  it("the functions are told where the service is, when a distribution has got its name", async () => {
    await withSecrets({}, async (secrets) => {
      assert.deepEqual(await knownLater({ secrets }, project(WITH_EDGE), { ...known, url: undefined }, at(), outputs), known);
    });
  });

  it("the key that all know by now signs, and those start anew that sign", async () => {
    await withSecrets({ [signing]: {} }, async (secrets, asked) => {
      const waited: number[] = [];
      const wait = async (ms: number): Promise<void> => {
        assert.deepEqual(asked, [], "what CloudFront keeps of the list of keys has expired first");
        waited.push(ms);
      };
      const later = await knownLater({ secrets }, project(WITH_EDGE), known, at("k2"), outputs, wait);
      assert.deepEqual(later, { url: known.url, secretVersions: new Map([[`${raw.service}/dev`, "v1"], [signing, "k2"]]) });
      assert.deepEqual(waited, [86_400_000]);
      await knownLater({ secrets }, project(BARE), known, at("k2"), {}, () => assert.fail("without a front nothing is kept"));
      assert.equal(asked[0], `UpdateSecretVersionStage ${signing} MoveToVersionId=k2 RemoveFromVersionId=k1 VersionStage=AWSCURRENT`);
    });
  });
});
