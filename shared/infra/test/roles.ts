/** The roles of the procedures, as a synthesized service has them. */
import { members, parsePolicy, type Statement } from "./policy.js";
import type { Json, Resource, Synthesis } from "./support.js";

const ACCOUNT = "eu-central-1:111122223333";
/** The table, as it might be called once it is deployed. */
export const TABLE = `arn:aws:dynamodb:${ACCOUNT}:table/sample-data-Table-0123456789AB`;
export const OTHER_TABLE = `arn:aws:dynamodb:${ACCOUNT}:table/accounting-data-Table-0123456789AB`;

/** The ARN of a secret; Secrets Manager adds the six characters. */
export const secretArn = (name: string): string => `arn:aws:secretsmanager:${ACCOUNT}:secret:${name}-a1B2c3`;
/** The ARN of a function. */
export const functionArn = (name: string): string => `arn:aws:lambda:${ACCOUNT}:function:${name}`;
/** The ARN of an address or a domain that Amazon SES knows. */
export const identityArn = (name: string): string => `arn:aws:ses:${ACCOUNT}:identity/${name}`;
/** The ARN of a stream in a log group. */
export const logStreamArn = (group: string): string => `arn:aws:logs:${ACCOUNT}:log-group:${group}:log-stream:2026/01/01/[$LATEST]0`;

/** What may give a role rights that its own policies do not show. */
const ELSEWHERE = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

/** By the name of the procedure's function: what it may do. @throws Error on what is not understood */
export function rolesOf(synthesis: Synthesis): Map<string, Statement[]> {
  for (const type of ELSEWHERE) {
    if (synthesis.all(type).length > 0) {
      throw new Error(`${type} is not understood`);
    }
  }
  const table = synthesis.only("AWS::DynamoDB::Table");
  if (table.properties.ResourcePolicy !== undefined) {
    throw new Error("the table's own policy is not understood");
  }
  const known = new Map([
    ["AWS::Partition", "aws"],
    ["AWS::Region", "eu-central-1"],
    ["AWS::AccountId", "111122223333"],
    [`${table.template.name}/${table.id}.Arn`, TABLE],
  ]);
  const named = synthesis.all("AWS::Lambda::Function").filter((handler) => handler.properties.FunctionName !== undefined);
  return new Map(named.map((handler) => [handler.properties.FunctionName as string, statementsOf(handler, known)]));
}

function statementsOf(handler: Resource, known: ReadonlyMap<string, string>): Statement[] {
  const id: string = handler.properties.Role["Fn::GetAtt"][0];
  const role = handler.template.resources.find((resource) => resource.id === id && resource.type === "AWS::IAM::Role");
  if (role === undefined) {
    throw new Error(`${handler.id} has no role in its template`);
  }
  const { Policies: policies } = members(role.properties, ["AssumeRolePolicyDocument", "Description", "Policies", "Tags"]);
  return (policies as Json[]).flatMap((policy) => {
    const { PolicyDocument: document } = members(policy, ["PolicyName", "PolicyDocument"]);
    return parsePolicy(writtenOut(role.template.resolve(document), known));
  });
}

/** Puts ARNs and names in the place of references. What is not known stays, and is refused later. */
function writtenOut(value: Json, known: ReadonlyMap<string, string>): Json {
  const text = JSON.stringify(value);
  return JSON.parse(text.replace(/\$\{([^}]+)\}/g, (reference, name: string) => known.get(name) ?? reference));
}
