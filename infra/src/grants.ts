/** From the grants of a signature to the statements of a policy. */
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Procedure } from "./contract.js";
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

/** The only action that an index serves. */
const INDEXED = "dynamodb:Query";

/** Where the data is. */
export interface TableArns {
  readonly table: string;
  readonly indexes: readonly string[];
}

/**
 * Refuses grants that the roles of functions must not have.
 *
 * @throws Problem when a query could write, or when an action cannot be limited to the entity's keys.
 */
export function checkGrants(procedure: Procedure): void {
  for (const action of procedure.grants.flatMap((grant) => grant.actions)) {
    if (!KEYED.includes(action)) {
      throw new Problem(`${procedure.name} asks for ${action}, which cannot be limited to the keys of an entity.`);
    }
    if (procedure.kind === "query" && !READS.includes(action)) {
      throw new Problem(`${procedure.name} is a query and asks for ${action}: only a mutation may write.`);
    }
  }
}

/** The statements for what is stored: exact actions, on exact resources, on the entity's keys only. */
export function dataStatements(procedure: Procedure, arns: TableArns): PolicyStatement[] {
  checkGrants(procedure);
  return procedure.grants.flatMap((grant) => {
    const limited = (actions: readonly string[], resources: readonly string[]): PolicyStatement[] =>
      actions.length === 0
        ? []
        : [
            new PolicyStatement({
              actions: [...actions],
              resources: [...resources],
              conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [grant.leadingKeys] } },
            }),
          ];
    return [
      ...limited(grant.actions.filter((action) => action !== INDEXED), [arns.table]),
      ...limited(grant.actions.filter((action) => action === INDEXED), [arns.table, ...arns.indexes]),
    ];
  });
}
