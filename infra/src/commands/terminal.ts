/** Whoever sits at the terminal. */
import { createInterface } from "node:readline/promises";
import { Problem } from "../problem.js";

/** Asks, and answers what was typed. @throws Problem with `otherwise` when nobody can be asked. */
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
