/** The region and credentials for AWS, and explanations of its refusals. */
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { FIREWALL_REGION } from "../names.js";
import { Problem } from "../problem.js";

/** An account in a region, with its clients. */
export interface Cloud {
  readonly account: string;
  readonly region: string;
  readonly cloudFormation: CloudFormationClient;
  /** The client for the region of the firewall's stack. */
  readonly firewallFormation: CloudFormationClient;
  readonly logs: CloudWatchLogsClient;
  readonly secrets: SecretsManagerClient;
  readonly s3: S3Client;
}

/** The parameter that holds the version of `cdk bootstrap`. */
const BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version";

/**
 * Finds the region and the credentials as all AWS tools do: environment, profile, single sign-on, role.
 *
 * @throws Problem when there are none, or AWS does not accept them.
 */
export async function signIn(): Promise<Cloud> {
  const sts = new STSClient({});
  const region = await sts.config.region().catch(() => {
    throw new Problem("No AWS region is set. Set AWS_REGION, such as `export AWS_REGION=eu-central-1`, or a region in the profile.");
  });
  const { Account: account } = await asked(sts.send(new GetCallerIdentityCommand({})));
  if (account === undefined) {
    throw new Problem("AWS does not say to which account the credentials belong.");
  }
  return {
    account,
    region,
    cloudFormation: new CloudFormationClient({}),
    firewallFormation: new CloudFormationClient({ region: FIREWALL_REGION }),
    logs: new CloudWatchLogsClient({}),
    secrets: new SecretsManagerClient({}),
    // An endpoint of one's own has no host names for buckets.
    s3: new S3Client({ forcePathStyle: process.env["AWS_ENDPOINT_URL"] !== undefined }),
  };
}

/** @throws Problem when `cdk bootstrap` was never run for the account and a region. */
export async function checkBootstrap({ account }: Pick<Cloud, "account">, region: string): Promise<void> {
  try {
    await new SSMClient({ region }).send(new GetParameterCommand({ Name: BOOTSTRAP_VERSION }));
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) {
      throw explained(error);
    }
    throw new Problem(
      `The account ${account} was never prepared for deployments in ${region}. Once for each account and region:\n` +
        `  infra/node_modules/.bin/cdk bootstrap aws://${account}/${region}`,
    );
  }
}

/** Waits for a response. @throws Problem with the meaning of a refusal. */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw explained(error);
  }
}

const UNKNOWN = ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"];
const EXPIRED = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];
const DENIED = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];
const UNREACHABLE = ["ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT"];

/** Explains a refusal by AWS with what to do; returns any other error unchanged. */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  if (error.name === "CredentialsProviderError") {
    return new Problem(
      `No AWS credentials were found (${error.message}).\n` +
        "Sign in with `aws sso login`, name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    );
  }
  if (EXPIRED.includes(error.name)) {
    return new Problem("The AWS credentials have expired: sign in again, such as with `aws sso login`.");
  }
  if (UNKNOWN.includes(error.name)) {
    return new Problem(`AWS does not know these credentials (${error.message}): check AWS_PROFILE or AWS_ACCESS_KEY_ID.`);
  }
  if (DENIED.includes(error.name)) {
    return new Problem(`AWS refuses: ${error.message}`);
  }
  const code = (error as { code?: unknown }).code;
  if (error.name === "TimeoutError" || (typeof code === "string" && UNREACHABLE.includes(code))) {
    return new Problem(`AWS cannot be reached (${error.message || String(code)}): check the network, a proxy, and AWS_ENDPOINT_URL.`);
  }
  return error;
}
