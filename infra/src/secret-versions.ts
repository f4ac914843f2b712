/** Versions of secrets on their way from `deploy`, which asks for them, through the CDK's context into templates. */

/** `backoffice/dev=V1,backoffice/dev/signing=V2`. */
export function formatVersions(versions: ReadonlyMap<string, string>): string {
  return [...versions].map(([name, version]) => `${name}=${version}`).join(",");
}

export function parseVersions(text: string): Map<string, string> {
  const pairs = text.split(",").filter((pair) => pair !== "");
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
