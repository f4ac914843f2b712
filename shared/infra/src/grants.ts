/** Converts the grants of a signature to the statements of a policy. */
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Grant, Procedure } from "./contract.js";
import { Problem } from "./problem.js";

/** Actions that change nothing. */
const READS: readonly string[] = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"];

/** Actions that can be limited by `dynamodb:LeadingKeys`; a scan cannot be. */
const KEYED: readonly string[] = [
  ...READS,
  "dynamodb:BatchWriteItem",
  "dynamodb:ConditionCheckItem",
  "dynamodb:DeleteItem",
  "dynamodb:PutItem",
  "dynamodb:UpdateItem",
];

/** The only action on an index. It is never granted on the table: the store lists from indexes. */
const INDEXED = "dynamodb:Query";

/**
 * The one thing that a query writes: the read units of each caller. The store keeps these counts, and nothing else,
 * under this prefix (`shared/store/src/quota.rs`), and adds to them by this action alone.
 */
const METER = { prefix: "meter", leadingKeys: "meter#*", action: "dynamodb:UpdateItem" };

function isMeter({ prefix, leadingKeys, actions, indexes }: Grant): boolean {
  const isItsKeys = prefix === METER.prefix && leadingKeys === METER.leadingKeys;
  return isItsKeys && indexes.length === 0 && actions.every((action) => action === METER.action);
}

/** The ARNs of the table and its indexes. */
export interface TableArns {
  readonly table: string;
  /** By name. */
  readonly indexes: ReadonlyMap<string, string>;
}

/**
 * Refuses grants that the roles of functions must not have.
 *
 * @throws Problem when a query could write anything but the caller's read units, when an action cannot be limited to
 * the entity's keys, or when lists and indexes do not match.
 */
export function checkGrants(procedure: Procedure): void {
  for (const grant of procedure.grants) {
    for (const action of grant.actions) {
      if (!KEYED.includes(action)) {
        throw new Problem(`${procedure.name} asks for ${action}, which cannot be limited to the keys of an entity.`);
      }
      if (procedure.kind === "query" && !READS.includes(action) && !isMeter(grant)) {
        throw new Problem(`${procedure.name} is a query and asks for ${action}: only a mutation may write.`);
      }
    }
  }
  for (const { actions, indexes, prefix } of procedure.grants) {
    if (actions.includes(INDEXED) !== indexes.length > 0) {
      throw new Problem(`${procedure.name} asks for ${INDEXED} on "${prefix}" without an index, or for an index without it.`);
    }
  }
}

/**
 * The statements for stored data: exact actions, on the table or on the entity's indexes, and on the entity's keys
 * only.
 */
export function dataStatements(procedure: Procedure, arns: TableArns): PolicyStatement[] {
  checkGrants(procedure);
  const indexArn = (name: string): string => {
    const arn = arns.indexes.get(name);
    if (arn === undefined) {
      throw new Problem(`${procedure.name} asks for the index "${name}", which the table does not have.`);
    }
    return arn;
  };
  return procedure.grants.flatMap((grant) => {
    const limited = (actions: readonly string[], resources: readonly string[]): PolicyStatement[] =>
      actions.length === 0
        ? []
        : [
            new PolicyStatement({
              actions: [...actions],
              resources: [...resources],
              conditions: {
                "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [grant.leadingKeys] },
                // The condition above holds for a request without keys, too.
                Null: { "dynamodb:LeadingKeys": "false" },
              },
            }),
          ];
    return [
      ...limited(grant.actions.filter((action) => action !== INDEXED), [arns.table]),
      ...limited(grant.actions.filter((action) => action === INDEXED), grant.indexes.map(indexArn)),
    ];
  });
}
