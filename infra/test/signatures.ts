/**
 * What the signatures of the procedures ask for, read from their Rust files, and what that means at
 * DynamoDB, written down here once more. Neither comes from the contract: a mistake on the way from a
 * signature to the contract is found by this.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { INFRA } from "./support.js";

const ROOT = join(INFRA, "..");

export interface Entity {
  readonly prefix: string;
  /** In how many of the table's indexes it stands: the first ones. */
  readonly indexes: number;
}

export interface Capability {
  readonly kind: keyof typeof MEANING;
  readonly entity: Entity;
}

/** What a capability lets a procedure do: the actions on the table, and those on the entity's indexes. */
const MEANING = {
  // Fetch one, fetch many; list in the order of an index.
  Read: { table: ["dynamodb:GetItem", "dynamodb:BatchGetItem"], index: ["dynamodb:Query"] },
  // Fetch one; create and replace; delete; count a group.
  Write: { table: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"], index: [] },
} as const satisfies Record<string, { table: readonly string[]; index: readonly string[] }>;

/** Capabilities that touch nothing that is stored. */
const HARMLESS = ["Caller", "Option<Caller>", "Clock", "Ids"];

/** Whether a capability names an action at a place (`undefined` is the table) on all these partition keys. */
export function names(
  capabilities: readonly Capability[],
  action: string,
  index: number | undefined,
  keys: readonly string[],
): boolean {
  return capabilities.some(({ kind, entity }) => {
    const actions: readonly string[] = index === undefined ? MEANING[kind].table : MEANING[kind].index;
    const stands = index === undefined || index < entity.indexes;
    return stands && actions.includes(action) && keys.every((key) => key.startsWith(`${entity.prefix}#`));
  });
}

/** All entities by name. */
export function readEntities(): Map<string, Entity> {
  const folder = join(ROOT, "shared/model/src");
  const found = new Map<string, Entity>();
  for (const file of readdirSync(folder)) {
    for (const [, name, body] of code(join(folder, file)).matchAll(/^impl Entity for (\w+) \{$(.*?)^\}$/gms)) {
      const prefix = /const PREFIX: &'static str = "([^"]+)";/.exec(body!)?.[1];
      if (prefix === undefined) {
        throw new Error(`${file}: ${name} has no prefix`);
      }
      const indexes = /const INDEXES: [^=]+= &\[([^\]]*)\];/s.exec(body!)?.[1] ?? "";
      found.set(name!, { prefix, indexes: indexes.split(",").filter((index) => index.trim() !== "").length });
    }
  }
  return found;
}

/** What a procedure's parameters ask for. @throws Error on a parameter that is not understood */
export function readCapabilities(procedure: string, entities: ReadonlyMap<string, Entity>): Capability[] {
  const file = join(ROOT, "functions/src", `${procedure.replaceAll(".", "/")}.rs`);
  const signature = /^#\[procedure\(.*?\)\]\s+pub async fn \w+\((.*?)\)\s*->/ms.exec(code(file));
  if (signature === null) {
    throw new Error(`${file} has no procedure`);
  }
  return parameters(signature[1]!).flatMap(([name, type]): Capability[] => {
    const [, kind, of] = /^(\w+)<(\w+)>$/.exec(type) ?? [];
    if (kind === "Read" || kind === "Write") {
      const entity = entities.get(of!);
      if (entity === undefined) {
        throw new Error(`${procedure}: ${type} names no entity`);
      }
      return [{ kind, entity }];
    }
    if (name !== "input" && !HARMLESS.includes(type)) {
      throw new Error(`${procedure}: what \`${name}: ${type}\` means for its rights is not stated here`);
    }
    return [];
  });
}

/** `users: Read<User>, input: Input` as names and types. */
function parameters(list: string): [name: string, type: string][] {
  return list
    .split(",")
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== "")
    .map((parameter) => {
      const [, name, type] = /^(\w+): (.+)$/s.exec(parameter) ?? [];
      if (name === undefined || type === undefined) {
        throw new Error(`\`${parameter}\` is no parameter`);
      }
      return [name, type];
    });
}

/** A file without comments and tests. */
function code(file: string): string {
  return readFileSync(file, "utf8").split("#[cfg(test)]")[0]!.replace(/^\s*\/\/.*$/gm, "");
}
