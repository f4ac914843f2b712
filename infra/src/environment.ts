/** What a function finds in its environment, and what it may read because of that. */
import { ArnFormat, Stack } from "aws-cdk-lib";
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
 * What is secret or rotates is given by reference: a variable names the stage's secret in Secrets Manager,
 * which somebody made beforehand, and the function reads it once for each instance. Nothing secret is in
 * a template or in a function's configuration, where more people may read than should.
 */
export function functionEnvironment(
  scope: Construct,
  procedure: Procedure,
  names: Names,
  tableName: string,
  allowedOrigins: readonly string[],
  secretVersion: string | undefined,
): FunctionEnvironment {
  const variables: Record<string, string> = { ONEFOLD_SECRET: names.secret };
  if (secretVersion !== undefined) {
    // Nothing reads it: that it changes makes instances start anew, and so read what the secret holds now.
    variables["ONEFOLD_SECRET_VERSION"] = secretVersion;
  }
  if (allowedOrigins.length > 0) {
    variables["ONEFOLD_ALLOWED_ORIGINS"] = allowedOrigins.join(",");
  }
  if (procedure.grants.length > 0) {
    variables["ONEFOLD_TABLE"] = tableName;
  }
  // Secrets Manager adds a hyphen and six characters to the name, which are not known before it is made.
  const secret = Stack.of(scope).formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${names.secret}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return { variables, statements: [new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [secret] })] };
}
