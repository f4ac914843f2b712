// Admits requests that carry the header which only the front knows.
"use strict";

const { createHash, timingSafeEqual } = require("node:crypto");
const { SecretsManagerClient, GetSecretValueCommand } = require("@aws-sdk/client-secrets-manager");

const client = new SecretsManagerClient({});
/** Read once for each instance. */
let secret;

async function read() {
  secret ??= (await client.send(new GetSecretValueCommand({ SecretId: process.env.SECRET_ARN }))).SecretString;
  return secret;
}

const digest = (text) => createHash("sha256").update(text).digest();

exports.handler = async (event) => {
  const shown = event.headers?.["x-origin-secret"] ?? "";
  return { isAuthorized: timingSafeEqual(digest(shown), digest(await read())) };
};
