/** Where things are, from where this file is after the build. */
import { fileURLToPath } from "node:url";

export const INFRA = fileURLToPath(new URL("../../../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
