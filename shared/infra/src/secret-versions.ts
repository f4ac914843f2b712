/** Converts versions of secrets to text and back: `deploy` passes them to templates through the CDK's context. */

/** `<service>/dev=V1,<service>/dev/signing=V2`. */
export function formatVersions(versions: ReadonlyMap<string, string>): string {
  return [...versions].map(([name, version]) => `${name}=${version}`).join(",");
}

export function parseVersions(text: string): Map<string, string> {
  const pairs = text.split(",").filter((pair) => pair !== "");
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
