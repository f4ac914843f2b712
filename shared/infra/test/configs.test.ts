/** Configurations: what stages state, and what the functions that take them get. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Contract, parseContract } from "../src/contract.js";
import { checkConfigs } from "../src/needs.js";
import { Problem } from "../src/problem.js";
import { BARE, functionName, type Json, plainProcedure, rawContract, type RawProcedure, synthesize } from "./support.js";

/** As `ConfigNeed::schema` writes it. */
const SHOP = {
  type: "object",
  properties: {
    freeShippingFrom: { type: "integer", format: "uint32", minimum: 1, maximum: 4_294_967_295 },
    currency: { type: "string", minLength: 3, maxLength: 3 },
    opens: {
      type: "array",
      items: { type: "object", properties: { day: { type: "string" } }, required: ["day"], additionalProperties: false },
    },
  },
  required: ["freeShippingFrom", "currency"],
  additionalProperties: false,
};
/** All its members may be left out. */
const HINTS = { type: "object", properties: { shown: { type: ["boolean", "null"] } }, additionalProperties: false };

function contractWith(configs: Readonly<Record<string, readonly string[]>>): Contract {
  const raw = rawContract();
  const procedures: RawProcedure[] = Object.entries(configs).map(([name, taken]) => ({
    ...{ ...plainProcedure(), name, function: functionName(name), http: null, rest: null, configs: [...taken] },
  }));
  return parseContract({ ...raw, configs: { shop: SHOP, hints: HINTS }, procedures, gateways: [] });
}

const contract = contractWith({ "orders.place": ["shop"], "orders.list": [], "orders.show": ["hints", "shop"] });
const right = { freeShippingFrom: 5_000, currency: "EUR" };

/** Why a stage with these configurations is refused. */
function refused(config: Json): string {
  try {
    checkConfigs(contract, { name: "dev", config: { ...BARE, ...(config === undefined ? {} : { config }) } });
  } catch (error) {
    assert.ok(error instanceof Problem);
    return error.message;
  }
  assert.fail("the stage was accepted");
}

describe("a stage's configurations", () => {
  it("are in the environment of those functions that take them, and of no other", () => {
    const synthesis = synthesize({ directory: "configs", stage: "dev", contract, config: { ...BARE, config: { shop: right } } });
    const variables = (name: string): Json => {
      const found = synthesis.all("AWS::Lambda::Function").find(({ properties }) => properties.FunctionName === `${contract.service}-dev-${functionName(name)}`);
      return Object.fromEntries(Object.entries(found!.properties.Environment.Variables).filter(([variable]) => variable.startsWith("ONEFOLD_CONFIG_")));
    };
    const shop = { ONEFOLD_CONFIG_SHOP: '{"freeShippingFrom":5000,"currency":"EUR"}' };
    assert.deepEqual(variables("orders.place"), shop);
    assert.deepEqual(variables("orders.list"), {});
    assert.deepEqual(variables("orders.show"), { ...shop, ONEFOLD_CONFIG_HINTS: "{}" });
  });

  it("are refused when one is missing, and synth says so", () => {
    const missing = /^Stage dev in stages\.ts:\n {2}- config\.shop is missing, for orders\.place, orders\.show: .*'freeShippingFrom'/;
    assert.match(refused(undefined), missing);
    assert.throws(() => synthesize({ directory: "configs-missing", stage: "dev", contract, config: BARE }), /config\.shop is missing/);
  });

  it("are refused when one is unknown, with those that there are", () => {
    assert.match(refused({ shop: right, shpo: right }), /- config\.shpo is of no configuration that procedures take: they take hints, shop$/);
  });

  it("are refused with all that is not of their types", () => {
    const wrong = { freeShippingFrom: 0, currency: "EURO", colour: "red", opens: [{ day: "monday" }, { day: 1 }] };
    const said = refused({ shop: wrong });
    const lines = ["config.shop.freeShippingFrom must be >= 1", "config.shop.colour is unknown", "config.shop.opens[1].day must be string"];
    for (const line of [...lines, "config.shop.currency must NOT have more than 3 characters"]) {
      assert.ok(said.includes(`- ${line}`), `${line} in\n${said}`);
    }
  });

  it("are refused when they do not fit into a function's environment", () => {
    const opens = Array.from({ length: 200 }, () => ({ day: "monday" }));
    assert.match(refused({ shop: { ...right, opens } }), /- the configurations of orders\.place are \d+ bytes long as JSON, and at most 2048 fit/);
  });

  it("have a schema in the contract", () => {
    const raw = { ...rawContract(), gateways: [], procedures: [{ ...plainProcedure(), configs: ["shop"] }] };
    assert.throws(() => parseContract({ ...raw, configs: {} }), /takes the configuration shop, of which `configs` of the contract has no schema/);
  });
});
