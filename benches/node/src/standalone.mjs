/**
 * tRPC's standalone adapter with one procedure, `health.ping`, on 127.0.0.1. Usage: `node standalone.mjs PORT`.
 */
import { initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";

const t = initTRPC.create();
const router = t.router({ health: t.router({ ping: t.procedure.query(() => "pong") }) });

createHTTPServer({ router, basePath: "/trpc/" }).listen(Number(process.argv[2]), "127.0.0.1");
