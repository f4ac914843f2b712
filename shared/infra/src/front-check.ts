/**
 * Refuses requests that bypass CloudFront.
 *
 * An HTTP API has neither a resource policy nor signed origin requests; so CloudFront adds a secret header,
 * and an authorizer compares it. The answer is cached for each value of the header: the function runs about
 * once an hour, and a request without the header reaches no function at all.
 */
import { SecretValue, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { Names } from "./names.js";
import { SmallFunction } from "./small-function.js";
import type { StageConfig } from "./stage.js";

/** The name of the header; `handlers/from-front.js` has the same. */
export const FRONT_HEADER = "x-origin-secret";
const SECRET_CHARACTERS = 48;

export class FrontCheck extends Construct {
  readonly function: IFunction;
  readonly #secret: Secret;

  constructor(scope: Construct, id: string, names: Names, config: StageConfig) {
    super(scope, id);
    this.#secret = new Secret(this, "Secret", {
      description: `${FRONT_HEADER}: CloudFront shows it to the HTTP API`,
      generateSecretString: { passwordLength: SECRET_CHARACTERS, excludePunctuation: true },
    });
    const small = new SmallFunction(this, "Authorizer", {
      source: "from-front",
      names,
      config,
      environment: { SECRET_ARN: this.#secret.secretArn },
      statements: [
        new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [this.#secret.secretArn] }),
      ],
    });
    this.function = small.function;
  }

  /** A reference that CloudFormation resolves; no template contains the value. */
  get secretValue(): SecretValue {
    return this.#secret.secretValue;
  }

  /** The function's URI for API Gateway. */
  get invocationUri(): string {
    return Stack.of(this).formatArn({
      service: "apigateway",
      account: "lambda",
      resource: "path",
      resourceName: `2015-03-31/functions/${this.function.functionArn}/invocations`,
    });
  }
}
