import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layOut, MAX_PROCEDURES_PER_API, MAX_PROCEDURES_PER_STACK, place } from "../src/layout.js";
import { synthetic } from "./synthetic.js";

const names = Array.from({ length: 1000 }, (_, at) => `posts.number${at}`);

describe("places", () => {
  it("change only into the part that was added", () => {
    const moved = names.filter((name) => place(name, 2) !== place(name, 3));
    assert.ok(moved.length > 250 && moved.length < 420, `${moved.length} of 1000 moved`);
    assert.ok(moved.every((name) => place(name, 3) === 2));
  });

  it("do not depend on what else there is", () => {
    const domains = { posts: 200, users: 10 };
    const shardOf = (layout: ReturnType<typeof layOut>): Map<string, string> =>
      new Map(layout.shards.flatMap((shard) => shard.procedures.map((procedure) => [procedure.name, shard.name])));
    const before = shardOf(layOut(synthetic(domains)));
    const after = shardOf(layOut(synthetic({ another: 7, ...domains, posts: 201 })));
    assert.equal(before.size, 210);
    for (const [name, shard] of before) {
      assert.equal(after.get(name), shard);
    }
  });
});

describe("a domain", () => {
  it("is one stack as long as it fits", () => {
    const { shards } = layOut(synthetic({ posts: MAX_PROCEDURES_PER_STACK, users: 1 }));
    assert.deepEqual(shards.map((shard) => [shard.name, shard.procedures.length]), [["posts", 80], ["users", 1]]);
  });

  it("is split when it does not, and keeps every procedure once", () => {
    const { shards } = layOut(synthetic({ posts: 200 }));
    assert.ok(shards.length > 2 && shards.every((shard) => shard.procedures.length <= MAX_PROCEDURES_PER_STACK));
    const all = shards.flatMap((shard) => shard.procedures.map((procedure) => procedure.name));
    assert.equal(new Set(all).size, 200);
    assert.equal(all.length, 200);
  });

  it("is split as the stage says", () => {
    assert.equal(layOut(synthetic({ posts: 10 }), { stacks: { posts: 2 } }).shards.length, 2);
    assert.throws(() => layOut(synthetic({ posts: 200 }), { stacks: { posts: 2 } }), /layout\.stacks\.posts is 2, which puts \d+ procedures in a stack; 80 are possible\. \d would do\./);
  });
});

describe("HTTP APIs", () => {
  it("are one as long as one takes all routes", () => {
    assert.equal(layOut(synthetic({ posts: 200, users: 99 })).apis, 1);
  });

  it("are several when it does not, each with whole domains", () => {
    const domains = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`domain${at}`, 20]));
    const layout = layOut(synthetic(domains));
    const loads = new Map<number, number>();
    for (const domain of Object.keys(domains)) {
      const api = layout.apiOf({ domain, http: undefined });
      loads.set(api, (loads.get(api) ?? 0) + 20);
    }
    assert.ok(layout.apis > 1);
    assert.ok([...loads].every(([api, load]) => api < layout.apis && load <= MAX_PROCEDURES_PER_API));
  });

  it("have paths of their own all at the first one, which counts them", () => {
    const domains = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`domain${at}`, 20]));
    const contract = synthetic(domains);
    const procedures = contract.procedures.map((procedure, at) =>
      procedure.domain === "domain3" || procedure.domain === "domain4" ? { ...procedure, http: { method: "POST" as const, path: `/oauth/p${at}` } } : procedure,
    );
    const layout = layOut({ ...contract, procedures });
    const loads = new Array<number>(layout.apis).fill(0);
    for (const procedure of procedures) {
      const api = layout.apiOf(procedure);
      loads[api] = loads[api]! + 1;
      assert.ok(procedure.http === undefined || api === 0);
    }
    assert.ok(layout.apis > 1 && loads.every((load) => load <= MAX_PROCEDURES_PER_API), String(loads));
    const full = synthetic({ posts: 290 });
    const own = Array.from({ length: 10 }, (_, at) => ({ ...full.procedures[0]!, name: `oauth.p${at}`, http: { method: "GET" as const, path: `/oauth/p${at}` } }));
    assert.throws(
      () => layOut({ ...full, procedures: [...full.procedures, ...own] }, { apis: 1 }),
      /layout\.apis is 1, which puts 300 procedures in an HTTP API; 299 are possible\. \d would do\./,
    );
  });

  it("cannot take a domain that is larger than one of them", () => {
    assert.throws(() => layOut(synthetic({ posts: 300 })), /Domain posts has 300 procedures, and an HTTP API takes 299: split the folder\./);
  });
});
