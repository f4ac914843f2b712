/** The firewall: a web ACL before CloudFront that limits the requests of each address. */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Construct } from "constructs";
import type { Contract } from "./contract.js";
import type { Names } from "./names.js";
import { type RateLimits, rateRules, REFUSALS, visible } from "./rate-rules.js";

export interface FirewallStackProps extends StackProps {
  readonly names: Names;
  readonly contract: Contract;
  readonly limits: RateLimits;
}

/** The output with the web ACL's ARN, and the edge's parameter for it: the ARN is not known beforehand. */
export const WEB_ACL_ARN = "WebAclArn";

/** CloudFront takes a web ACL of us-east-1 only, so it has a stack of its own, which `deploy` deploys first. */
export class FirewallStack extends Stack {
  constructor(scope: Construct, id: string, { names, contract, limits, ...props }: FirewallStackProps) {
    super(scope, id, props);
    const acl = new CfnWebACL(this, "WebAcl", {
      scope: "CLOUDFRONT",
      description: `How much one address may ask of ${names.prefix}`,
      defaultAction: { allow: {} },
      customResponseBodies: REFUSALS,
      rules: rateRules(contract, limits),
      visibilityConfig: visible(names.prefix),
    });
    new CfnOutput(this, WEB_ACL_ARN, { value: acl.attrArn, description: "What the edge is given" });
  }
}
