/**
 * `npm run placeholders -- <folder> [<contract>]`: stands for the built functions where only templates are
 * wanted, and nothing is deployed.
 */
import { resolve } from "node:path";
import { writePlaceholders } from "./bootstraps.js";
import { loadContract } from "./contract.js";
import { CONTRACT } from "./places.js";

const [folder, contract = CONTRACT] = process.argv.slice(2);
if (folder === undefined) {
  console.error("Give the folder in which each function gets a file of a few bytes.");
  process.exitCode = 2;
} else {
  writePlaceholders(resolve(folder), loadContract(contract));
}
