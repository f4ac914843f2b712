/** A synthesized service, read back as what CloudFormation would be given. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { App, NestedStack, Stack } from "aws-cdk-lib";
import { writePlaceholders } from "../src/bootstraps.js";
import { type Contract, parseContract } from "../src/contract.js";
import { FLAGS, type Service } from "../src/app.js";
import type * as generated from "../src/contract-format.js";
import { PACKAGE } from "../src/places.js";
import { addService } from "../src/service.js";
import type { StageConfig } from "../src/stage.js";

export { PACKAGE };
/** The tree that the package is developed in. */
export const ROOT = join(PACKAGE, "../..");
/** The contract of the service that the tests of the framework have. */
export const TESTBED = join(ROOT, "tests/testbed/bindings/contract.json");
/** An app of that service, as a program. */
export const APP = join(PACKAGE, "build/test/app.js");

/** The contract as JSON: tests hold results against this, and not against what `src/` made of it. */
export type RawContract = generated.Contract;
export type RawGateway = generated.GatewayContract;
export type RawProcedure = Omit<generated.ProcedureContract, "input"> & { input: Json };

/** What a procedure's function is called: `orders-mark-paid` of `orders.markPaid`. */
export function functionName(procedure: string): string {
  return procedure.replaceAll(".", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A fresh copy: the testbed's, or that of another service. */
export function rawContract(path: string = TESTBED): RawContract {
  return JSON.parse(readFileSync(path, "utf8")) as RawContract;
}

/** A procedure that every service with sign-in has, from which tests make others: without rights, a cursor, a secret and mail. */
export function plainProcedure(): RawProcedure {
  const found = rawContract().procedures.find(({ name }) => name === "auth.logout") ?? assert.fail("the testbed mounts no identity");
  return { ...found, grants: [], secrets: [], configs: [], mail: false };
}

/** Everything that a stage may have, so that each resource there can be is looked at. */
export const EVERYTHING: StageConfig = {
  protectData: true,
  architecture: "arm64",
  logRetentionDays: 90,
  tracing: true,
  throttle: { ratePerSecond: 2000, burst: 4000 },
  alarmEmail: "operations@example.com",
  monthlyBudgetUsd: 100,
  allowedOrigins: ["https://app.example.com"],
  appUrl: "https://app.example.com/in",
  mailFrom: "no-reply@example.com",
  registration: ["example.com", "example.org"],
  edge: {
    domain: {
      names: ["app.example.com"],
      certificateArn: "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
    },
  },
};

/** The same with all secrets that the testbed names. */
export const ALL_OF_OURS: StageConfig = {
  ...EVERYTHING,
  secrets: [...new Set(rawContract().procedures.flatMap(({ secrets }) => secrets))].filter((name) => !["signing", "founder"].includes(name)),
};

/** As little as a stage may have. */
export const BARE: StageConfig = {
  protectData: false,
  architecture: "arm64",
  logRetentionDays: 7,
  tracing: false,
  throttle: { ratePerSecond: 20, burst: 40 },
  allowedOrigins: [],
};

/** What JSON is. */
export type Json = any;

export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly properties: Json;
  readonly deletionPolicy: string | undefined;
  readonly template: Template;
}

/** One template. */
export class Template {
  readonly file: string;
  readonly bytes: number;
  readonly json: Json;
  readonly resources: readonly Resource[];

  constructor(
    readonly name: string,
    path: string,
    /** For a nested one: what its parent gives it. */
    private readonly parent: { template: Template; id: string } | undefined,
    private readonly synthesis: Synthesis,
  ) {
    this.file = path;
    const text = readFileSync(path, "utf8");
    this.bytes = Buffer.byteLength(text);
    this.json = JSON.parse(text);
    this.resources = Object.entries<Json>(this.json.Resources).map(([id, resource]) => ({
      id,
      type: resource.Type,
      properties: resource.Properties ?? {},
      deletionPolicy: resource.DeletionPolicy,
      template: this,
    }));
  }

  /** Writes references out: `<stack>/<logical id>.<attribute>`, whichever template they cross. */
  resolve(value: Json): Json {
    if (Array.isArray(value)) {
      return value.map((member) => this.resolve(member));
    }
    if (typeof value !== "object" || value === null) {
      return value;
    }
    const [name, only] = Object.entries<Json>(value)[0] ?? [];
    switch (name) {
      case "Ref":
        return this.#reference(only);
      case "Fn::GetAtt":
        return `\${${this.name}/${only[0]}.${only[1]}}`;
      case "Fn::ImportValue":
        return this.synthesis.exported(only);
      case "Fn::Join":
        return this.resolve(only[1]).join(only[0]);
      default:
        return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.resolve(member)]));
    }
  }

  #reference(name: string): string {
    if (name.startsWith("AWS::")) {
      return `\${${name}}`;
    }
    if (this.parent !== undefined && this.json.Parameters?.[name] !== undefined) {
      const { template, id } = this.parent;
      return template.resolve(template.json.Resources[id].Properties.Parameters[name]);
    }
    return `\${${this.name}/${name}}`;
  }
}

