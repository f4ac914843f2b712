import { createClient, failureOf, type UserId } from "service";

const client = createClient({ url: "http://127.0.0.1:9000/trpc", token: process.env.TOKEN });

await client.auth.register.mutate({ email: `ada.${Date.now()}@example.com`, name: "Ada", password: "seven grey herons wade" });
const newest = await client.users.list.query({ limit: 1 });
console.log(newest.items); // User[]; an `id` is a UserId, not any text

try {
  await client.users.get.query({ id: "01890a5d-ac96-774b-bcce-b302099a8057" as UserId });
} catch (error) {
  const failure = failureOf("users.get", error); // { type: "missing"; value: UserId } | undefined
  if (failure?.type !== "missing") throw error;
  console.log(`No user has the id ${failure.value}.`);
}
