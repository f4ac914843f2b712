import assert from "node:assert/strict";
import { it } from "node:test";
import { loadContract, parseContract } from "../src/contract.js";
import { checkGrants, dataStatements } from "../src/grants.js";
import { Names } from "../src/names.js";
import { Problem } from "../src/problem.js";
import { BARE, rawContract, type Json } from "./support.js";

/** A contract with one query and one mutation. */
function sample(): Json {
  const grant = (...actions: string[]): Json => ({
    ...{ entity: "Order", prefix: "order", leadingKeys: "order#*", actions },
    indexes: actions.includes("dynamodb:Query") ? ["gsi1"] : [],
  });
  const limits = { auth: { type: "signedIn" }, memoryMb: 256, timeoutMs: 10_000, secrets: [], mail: false };
  return {
    format: 1,
    service: "sample",
    layout: { bindings: "bindings", packages: { functions: { name: "acts", folder: "acts" }, gateways: { name: "ways", folder: "ways" } } },
    table: {
      partitionKey: "pk",
      sortKey: "sk",
      indexes: [{ name: "gsi1", partitionKey: "gsi1pk", sortKey: "gsi1sk" }],
      timeToLive: "ttl",
      streamView: "KEYS_ONLY",
    },
    procedures: [
      { name: "orders.create", function: "orders-create", kind: "mutation", ...limits, grants: [grant("dynamodb:PutItem")] },
      { name: "orders.get", function: "orders-get", kind: "query", ...limits, grants: [grant("dynamodb:GetItem", "dynamodb:Query")] },
    ],
    gateways: [
      { name: "graphql", paths: ["/graphql"], methods: ["GET", "POST"], calls: true, invokes: ["orders.create", "orders.get"], memoryMb: 512, timeoutMs: 28_000 },
      { name: "docs", paths: ["/docs", "/docs/{proxy+}"], methods: ["GET"], calls: false, invokes: [], memoryMb: 128, timeoutMs: 5_000 },
    ],
  };
}

/** The message about a contract with one thing changed. */
function problemWith(change: (contract: Json) => void): string {
  const contract = sample();
  change(contract);
  try {
    const parsed = parseContract(contract);
    parsed.procedures.forEach(checkGrants);
    new Names(parsed, { name: "dev", config: BARE });
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error.message;
  }
  assert.fail("the contract was accepted");
}

const procedure = (contract: Json, name: string): Json => contract.procedures.find((found: Json) => found.name === name);

it("the project's own contract is understood", () => {
  const contract = parseContract(rawContract());
  assert.deepEqual(contract.procedures.map((found) => found.name), rawContract().procedures.map((found) => found.name));
});

it("the packages of the functions are those that the service states", () => {
  assert.deepEqual(parseContract(sample()).packages, ["acts", "ways"]);
  const none = "`layout` of the contract names no packages of functions to deploy: the service's `Definition` states them.";
  assert.equal(problemWith((c) => (c.layout = null)), none);
  assert.equal(problemWith((c) => (c.layout.packages = null)), none);
  assert.match(problemWith((c) => (c.layout.packages.gateways.name = "--release")), /^`name` of `gateways` of .* is "--release", and not text like/);
});

it("a table may have no stream", () => {
  const contract = sample();
  assert.equal(parseContract(contract).table.streamView, "KEYS_ONLY");
  assert.equal(parseContract({ ...contract, table: { ...contract.table, streamView: null } }).table.streamView, undefined);
});

it("the domain of a procedure is the first word of its name", () => {
  assert.deepEqual(parseContract(sample()).procedures.map((found) => found.domain), ["orders", "orders"]);
});

it("another format is refused", () => {
  assert.equal(problemWith((c) => (c.format = 2)), "the contract has format 2, and format 1 is understood here.");
});

it("a member that is missing or malformed is named with its place", () => {
  assert.match(problemWith((c) => delete procedure(c, "orders.get").memoryMb), /^`memoryMb` of orders\.get is undefined, and not a whole number from 128 to 10240\.$/);
  assert.match(problemWith((c) => (procedure(c, "orders.get").timeoutMs = 29_001)), /^`timeoutMs` of orders\.get is 29001, and not a whole number from 1 to 29000\.$/);
  assert.match(problemWith((c) => (procedure(c, "orders.get").reservedConcurrency = 0)), /^`reservedConcurrency` of orders\.get is 0, and not a whole number from 1\.$/);
  assert.match(problemWith((c) => (procedure(c, "orders.get").kind = "subscription")), /^`kind` of orders\.get is "subscription", and not one of query, mutation\.$/);
  assert.match(problemWith((c) => (c.procedures[0].name = "ping")), /^`name` of number 1 in `procedures` of the contract is "ping"/);
  assert.match(problemWith((c) => (c.procedures[0].name = "orders.mark_read")), /^`name` of number 1 in `procedures` of the contract is "orders\.mark_read"/);
  assert.match(problemWith((c) => (procedure(c, "orders.get").function = "orders.get")), /^`function` of orders\.get is "orders\.get", and not text like/);
  assert.match(problemWith((c) => (c.table.streamView = "NONE")), /^`streamView` of `table` of the contract is "NONE"/);
  assert.match(problemWith((c) => delete c.table), /^`table` of the contract is not an object\.$/);
  assert.match(problemWith((c) => (c.service = "Big Shop")), /^`service` of the contract is "Big Shop"/);
});

