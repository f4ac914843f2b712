// Literals of GraphQL, read and written, with the reference implementation as the second witness: what it makes of a
// document or of the printed schema is what the service makes of it. The service is examples/conformance.rs, which
// gives back values of every kind.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  graphql,
  lexicographicSortSchema,
  printSchema,
  type GraphQLSchema,
  type IntrospectionQuery,
} from "graphql";
import { ROOT, startProgram } from "../service.js";

let service: Awaited<ReturnType<typeof startProgram>>;
let schema: GraphQLSchema;

before(async () => {
  const program = process.env["ONEFOLD_CONFORMANCE"] ?? join(ROOT, "target/debug/examples/conformance");
  service = await startProgram(program, ["--port", "0"]);
  schema = buildSchema(await (await fetch(new URL("/schema.graphql", service.url))).text());
});
after(() => service.stop());

type Told = { data?: Record<string, unknown> | null; errors?: readonly unknown[] };

/** What the service says, and what the reference implementation says whose procedures give back what they get. */
async function both(source: string, variableValues: Record<string, unknown> | string = {}) {
  const body =
    typeof variableValues === "string"
      ? `{"query":${JSON.stringify(source)},"variables":${variableValues}}`
      : JSON.stringify({ query: source, variables: variableValues });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(new URL("/graphql", service.url), { method: "POST", headers, body });
  const ours = (await answer.json()) as Told;
  const variables = typeof variableValues === "string" ? JSON.parse(variableValues) : variableValues;
  const rootValue = {
    kindsEcho: ({ input }: { input: object }) => ({ __typename: "Echo", ...input }),
    kindsLabel: ({ type }: { type: string }) => type,
    kindsDraw: ({ shapes }: { shapes: { polygon?: object }[] }) =>
      shapes.map(({ polygon }) => ({ __typename: "ShapePolygon", type: "polygon", ...polygon })),
  };
  const theirs = (await graphql({ schema, source, rootValue, variableValues: variables })) as Told;
  return { ours, theirs };
}

/** Both take it, and make the same of it. */
async function same(source: string, variables?: Record<string, unknown> | string) {
  const { ours, theirs } = await both(source, variables);
  assert.equal(theirs.errors, undefined, `${source}: ${JSON.stringify(theirs)}`);
  assert.deepEqual(ours, JSON.parse(JSON.stringify(theirs)), source);
}

/** Neither takes it. */
async function refused(source: string, variables?: Record<string, unknown> | string) {
  const { ours, theirs } = await both(source, variables);
  assert.ok(theirs.errors !== undefined, `graphql-js takes ${source}`);
  assert.ok(ours.errors !== undefined && !("data" in ours), `${source}: ${JSON.stringify(ours)}`);
}

const text = (literal: string) => `{ kindsLabel(type: ${literal}) }`;

describe("texts", () => {
  const read = [
    `"plain"`,
    `"\\" \\\\ \\/ \\b \\f \\n \\r \\t"`,
    `"\\u0041\\u00e9\\u2603\\uFFFD"`,
    `"\\ud83c\\udf70"`,
    `"a\\uD83C\\uDF70b\\ud83d\\ude00"`,
    `"\\u{1F370}\\u{41}\\u{00000041}"`,
    `"🍰 é # no comment {"`,
    `"\u2028\u007f"`,
    `"""plain"""`,
    `"""one \\""" two"""`,
    `"""\\""""""`,
    `"""a \\""" b \\""" c \\""" d"""`,
    `"""no \\escape \\u0041 \\\\ \\n"""`,
    `"""one "quoted" and ""two"" """`,
    `"""\n    Hello,\n      TestService!\n\n    Yours,\n      GraphQL.\n  """`,
    `"""\n    a\n  \n    b\n"""`,
    `"""first\n    a\n     \t\n   b\n\n"""`,
    `"""\r\n  a\r  b\n\r\n  c\r\n"""`,
    `"""\n\ta\n\t\tb\n"""`,
    `"""  one line  """`,
    `"""🍰\n  é \\"""\n   🍰"""`,
    `"""x\n\n\n  y # no comment\n"""`,
  ];
  for (const literal of read) {
    test(`${JSON.stringify(literal)} is read`, async () => {
      await same(text(literal));
      await same(`query($t: String! = ${literal}) { kindsLabel(type: $t) }`);
    });
  }

  const none = [
    `"\\ud83c"`,
    `"\\udf70"`,
    `"\\udf70\\ud83c"`,
    `"\\ud83c\\u0041"`,
    `"\\ud83c "`,
    `"\\u{d83c}\\u{df70}"`,
    `"\\u{110000}"`,
    `"\\u{}"`,
    `"\\u{41"`,
    `"\\u12"`,
    `"\\u00g0"`,
    `"\\x41"`,
    `"\\'"`,
    `"a\nb"`,
    `"open`,
    `"""open`,
    `"""open \\"""`,
    `'single'`,
  ];
  for (const literal of none) {
    test(`${JSON.stringify(literal)} is none`, () => refused(text(literal)));
  }

  test("what follows one stands where it stood", async () => {
    for (const literal of [`"\\ud83c\\udf70"`, `"""one \\""" two"""`, `"""\n  a\n  b"""`]) {
      const { ours, theirs } = await both(`{ kindsLabel(type: ${literal}) nothing }`);
      const locations = (told: Told) => (told.errors?.[0] as { locations?: object[] }).locations?.map((at) => ({ ...at }));
      assert.deepEqual(locations(ours), locations(theirs), literal);
    }
  });
});

