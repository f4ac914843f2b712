/** The stages of the testbed. */
import type { Stages } from "../src/stage.js";
import { BARE } from "./support.js";

export const stages: Stages = {
  dev: { ...BARE, edge: {} },
  preview: BARE,
  prod: { ...BARE, protectData: true, edge: {} },
};