it("two procedures have two functions", () => {
  const message = problemWith((c) => (procedure(c, "orders.get").function = "orders-create"));
  assert.equal(message, "orders.create and orders.get would both be the function sample-dev-orders-create: rename one of them.");
});

it("only a public query may say that its answers are kept", () => {
  const stated = (name: string, more: Json): ((c: Json) => void) => (c) => Object.assign(procedure(c, name), { cacheSeconds: 60, ...more });
  const open = { auth: { type: "public" } };
  const kept = sample();
  stated("orders.get", open)(kept);
  const seconds = parseContract(kept).procedures.map((found) => [found.name, found.cacheSeconds]);
  assert.deepEqual(seconds, [["orders.create", undefined], ["orders.get", 60]]);

  const refused = (name: string): string => `${name} has \`cacheSeconds\`, which only a query that everybody may call can have.`;
  assert.equal(problemWith(stated("orders.create", open)), refused("orders.create"));
  for (const auth of [{ type: "signedIn" }, { type: "permission", permission: "orders:read" }]) {
    assert.equal(problemWith(stated("orders.get", { auth })), refused("orders.get"));
  }
  assert.match(problemWith(stated("orders.get", { auth: { type: "anybody" } })), /^`type` of `auth` of orders\.get is "anybody"/);
  assert.match(problemWith((c) => delete procedure(c, "orders.get").auth), /^`auth` of orders\.get is not an object\.$/);
  for (const cacheSeconds of [0, 86_401, 1.5]) {
    assert.match(problemWith(stated("orders.get", { ...open, cacheSeconds })), /^`cacheSeconds` of orders\.get .* whole number from 1 to 86400\.$/);
  }
});

it("a query that could write is refused: create, delete, count", () => {
  for (const action of ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"]) {
    const message = problemWith((c) => procedure(c, "orders.get").grants[0].actions.push(`dynamodb:${action}`));
    assert.equal(message, `orders.get is a query and asks for dynamodb:${action}: only a mutation may write.`);
  }
  const looking = sample();
  procedure(looking, "orders.get").grants.push({ access: "get", prefix: "session", leadingKeys: "session#*", actions: ["dynamodb:GetItem"], indexes: [] });
  parseContract(looking).procedures.forEach(checkGrants);
});

it("a query counts what it reads, and writes nothing else under that name", () => {
  const meter = { access: "count", prefix: "meter", leadingKeys: "meter#*", actions: ["dynamodb:UpdateItem"], indexes: [] };
  const counting = sample();
  procedure(counting, "orders.get").grants.push(meter);
  parseContract(counting).procedures.forEach(checkGrants);
  for (const change of [
    { prefix: "limit", leadingKeys: "limit#*" },
    { prefix: "order", leadingKeys: "order#*" },
    { actions: ["dynamodb:PutItem"] },
    { actions: ["dynamodb:UpdateItem", "dynamodb:DeleteItem"] },
  ]) {
    const message = problemWith((c) => procedure(c, "orders.get").grants.push({ ...meter, ...change }));
    assert.match(message, /^orders\.get is a query and asks for dynamodb:\w+: only a mutation may write\.$/);
  }
});

it("a procedure may have a method and a path of its own, read secrets and send mail", () => {
  const contract = sample();
  contract.gateways = [];
  Object.assign(procedure(contract, "orders.create"), { http: "POST /oauth/token", secrets: ["signing"], mail: true });
  const [create, get] = parseContract(contract).procedures;
  assert.deepEqual(create!.http, { method: "POST", path: "/oauth/token" });
  assert.deepEqual([create!.secrets, create!.sendsMail], [["signing"], true]);
  assert.deepEqual([get!.http, get!.secrets, get!.sendsMail], [undefined, [], false]);

  const http = (value: Json): string => problemWith((c) => (procedure(c, "orders.get").http = value));
  for (const wrong of ["/oauth/token", "get /x", "GET x", "GET /", "GET /{b}", "GET /a/{b+}", "GET /a/x{b}", "GET /a/*", "GET /a b", "GET /a?b=c", "GET /a//b", "GET /trpc/x.y", "OPTIONS /a"]) {
    assert.equal(http(wrong), '`http` of orders.get is no method and path such as "POST /payments/notify", outside of /trpc/.', wrong);
  }
  for (const wrong of ["Signing", "a/b", "a*", "", "../other"]) {
    assert.match(problemWith((c) => (procedure(c, "orders.get").secrets = [wrong])), /^`secrets` of orders\.get holds .*, which is no text like/);
  }
  assert.match(problemWith((c) => delete procedure(c, "orders.get").secrets), /^`secrets` of orders\.get is not a list\.$/);
  assert.match(problemWith((c) => (procedure(c, "orders.get").mail = "yes")), /^`mail` of orders\.get is "yes", and neither true nor false\.$/);
});

