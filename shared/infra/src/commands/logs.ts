/** The log of a procedure or a gateway. */
import { setTimeout as sleep } from "node:timers/promises";
import { FilterLogEventsCommand, ResourceNotFoundException } from "@aws-sdk/client-cloudwatch-logs";
import type { Service } from "../app.js";
import { allFunctions } from "../names.js";
import { Problem } from "../problem.js";
import { type Cloud, explained, signIn } from "./aws.js";
import { projectAt } from "./project.js";

export interface LogsOptions {
  readonly stage: string;
  /** `orders.get`, or `gateway-graphql`. */
  readonly procedure: string;
  /** How far back, such as `90s`, `10m`, `2h`, `1d`. */
  readonly since: string;
  /** Go on until Ctrl-C. */
  readonly follow: boolean;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** CloudWatch Logs answers a few such requests a second for a whole account. */
const POLL_MS = 2_000;
/** Lines may arrive late: each poll asks again for this span, in milliseconds. */
const OVERLAP_MS = 30_000;

/** @throws Problem */
export async function logs(service: Service, { stage: name, procedure, since, follow }: LogsOptions): Promise<void> {
  const { contract, names } = projectAt(service, name);
  const known = allFunctions(contract).map(({ name }) => name);
  if (!known.includes(procedure)) {
    throw new Problem(`There is no function ${JSON.stringify(procedure)}. There are: ${known.join(", ")}.`);
  }
  const group = names.logGroup(procedure);
  let start = Date.now() - parseSpan(since);
  const cloud = await signIn();
  const seen = new Map<string, number>();
  for (;;) {
    const newest = await print(cloud, group, start, seen);
    if (!follow) {
      return;
    }
    start = Math.max(start, newest - OVERLAP_MS);
    for (const [id, time] of seen) {
      if (time < start) {
        seen.delete(id);
      }
    }
    await sleep(POLL_MS);
  }
}

/** Parses a span into milliseconds. @throws Problem */
export function parseSpan(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const length = UNITS_MS[unit ?? ""];
  if (count === undefined || length === undefined) {
    throw new Problem(`${JSON.stringify(text)} is no span of time such as 90s, 10m, 2h or 1d.`);
  }
  return Number(count) * length;
}

/** Prints new lines and returns the time of the latest one. */
async function print(cloud: Cloud, group: string, start: number, seen: Map<string, number>): Promise<number> {
  let newest = start;
  let token: string | undefined;
  do {
    const page = await cloud.logs
      .send(new FilterLogEventsCommand({ logGroupName: group, startTime: start, nextToken: token }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) {
          throw new Problem(`There is no log ${group} in account ${cloud.account}, region ${cloud.region}: is the stage deployed there?`);
        }
        throw explained(error);
      });
    for (const { eventId, logStreamName, timestamp: time = 0, message = "" } of page.events ?? []) {
      const id = eventId ?? `${logStreamName ?? ""} ${time} ${message}`;
      newest = Math.max(newest, time);
      if (!seen.has(id)) {
        seen.set(id, time);
        console.log(message.trimEnd());
      }
    }
    token = page.nextToken;
  } while (token !== undefined);
  return newest;
}
