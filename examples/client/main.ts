import { createClient, failureOf } from "@onefold/backoffice";

const client = createClient({ url: "http://127.0.0.1:9000/trpc", token: process.env.TOKEN });

const ada = await client.users.create.mutate({ email: `ada.${Date.now()}@example.com`, name: "Ada", age: 36 });
console.log(await client.users.get.query({ id: ada.id })); // a User; `id` is a UserId, not any text

try {
  await client.users.create.mutate({ email: ada.email, name: "Eve" });
} catch (error) {
  const failure = failureOf("users.create", error); // { type: "emailTaken"; value: string } | undefined
  if (failure?.type !== "emailTaken") throw error;
  console.log(`${failure.value} belongs to somebody else.`);
}
