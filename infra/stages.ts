/** The stages: the one file to edit before the first deployment. Checked at each synth. */
import type { Stages } from "@onefold/infra";

export const stages: Stages = {
  /** Where the team tries things; may be removed. */
  dev: {
    protectData: false,
    architecture: "arm64",
    logRetentionDays: 14,
    tracing: true,
    throttle: { ratePerSecond: 100, burst: 200 },
    allowedOrigins: [],
    registration: "open",
    reservedConcurrency: false,
    edge: {},
  },

  /** A preview of one pull request, `pr-N`. Without an edge: a distribution takes minutes to come and go. */
  preview: {
    protectData: false,
    architecture: "arm64",
    logRetentionDays: 7,
    tracing: false,
    throttle: { ratePerSecond: 20, burst: 40 },
    allowedOrigins: [],
    registration: "open",
    reservedConcurrency: false,
  },

  /** What customers use. */
  prod: {
    protectData: true,
    architecture: "arm64",
    logRetentionDays: 90,
    tracing: true,
    throttle: { ratePerSecond: 2000, burst: 4000 },
    allowedOrigins: [],
    // Nobody, until you decide who may.
    registration: "closed",
    edge: {},
  },
};
