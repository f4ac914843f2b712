/**
 * The same work as Onefold's `users-get`, as a Node team would write it: tRPC's own Lambda adapter, a zod input, a
 * signed token checked by `jose`, one GetItem through the AWS SDK v3's document client, one structured log line.
 *
 * Everything that can be made once is made outside the handler. All configuration comes from the environment.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { initTRPC, TRPCError } from "@trpc/server";
import { awsLambdaRequestHandler } from "@trpc/server/adapters/aws-lambda";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { createLocalJWKSet, jwtVerify } from "jose";
import { z } from "zod";

const { TABLE_NAME, TOKEN_ISSUER, TOKEN_AUDIENCE, TOKEN_JWKS } = process.env;

const keys = createLocalJWKSet(JSON.parse(TOKEN_JWKS));
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const permissionsOfRole = {
  administrator: new Set(["users:read", "users:write"]),
  employee: new Set(["users:read"]),
  viewer: new Set(["users:read"]),
};

async function createContext({ event, context }) {
  return { claims: await claims(event), requestId: context.awsRequestId, meter: { readUnits: 0 } };
}

async function claims(event) {
  const [scheme, token] = (event.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) return null;
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      requiredClaims: ["exp", "sub"],
    });
    return payload;
  } catch {
    return null;
  }
}

const t = initTRPC.context().create();

/** One structured line for each call, as Onefold writes one. */
const logged = t.procedure.use(async ({ ctx, path, next }) => {
  const started = performance.now();
  const result = await next();
  const line = {
    timestamp: new Date().toISOString(),
    level: result.ok ? "INFO" : "WARN",
    message: "call",
    procedure: path,
    status: result.ok ? 200 : getHTTPStatusCodeFromError(result.error),
    duration_us: Math.round(1000 * (performance.now() - started)),
    read_units: ctx.meter.readUnits,
    write_units: 0,
    request_id: ctx.requestId,
  };
  console.log(JSON.stringify(line));
  return result;
});

const permitted = (permission) =>
  logged.use(({ ctx, next }) => {
    if (!ctx.claims) throw new TRPCError({ code: "UNAUTHORIZED" });
    const may = ctx.claims.roles?.some((role) => permissionsOfRole[role]?.has(permission));
    if (!may) throw new TRPCError({ code: "FORBIDDEN" });
    return next();
  });

const router = t.router({
  users: t.router({
    get: permitted("users:read")
      .input(z.strictObject({ id: z.uuid() }))
      .query(async ({ ctx, input }) => {
        const { Item: item, ConsumedCapacity: consumed } = await documents.send(
          new GetCommand({
            TableName: TABLE_NAME,
            Key: { pk: `user#${input.id}`, sk: "@" },
            ConsistentRead: true,
            ReturnConsumedCapacity: "TOTAL",
          }),
        );
        ctx.meter.readUnits += consumed?.CapacityUnits ?? 0;
        if (!item) throw new TRPCError({ code: "NOT_FOUND", message: `no user ${input.id}` });
        const { id, email, name, age, isVerified, role, createdAt, version } = item.doc;
        return { id, email, name, age, isVerified, role, createdAt, version };
      }),
  }),
});

export const handler = awsLambdaRequestHandler({ router, createContext });