/** All templates of one synth. */
export class Synthesis {
  readonly templates: readonly Template[];
  readonly #exports = new Map<string, string>();

  constructor(readonly app: App, directory: string) {
    const templates = new Map<Stack, Template>();
    // Parents come before their children, producers before consumers.
    for (const stack of app.node.findAll().filter((construct) => construct instanceof Stack)) {
      const above = stack instanceof NestedStack ? Stack.of(stack.nestedStackParent!) : undefined;
      const parent =
        above === undefined
          ? undefined
          : { template: templates.get(above)!, id: above.getLogicalId(stack.nestedStackResource as never) };
      const name = parent === undefined ? stack.stackName : stack.node.id;
      const template = new Template(name, join(directory, stack.templateFile), parent, this);
      templates.set(stack, template);
      for (const output of Object.values<Json>(template.json.Outputs ?? {})) {
        if (output.Export !== undefined) {
          this.#exports.set(output.Export.Name, template.resolve(output.Value));
        }
      }
    }
    this.templates = [...templates.values()];
  }

  exported(name: string): string {
    return this.#exports.get(name) ?? assert.fail(`nothing is exported as ${name}`);
  }

  template(name: string): Template {
    return this.templates.find((template) => template.name === name) ?? assert.fail(`there is no template ${name}`);
  }

  all(type: string): Resource[] {
    return this.templates.flatMap((template) => template.resources.filter((resource) => resource.type === type));
  }

  only(type: string): Resource {
    const found = this.all(type);
    assert.equal(found.length, 1, `${found.length} resources of ${type}`);
    return found[0]!;
  }
}

export interface Wishes {
  readonly contract?: Contract;
  readonly stage: string;
  readonly config: StageConfig;
  /** Under `build/assemblies`. */
  readonly directory: string;
  /** What `deploy` found out: where the service is, and which secrets there are. */
  readonly url?: string;
  readonly secretVersions?: ReadonlyMap<string, string>;
  /** What the service adds. */
  readonly extend?: Service["extend"];
}

/** Synthesizes with functions that are not there: each is a file of a few bytes. */
export function synthesize(wishes: Wishes): Synthesis {
  const contract = wishes.contract ?? parseContract(rawContract());
  const directory = join(PACKAGE, "build/assemblies", wishes.directory);
  rmSync(directory, { recursive: true, force: true });
  const outdir = join(directory, "assembly");
  const binaries = join(directory, "binaries");
  writePlaceholders(binaries, contract);
  const app = new App({ outdir, context: FLAGS, analyticsReporting: false });
  addService(app, contract, { name: wishes.stage, config: wishes.config }, { ...wishes, binaries });
  app.synth();
  return new Synthesis(app, outdir);
}