it("a cursor is found in an input, in a type that it names, and in one that such a type names", () => {
  const cursor = { anyOf: [{ $ref: "#/inputTypes/Cursor" }, { type: "null" }] };
  const inputTypes = {
    Cursor: { type: "string" },
    Page: { type: "object", properties: { from: cursor, of: { $ref: "#/inputTypes/Filter" } } },
    Filter: { type: "object", properties: { and: { type: "array", items: { $ref: "#/inputTypes/Filter" } } } },
    Nested: { type: "object", properties: { page: { $ref: "#/inputTypes/Page" } } },
  };
  const inputs: [boolean, Json][] = [
    [true, { properties: { from: cursor } }],
    [true, { properties: { page: { $ref: "#/inputTypes/Page" } } }],
    [true, { $ref: "#/inputTypes/Nested" }],
    [false, { properties: { of: { $ref: "#/inputTypes/Filter" } } }],
    [false, { properties: { name: { const: "Cursor" }, other: { $ref: "#/inputTypes/NotThere" } } }],
    [false, null],
  ];
  for (const [expected, input] of inputs) {
    const contract = { ...sample(), inputTypes };
    contract.procedures[1].input = input;
    assert.equal(parseContract(contract).procedures[1]!.takesCursor, expected, JSON.stringify(input));
  }
});

it("a procedure may have a REST route beside the one for calls", () => {
  const contract = sample();
  procedure(contract, "orders.get").rest = "GET /v1/customers/{customerId}/orders";
  const [create, get] = parseContract(contract).procedures;
  assert.deepEqual([create!.rest, get!.rest], [undefined, { method: "GET", path: "/v1/customers/{customerId}/orders" }]);
  for (const wrong of ["GET /v1/{Id}", "GET /v1/{id+}", "GET /trpc/x", "HEAD /v1/x"]) {
    assert.match(problemWith((c) => (procedure(c, "orders.get").rest = wrong)), /^`rest` of orders\.get is no method and path/, wrong);
  }
  const both = (one: Json, other: Json): ((c: Json) => void) => (c) => {
    Object.assign(procedure(c, "orders.create"), one);
    Object.assign(procedure(c, "orders.get"), other);
  };
  assert.equal(problemWith(both({ rest: "GET /a/{b}" }, { rest: "GET /a/{c}" })), 'two routes are named "GET /a/{}".');
  const same = "are the same path: one name for each part of it, and either `rest` or `http`.";
  assert.equal(problemWith(both({ rest: "POST /a/{b}" }, { rest: "GET /a/{c}" })), `/a/{c} and /a/{b} ${same}`);
  assert.equal(problemWith(both({ rest: "POST /a" }, { http: "GET /a" })), `/a and /a ${same}`);
});