const MEMBERS: Readonly<Record<string, string>> = {
  tiny: "1", whole: "1", large: "1", exact: `"1"`, real: "1", bytes: `""`, time: `"2026-01-31T12:00:00.000Z"`,
  volume: "LOW", listOfLists: "[]", byName: "{}",
};

/** One member of the input as this literal, and what comes back of it. */
function echo(name: string, literal: string) {
  const members = Object.entries({ ...MEMBERS, [name]: literal }).map(([name, literal]) => `${name}: ${literal}`);
  return `mutation { kindsEcho(input: { ${members.join(", ")} }) { ... on Echo { ${name} } } }`;
}

describe("numbers and the rest", () => {
  for (const literal of ["0", "-0", "7", "-7", "2147483647", "-2147483648"]) {
    test(`${literal} is an Int`, () => same(echo("maybeList", `[${literal}]`)));
  }
  for (const literal of ["10.0", "1e1", "2147483648", "-2147483649", `"7"`, "true", "01", "0x1", "+1", "1_000", "- 1", ".5", "1.", "1a"]) {
    test(`${literal} is no Int`, () => refused(echo("maybeList", `[${literal}]`)));
  }
  for (const literal of ["0", "1.5", "-1.5e3", "1E+2", "1e-7", "0.10", "123456789012"]) {
    test(`${literal} is a Float`, () => same(echo("real", literal)));
  }
  for (const literal of [`"1.5"`, "1.5.5", "1e", "1.e1", "00.1", "NaN"]) {
    test(`${literal} is no Float`, () => refused(echo("real", literal)));
  }
  test("enums, booleans, null, lists and objects are read", async () => {
    await same(echo("volume", `HIGH_DESC`));
    await same(echo("listOfLists", `[[true false], [], [true,]]`));
    await same(echo("listOfLists", `true`));
    await same(echo("maybeList", `[1 null, 3]`));
    await same(echo("text", `null`));
    await refused(echo("volume", `high`));
    await refused(echo("listOfLists", `[[TRUE]]`));
    await refused(echo("text", `["a", "b"]`));
    await refused(echo("volume", `"LOW"`));
    await refused(`query($v: Volume = "LOW") { __typename @include(if: true) }`);
  });
  for (const word of ["trueish", "true1", "truefalse", "false_", "nullable", "null0"]) {
    test(`${word} is a name, and not what it begins with`, async () => {
      await refused(echo("listOfLists", `[[${word}]]`));
      await refused(echo("maybeList", `[1, ${word}]`));
      await refused(echo("text", word));
      await refused(`{ __typename @include(if: ${word}) }`);
      await refused(`query($b: Boolean = ${word}) { __typename @include(if: $b) }`);
      await same(`query ${word}($${word}: Boolean = true) { ${word}: kindsLabel(type: "a") @include(if: $${word}) }`);
    });
  }
  test("an object has a field once, in maps, too", async () => {
    await refused(echo("byName", `{a: "1", a: "2"}`));
    await refused(echo("byName", `{a: "1" # one\n a # two\n : "2"}`));
  });
});

