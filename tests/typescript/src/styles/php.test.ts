// PHP's SoapClient, which knows the service from its WSDL alone. Only where `php` is installed with its extension `soap`
// (Debian: php-cli, php-soap); with ONEFOLD_NEEDS=php it has to be.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startService, type Service } from "../service.js";

const modules = spawnSync("php", ["-m"], { encoding: "utf8" });
const isThere = modules.status === 0 && /^soap$/m.test(modules.stdout);
const isNeeded = process.env["ONEFOLD_NEEDS"] === "php";
const skip = isThere || isNeeded ? false : "php with its extension soap is not installed: left out";

let service: Service;
before(async () => {
  assert.ok(isThere || !isNeeded, "php with its extension soap is not installed, and ONEFOLD_NEEDS says that it is");
  if (skip === false) service = await startService();
});
after(() => service?.stop());

/** Creates, lists and fetches a user, and asks for the same address again; each result is a line of JSON. */
const PROGRAM = `<?php
$context = stream_context_create(['http' => ['header' => 'authorization: Bearer ' . getenv('TOKEN')]]);
foreach ([SOAP_1_1, SOAP_1_2] as $version) {
  $client = new SoapClient(getenv('WSDL'), ['soap_version' => $version, 'stream_context' => $context, 'cache_wsdl' => WSDL_CACHE_NONE]);
  $email = "php$version@example.com";
  $created = $client->usersCreate(['email' => $email, 'name' => 'Ada & Co.', 'role' => 'viewer', 'age' => 36]);
  $page = $client->usersList(['limit' => 1, 'sort' => '-createdAt']);
  try {
    $client->usersCreate(['email' => $email, 'name' => 'Eve']);
    $fault = null;
  } catch (SoapFault $caught) {
    $fault = ['said' => $caught->getMessage(), 'detail' => $caught->detail ?? null];
  }
  echo json_encode(['created' => $created, 'page' => $page, 'fault' => $fault]), "\\n";
}
`;

type Line = { created: object; page: object; fault: { said: string } | null };

test("it reads the WSDL, calls in both versions of SOAP, and gets typed values and faults", { skip }, async () => {
  const env = { ...process.env, TOKEN: service.administrator, WSDL: new URL("/soap?wsdl", service.url).href };
  const running = promisify(execFile)("php", ["-r", PROGRAM.replace("<?php", "")], { env });
  const { stdout } = await running;
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as Line);
  assert.equal(lines.length, 2, stdout);
  for (const { created, page, fault } of lines) {
    assert.match(JSON.stringify(created), /"name":"Ada & Co\."/);
    assert.match(JSON.stringify(created), /"age":36/);
    assert.match(JSON.stringify(page), /"role":"viewer"/);
    assert.match(fault?.said ?? "", /Another user has this e-mail address/);
  }
});