it("a gateway invokes procedures, and is at paths of its own", () => {
  const [graphql, docs] = parseContract(sample()).gateways;
  assert.deepEqual(graphql, { name: "gateway-graphql", paths: ["/graphql"], invokes: ["orders.create", "orders.get"], memoryMb: 512, timeoutMs: 28_000 });
  assert.deepEqual([docs!.name, docs!.invokes], ["gateway-docs", []]);

  const gateway = (change: Json): string => problemWith((c) => Object.assign(c.gateways[0], change));
  const strange = "a gateway that calls invokes procedures that have no `http`.";
  assert.equal(gateway({ invokes: ["orders.burn"] }), `gateway-graphql invokes orders.burn: ${strange}`);
  assert.equal(problemWith((c) => (procedure(c, "orders.get").http = "GET /oauth/x")), `gateway-graphql invokes orders.get: ${strange}`);
  assert.equal(gateway({ invokes: [] }), `gateway-graphql invokes nothing, or says so and does: ${strange}`);
  assert.equal(gateway({ calls: false }), `gateway-graphql invokes nothing, or says so and does: ${strange}`);
  for (const path of ["graphql", "/graphql/*", "/{proxy+}", "/a/{id}", "/a?b"]) {
    assert.match(gateway({ paths: [path] }), /^`paths` of gateway-graphql holds .*, which is no text like/, path);
  }
  assert.match(gateway({ timeoutMs: 30_000 }), /^`timeoutMs` of gateway-graphql is 30000, and not a whole number from 1 to 29000\.$/);
  assert.match(gateway({ name: "Graph-QL" }), /^`name` of number 1 in `gateways` of the contract is "Graph-QL"/);
  assert.equal(gateway({ paths: ["/docs"] }), 'two paths are named "/docs".');
  assert.equal(problemWith((c) => (procedure(c, "orders.get").rest = "GET /docs")), 'two paths are named "/docs".');
  assert.equal(problemWith((c) => c.gateways.push(c.gateways[1])), 'two gateways are named "gateway-docs".');
  const folder = problemWith((c) => c.procedures.push({ ...procedure(c, "orders.get"), name: "gateway.open" }));
  assert.match(folder, /^There is a domain named gateway, which is what the names of gateways' functions begin with: rename the folder\.$/);
  assert.match(problemWith((c) => delete c.gateways), /^`gateways` of the contract is not a list\.$/);
});

it("a path with a method belongs to one procedure, and one whose answers are kept to nobody else", () => {
  const both = (one: string, other: string, more: Json = {}): ((c: Json) => void) => (c) => {
    c.gateways = [];
    procedure(c, "orders.create").http = one;
    Object.assign(procedure(c, "orders.get"), { http: other, ...more });
  };
  const shared = sample();
  both("POST /oauth/authorize", "GET /oauth/authorize")(shared);
  assert.equal(parseContract(shared).procedures.length, 2);
  assert.equal(problemWith(both("GET /a", "GET /a")), 'two routes are named "GET /a".');
  assert.equal(problemWith(both("GET /a/{b}", "GET /a/{c}")), 'two routes are named "GET /a/{}".');
  const kept = { cacheSeconds: 60, auth: { type: "public" } };
  assert.match(problemWith(both("POST /a", "GET /a", kept)), /^orders\.get has `cacheSeconds` and so must have one path for itself, with GET\.$/);
  assert.match(problemWith(both("POST /a", "GET /b/{c}", kept)), /^orders\.get has `cacheSeconds` and so must/);
  assert.match(problemWith(both("POST /a", "POST /b", kept)), /^orders\.get has `cacheSeconds` and so must/);
});

it("an action that keys cannot limit is refused", () => {
  for (const action of ["dynamodb:Scan", "dynamodb:*", "dynamodb:PartiQLSelect", "events:PutEvents"]) {
    const message = problemWith((c) => procedure(c, "orders.create").grants[0].actions.push(action));
    assert.equal(message, `orders.create asks for ${action}, which cannot be limited to the keys of an entity.`);
  }
});

it("a list without an index, and an index without a list, is refused", () => {
  const message = /^orders\.get asks for dynamodb:Query on "order" without an index, or for an index without it\.$/;
  assert.match(problemWith((c) => (procedure(c, "orders.get").grants[0].indexes = [])), message);
  assert.match(problemWith((c) => procedure(c, "orders.get").grants[0].actions.pop()), message);
});

it("an index that the table does not have is refused", () => {
  const contract = sample();
  procedure(contract, "orders.get").grants[0].indexes = ["gsi2"];
  const [get] = parseContract(contract).procedures.filter((found) => found.name === "orders.get");
  const arns = { table: "table", indexes: new Map([["gsi1", "table/index/gsi1"]]) };
  assert.throws(() => dataStatements(get!, arns), /^Problem: orders\.get asks for the index "gsi2", which the table does not have\.$/);
});

it("a pattern of keys wider than the entity is refused", () => {
  for (const leadingKeys of ["*", "order*", "user#*", "or?er#*"]) {
    assert.match(problemWith((c) => (procedure(c, "orders.get").grants[0].leadingKeys = leadingKeys)), /and not "order#\*"\.$/);
  }
  const widened = problemWith((c) => Object.assign(procedure(c, "orders.get").grants[0], { prefix: "*", leadingKeys: "*#*" }));
  assert.match(widened, /^`prefix` of number 1 in `grants` of orders\.get is "\*"/);
});

it("names that are twice, or would be, are refused", () => {
  assert.equal(problemWith((c) => c.procedures.push({ ...procedure(c, "orders.get") })), 'two procedures are named "orders.get".');
  assert.equal(problemWith((c) => c.table.indexes.push({ ...c.table.indexes[0] })), 'two indexes are named "gsi1".');
});

it("a function's name that Lambda would not take is refused", () => {
  const long = `orders-${"x".repeat(60)}`;
  const named = (c: Json): void => Object.assign(procedure(c, "orders.get"), { function: long });
  assert.match(problemWith(named), /has a name of \d+ characters; Lambda allows 64\.$/);
});

it("a contract that is not there: what to do", () => {
  assert.throws(() => loadContract("/nowhere/contract.json"), /`cargo regen` writes the contract/);
});
