/** Physical names. All begin with the service and the stage, so that stages can share an account. */
import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Contract, Gateway, Procedure } from "./contract.js";
import { Problem } from "./problem.js";
import { isPreview, type Stage } from "./stage.js";

/** Lambda's limit for the name of a function. */
const MAX_FUNCTION_NAME = 64;

/** A procedure, `orders.markPaid`, or a gateway, `gateway-graphql`, with the name of its program. */
export type Named = Pick<Procedure, "name" | "function">;

/** All functions of a service. */
export function allFunctions({ procedures, gateways }: Contract): readonly Named[] {
  return [...procedures, ...gateways.map(functionOf)];
}

/** A gateway with its function, which has the same name. */
export function functionOf({ name }: Pick<Gateway, "name">): Named {
  return { name, function: name };
}

/**
 * The ARN of a log group's streams. It is made from the name instead of the log group's attribute, so that a role is
 * readable.
 */
export function logGroupArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: `${name}:*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** The stacks of a stage, in the order of their deployment. The last has what a service adds. */
const ROOMS = ["firewall", "data", "service", "edge", "operations", "own"] as const;
/** The region of the firewall's stack, whatever the stage's region: CloudFront finds web ACLs there only. */
export const FIREWALL_REGION = "us-east-1";
export type Room = (typeof ROOMS)[number];

export class Names {
  /** The stage's name, `dev`. */
  readonly stage: string;
  /** `<service>-dev`. */
  readonly prefix: string;
  /**
   * The secret with the stage's keys, `<service>/dev`. All previews share one, so that a pull request needs no new
   * keys.
   */
  readonly secret: string;

  /** @throws Problem when a name would be too long, or two functions would have the same. */
  constructor(contract: Contract, stage: Stage) {
    this.stage = stage.name;
    this.prefix = `${contract.service}-${stage.name}`;
    this.secret = `${contract.service}/${isPreview(stage.name) ? "preview" : stage.name}`;
    this.#logs = `/${contract.service}/${stage.name}`;
    const owners = new Map<string, string>();
    for (const named of allFunctions(contract)) {
      const name = this.function(named);
      const other = owners.get(name);
      if (other !== undefined) {
        throw new Problem(`${other} and ${named.name} would both be the function ${name}: rename one of them.`);
      }
      if (name.length > MAX_FUNCTION_NAME) {
        throw new Problem(`The function ${name} has a name of ${name.length} characters; Lambda allows ${MAX_FUNCTION_NAME}.`);
      }
      owners.set(name, named.name);
    }
  }

  readonly #logs: string;

  /** The name of a secret in the contract, beside the stage's: `<service>/dev/signing`. */
  secretNamed(name: string): string {
    return `${this.secret}/${name}`;
  }

  stack(room: Room): string {
    return `${this.prefix}-${room}`;
  }

  /** The names of all stacks that may exist. */
  stacks(): string[] {
    return ROOMS.map((room) => this.stack(room));
  }

  function(named: Pick<Named, "function">): string {
    return `${this.prefix}-${named.function}`;
  }

  /** A pattern of a domain's function names: `<service>-dev-well-known-*` of `wellKnown`. */
  functionsOf(domain: string): string {
    return `${this.prefix}-${domain.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-*`;
  }

  /** `/<service>/dev/orders.get`. */
  logGroup(name: string): string {
    return `${this.#logs}/${name}`;
  }
}
