/** Questions to the person at the terminal. */
import { createInterface } from "node:readline/promises";
import { Problem } from "../problem.js";

/** Asks a question and returns the answer. @throws Problem with `otherwise` when there is no terminal. */
export async function ask(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Problem(otherwise);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
