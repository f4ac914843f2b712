/** What a function finds in its environment, and what it may read because of that. */
import { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Procedure } from "./contract.js";
import type { Names } from "./names.js";

export interface FunctionEnvironment {
  readonly variables: Record<string, string>;
  readonly statements: readonly PolicyStatement[];
}

/**
 * The counterpart of `shared/runtime/src/environment.rs`, and the only place here that knows it.
 *
 * Settings that are secret or that rotate are given by reference: a variable names the parameter in SSM,
 * which somebody made beforehand, and the function reads it once for each instance. Nothing secret is in
 * a template or in a function's configuration, where more people may read than should.
 */
export function functionEnvironment(
  scope: Construct,
  procedure: Procedure,
  names: Names,
  tableName: string,
  allowedOrigins: readonly string[],
): FunctionEnvironment {
  const variables: Record<string, string> = { ONEFOLD_TOKENS_PARAMETER: names.parameter("tokens") };
  if (allowedOrigins.length > 0) {
    variables["ONEFOLD_ALLOWED_ORIGINS"] = allowedOrigins.join(",");
  }
  // Only who reads or writes has a table; the cursor key belongs to it.
  if (procedure.grants.length > 0) {
    variables["ONEFOLD_TABLE"] = tableName;
    variables["ONEFOLD_CURSOR_KEY_PARAMETER"] = names.parameter("cursor-key");
  }
  const parameters = Object.entries(variables).flatMap(([name, value]) => (name.endsWith("_PARAMETER") ? [value] : []));
  const resources = parameters.map((name) =>
    Stack.of(scope).formatArn({ service: "ssm", resource: "parameter", resourceName: name.slice(1) }),
  );
  return { variables, statements: [new PolicyStatement({ actions: ["ssm:GetParameter"], resources })] };
}
