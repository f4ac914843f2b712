/**
 * The same work as Onefold's `users-get`, as a Node team would write it: tRPC's own Lambda adapter, a zod input, a
 * signed token checked by `jose`, one GetItem through the AWS SDK v3's document client.
 *
 * Everything that can be made once is made outside the handler. All configuration comes from the environment.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { initTRPC, TRPCError } from "@trpc/server";
import { awsLambdaRequestHandler } from "@trpc/server/adapters/aws-lambda";
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

async function createContext({ event }) {
  const [scheme, token] = (event.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) return { claims: null };
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      requiredClaims: ["exp", "sub"],
    });
    return { claims: payload };
  } catch {
    return { claims: null };
  }
}

const t = initTRPC.context().create();

const permitted = (permission) =>
  t.procedure.use(({ ctx, next }) => {
    if (!ctx.claims) throw new TRPCError({ code: "UNAUTHORIZED" });
    const may = ctx.claims.roles?.some((role) => permissionsOfRole[role]?.has(permission));
    if (!may) throw new TRPCError({ code: "FORBIDDEN" });
    return next({ ctx: { claims: ctx.claims } });
  });

const router = t.router({
  users: t.router({
    get: permitted("users:read")
      .input(z.strictObject({ id: z.uuid() }))
      .query(async ({ input }) => {
        const { Item: item } = await documents.send(
          new GetCommand({
            TableName: TABLE_NAME,
            Key: { pk: `user#${input.id}`, sk: "@" },
            ConsistentRead: true,
            ReturnConsumedCapacity: "TOTAL",
          }),
        );
        if (!item) throw new TRPCError({ code: "NOT_FOUND", message: `no user ${input.id}` });
        const { id, email, name, age, isVerified, role, createdAt, version } = item.doc;
        return { id, email, name, age, isVerified, role, createdAt, version };
      }),
  }),
});

export const handler = awsLambdaRequestHandler({ router, createContext });