describe("documents", () => {
  const drawn = "{ kindsDraw(shapes: $s) { ... on ShapePolygon { type } } }";
  const read = [
    `query($s: [ ShapeInput ! ] !) ${drawn}`,
    `query ( $ s :[#one\n ShapeInput #two\n!]# three\r\n ! ) ${drawn}`,
    `query(#[\n $s #:\n : #[\n [ShapeInput!] , !) ${drawn}`,
    "{ ... on # a comment\n Query { __typename } }",
    "{ ...on#a comment\nQuery { __typename } }",
    "query query { query: __typename }",
    "fragment fragment on Query { __typename } query { ...fragment }",
  ];
  for (const source of read) {
    test(`${JSON.stringify(source)} is read`, () => same(source, { s: [{ polygon: { cornerCount: 3 } }] }));
  }
  test("what follows a type stands where it stood", async () => {
    const { ours, theirs } = await both(`query($s: [ #one\n ShapeInput ! ] !, $t: Nothing) ${drawn}`, { s: [] });
    const locations = (told: Told) => (told.errors?.[0] as { locations?: object[] }).locations?.map((at) => ({ ...at }));
    assert.equal((locations(ours)?.[0] as { line: number }).line, (locations(theirs)?.[0] as { line: number }).line);
  });
  const none = [
    "queryA { __typename }",
    "{ __typename } fragmentF on Query { __typename }",
    "query A { ...on } fragment on on Query { __typename }",
    "query() { __typename }",
    "query($a: Boolean! @skip(if: true)) { __typename @skip(if: $a) }",
    "query($a: Boolean @nothing = true) { __typename @skip(if: $a) }",
    "query($a: Boolean = true @nothing) { __typename @skip(if: $a) }",
    "{ __typename @skip(if: true) @skip(if: false) }",
    "{ __typename @skip(if: true, if: false) }",
    "query($a: Boolean = true, $a: Boolean = false) { __typename @skip(if: $a) }",
    "query A { __typename } query A { __typename }",
    "{ kindsLabel(type: \"a\", type: \"b\") }",
  ];
  for (const source of none) {
    test(`${JSON.stringify(source)} is none`, () => refused(source, { a: false }));
  }
});

describe("variables", () => {
  const draw = "query($s: [ShapeInput!]!) { kindsDraw(shapes: $s) { ... on ShapePolygon { type } } }";
  const echoed = `mutation($i: KindsEchoInput!) { kindsEcho(input: $i) { ... on Echo { whole maybeList } } }`;
  const input = (members: string) => `{"i":{"tiny":1,"large":1,"exact":"1","real":1,"bytes":"",
    "time":"2026-01-31T12:00:00.000Z","volume":"LOW","listOfLists":[],"byName":{},${members}}}`;

  test("an Int has an empty fractional part, however JSON writes it, in lists and inputs, too", async () => {
    await same(echoed, input(`"whole":10.0,"maybeList":[1.0,null,2e1,-3.0]`));
    await same(echoed, input(`"whole":1,"maybeList":[-0,-0.0,-0e5]`));
    await same(echoed, input(`"whole":2147483647.0,"maybeList":1.0`));
    await same(draw, `{"s":[{"polygon":{"cornerCount":3.0}}]}`);
    for (const number of ["10.5", "2147483648.0", "1e10", `"10"`, "true", "1e300"]) {
      await refused(echoed, input(`"whole":${number}`));
      await refused(echoed, input(`"whole":1,"maybeList":[${number}]`));
    }
  });

  test("a default is a literal", async () => {
    await refused("mutation($n: Int! = 10.0) { kindsEcho(input: {whole: $n}) { __typename } }");
  });
});

describe("the printed schema", () => {
  test("says what introspection says, whatever descriptions hold", async () => {
    const headers = { "content-type": "application/json" };
    const query = getIntrospectionQuery({ specifiedByUrl: true, oneOf: true, directiveIsRepeatable: true });
    const answer = await fetch(new URL("/graphql", service.url), { method: "POST", headers, body: JSON.stringify({ query }) });
    const told = buildClientSchema(((await answer.json()) as { data: IntrospectionQuery }).data);
    const sorted = (schema: GraphQLSchema) => printSchema(lexicographicSortSchema(schema));
    assert.equal(sorted(schema), sorted(told));
    const description = schema.getQueryType()?.getFields()["kindsLabel"]?.description ?? "";
    assert.match(description, /^Say """ahoy""", .* \\ is no escape here, and `kindsDraw` draws\.\n\n {4}What is indented/);
  });
});
