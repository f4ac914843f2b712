import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assetOf } from "../src/bootstraps.js";
import { layOut, collectionOf, MAX_RESOURCES_PER_STACK, MAX_ROUTES_PER_API, place } from "../src/layout.js";
import type { Contract } from "../src/contract.js";
import { synthetic } from "./synthetic.js";

const names = Array.from({ length: 1000 }, (_, at) => `orders.number${at}`);

describe("places", () => {
  it("change only into the part that was added", () => {
    const moved = names.filter((name) => place(name, 2) !== place(name, 3));
    assert.ok(moved.length > 250 && moved.length < 420, `${moved.length} of 1000 moved`);
    assert.ok(moved.every((name) => place(name, 3) === 2));
  });

  it("do not depend on what else there is", () => {
    const domains = { orders: 200, users: 10 };
    const shardOf = (layout: ReturnType<typeof layOut>): Map<string, string> =>
      new Map(layout.shards.flatMap((shard) => shard.procedures.map((procedure) => [procedure.name, shard.name])));
    const before = shardOf(layOut(synthetic(domains)));
    const after = shardOf(layOut(synthetic({ another: 7, ...domains, orders: 201 })));
    assert.equal(before.size, 210);
    for (const [name, shard] of before) {
      assert.equal(after.get(name), shard);
    }
  });
});

describe("a function's folder", () => {
  it("is called what its program is, with the prefix of its service's programs", () => {
    const folders = ["", "shop-"].map((programPrefix) => assetOf("/built/", { programPrefix }, { function: "orders-get" }));
    assert.deepEqual(folders, ["/built/orders-get", "/built/shop-orders-get"]);
  });
});

describe("a domain", () => {
  it("is one stack as long as it fits", () => {
    const { shards } = layOut(synthetic({ orders: MAX_RESOURCES_PER_STACK / 6, users: 1 }));
    assert.deepEqual(shards.map((shard) => [shard.name, shard.procedures.length]), [["orders", 80], ["users", 1]]);
  });

  it("is split when it does not, and keeps every procedure once", () => {
    const { shards } = layOut(synthetic({ orders: 200 }));
    assert.ok(shards.length > 2 && shards.every((shard) => shard.procedures.length * 6 <= MAX_RESOURCES_PER_STACK));
    const all = shards.flatMap((shard) => shard.procedures.map((procedure) => procedure.name));
    assert.equal(new Set(all).size, 200);
    assert.equal(all.length, 200);
  });

  it("is split as the stage says", () => {
    assert.equal(layOut(synthetic({ orders: 10 }), { stacks: { orders: 2 } }).shards.length, 2);
    assert.throws(() => layOut(synthetic({ orders: 200 }), { stacks: { orders: 2 } }), /layout\.stacks\.orders is 2, which puts \d+ resources in a stack; 480 are possible\. \d would do\./);
  });
});

/** More procedures with REST routes under a path. */
function layOutMore(count: number, under: string): Contract["procedures"] {
  const { procedures } = synthetic({ more: count });
  return procedures.map((procedure, at) => ({ ...procedure, rest: { method: "GET", path: `${under}/more${at}` } }));
}

describe("REST routes", () => {
  it("are counted: of three hundred, less the gateways' own, an API has so many, and a stack so many resources", () => {
    // Eleven of the gateways: one is everywhere, four at the first API.
    const fits = synthetic({ orders: 73, users: 74 }, { rest: true, gateways: true });
    assert.equal(layOut(fits, { apis: 1 }).apis, 1);
    const more = synthetic({ orders: 74, users: 74 }, { rest: true, gateways: true });
    assert.throws(() => layOut(more, { apis: 1 }), /layout\.apis is 1, which puts 300 routes in an HTTP API; 298 are possible\./);
    for (const { procedures } of layOut(synthetic({ orders: 200 }, { rest: true })).shards) {
      assert.ok(procedures.length * 9 <= MAX_RESOURCES_PER_STACK, String(procedures.length));
    }
  });

  it("are where the beginning of their path belongs, together", () => {
    assert.deepEqual(["/v1/orders", "/v1/orders/{id}/lines", "/status", "/v1/{any}/x"].map(collectionOf), ["/v1/orders", "/v1/orders", "/status", "/v1"]);
    const contract = synthetic(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`domain${at}`, 20])), { rest: true, gateways: true });
    const layout = layOut(contract);
    const places = new Map<string, Set<number>>();
    const loads = new Array<number>(layout.apis).fill(0);
    for (const procedure of contract.procedures) {
      const at = layout.apiOfRest(procedure);
      places.set(procedure.domain, (places.get(procedure.domain) ?? new Set()).add(at));
      for (const place of [at, layout.apiOf(procedure)]) {
        loads[place]! += 1;
      }
    }
    assert.ok(layout.apis > 1 && [...places.values()].every((apis) => apis.size === 1));
    assert.ok(loads.every((load) => load <= MAX_ROUTES_PER_API - 5), String(loads));
  });
});

describe("HTTP APIs", () => {
  it("are one as long as one takes all routes", () => {
    assert.equal(layOut(synthetic({ orders: 200, users: 99 })).apis, 1);
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
    assert.ok([...loads].every(([api, load]) => api < layout.apis && load <= MAX_ROUTES_PER_API));
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
    assert.ok(layout.apis > 1 && loads.every((load) => load <= MAX_ROUTES_PER_API), String(loads));
    const full = synthetic({ orders: 290 });
    const own = Array.from({ length: 10 }, (_, at) => ({ ...full.procedures[0]!, name: `oauth.p${at}`, http: { method: "GET" as const, path: `/oauth/p${at}` } }));
    assert.throws(
      () => layOut({ ...full, procedures: [...full.procedures, ...own] }, { apis: 1 }),
      /layout\.apis is 1, which puts 300 routes in an HTTP API; 299 are possible\. \d would do\./,
    );
  });

  it("cannot take a domain that is larger than one of them", () => {
    const full = synthetic({ orders: 149, users: 149 }, { rest: true });
    const collected = full.procedures.map((procedure, at) => ({ ...procedure, rest: { method: "GET" as const, path: `/v1/all/${at}` } }));
    assert.throws(() => layOut({ ...full, procedures: [...collected, ...layOutMore(2, "/v1/all")] }), /Under \/v1\/all are 300 routes, and an HTTP API takes 299: use other paths\./);
    assert.throws(() => layOut(synthetic({ orders: 300 })), /Domain orders has 300 routes, and an HTTP API takes 299: split the folder\./);
  });
});
