/** A mistake of whoever deploys, in their words: it is shown without a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";
}
