/** A mistake of the person who deploys, explained in their terms: it is shown without a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";
}
