//! Renders the npm package: types, the router's type for the official client, and a small client.
//!
//! The package is written as `.d.ts` and `.js`, as it is published, so that it needs no build.

mod session;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use protocol::{
    Code, Kind, Layout,
    case::type_name,
    contract::{Build, Contract, Declaration, ProcedureBuild, ProcedureContract},
    escape,
    fresh::REAUTHENTICATE,
};

use crate::{File, HEADER};

/// The supported versions of `@trpc/client` and `@trpc/server`. The tests use the first and the newest, and those
/// between that adapters need: 11.19.0 for `@trpc/react-query`, 11.22.1 for `@trpc/tanstack-react-query`. 11.25 knows
/// `pathSeparator`.
const TRPC_VERSIONS: &str = ">=11.5.0 <12";

pub fn render(contract: &Contract, build: &Build, layout: &Layout) -> Vec<File> {
    let file = |name: &str, text: String| File { path: Path::new(layout.bindings).join(name), text };
    vec![
        file("package.json", package_json(contract)),
        file("contract.d.ts", contract_types()),
        file("index.js", client(contract)),
        file("index.cjs", common_js(&client(contract))),
        file("index.d.ts", with_reworded_comments(contract, &types(contract, build))),
        // The same types for `require`: TypeScript decides by the file's name what `import` means in it.
        file("index.d.cts", with_reworded_comments(contract, &types(contract, build))),
    ]
}

/// Rewrites comments for the package: procedures that no client has are named by their method and path.
fn with_reworded_comments(contract: &Contract, text: &str) -> String {
    let called = |word: &str| contract.procedure(word)?.http.clone();
    gateways::words::reworded(text, called)
}

fn client(contract: &Contract) -> String {
    let text = CLIENT.replace("@HEADER@", HEADER).replace("@CODES@", &codes()).replace("@MAX_CALLS@", &max_calls());
    text + &session::client(contract)
}

/// The maximum number of calls of a batch.
fn max_calls() -> String {
    gateways::batches::MAX_CALLS.to_string()
}

fn package_json(contract: &Contract) -> String {
    let (service, about) = (&contract.service, &contract.about);
    let mut package = serde_json::json!({
        "name": contract.npm_package,
        "version": about.version,
        "description": format!("Types and client of the service {service}. {HEADER}"),
        "license": about.license,
        "private": true,
        "type": "module",
        "sideEffects": false,
        "engines": {"node": ">=20"},
        "exports": {
            // TypeScript finds the types beside each module.
            ".": {"import": "./index.js", "require": "./index.cjs"},
            "./contract.json": "./contract.json",
            "./package.json": "./package.json",
        },
        // For tools that do not read `exports`.
        "main": "./index.cjs",
        "types": "./index.d.ts",
        "files": ["contract.json", "index.cjs", "index.d.cts", "index.d.ts", "index.js"],
        "peerDependencies": {"@trpc/client": TRPC_VERSIONS, "@trpc/server": TRPC_VERSIONS},
    });
    if about.license.is_empty() {
        // The identifier that npm uses.
        package["license"] = "UNLICENSED".into();
    }
    serde_json::to_string_pretty(&package).unwrap_or_default() + "\n"
}

/// The client as a CommonJS module: `import` becomes `require`, and `export` an assignment to `exports`.
fn common_js(module: &str) -> String {
    let mut names = Vec::new();
    let mut text = String::new();
    for line in module.split_inclusive('\n') {
        let required =
            line.strip_prefix("import ").and_then(|line| line.trim_end().strip_suffix(';')?.split_once(" from "));
        if let Some((imported, from)) = required {
            let _ = writeln!(text, "const {imported} = require({from});");
            continue;
        }
        let exported = line.strip_prefix("export ");
        let name = exported.and_then(|line| line.strip_prefix("function ")?.split_once('('));
        names.extend(name.map(|(name, _)| name));
        text.push_str(exported.unwrap_or(line));
    }
    // One statement for each export, by which Node finds the names for an `import`.
    text.push('\n');
    text + &names.iter().map(|name| format!("exports.{name} = {name};\n")).collect::<String>()
}

fn types(contract: &Contract, build: &Build) -> String {
    let mut text = format!("// {HEADER}\n\n{IMPORTS}\n");
    declare(&build.declarations, &mut text);
    for procedure in contract.in_styles() {
        let name = type_name(&procedure.name);
        let Some(ProcedureBuild { types, .. }) = build.procedures.get(&procedure.name) else { continue };
        let _ = writeln!(
            text,
            "/** The input of `{}`. */\nexport type {name}Input = {};\n",
            procedure.name,
            tidy(&types.input)
        );
        let _ = writeln!(
            text,
            "/** The output of `{}`. */\nexport type {name}Output = {};\n",
            procedure.name, types.output
        );
        let mut docs = format!("The failures of `{}`.", procedure.name);
        for failure in &procedure.failures {
            let _ =
                write!(docs, "\n- `{}` ({}): {}", failure.kind, failure.code.key(), failure.docs.replace('\n', " "));
        }
        for line in comment(&docs) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "export type {name}Failure = {};\n", types.failure);
    }
    text.push_str("/** The failures of every procedure, by its name. */\nexport type Failures = {\n");
    for procedure in contract.in_styles() {
        let _ = writeln!(text, "  \"{}\": {}Failure;", procedure.name, type_name(&procedure.name));
    }
    text.push_str("};\n\n");
    text.push_str(ERRORS);
    text.push_str(&router(contract));
    text.push_str(&with_example(&CLIENT_TYPES.replace("@MAX_CALLS@", &max_calls()), contract));
    text + &session::types(contract)
}

/// The types of `contract.json`, for programs that read it. They are in no package.
fn contract_types() -> String {
    let mut text = format!("// {HEADER}\n\n");
    declare(&protocol::contract::declarations::<Contract>(), &mut text);
    text
}

fn declare(declarations: &BTreeMap<String, Declaration>, text: &mut String) {
    for declaration in declarations.values() {
        let docs = declaration.docs.as_deref().map(tidy).unwrap_or_default();
        let _ = writeln!(text, "{docs}\nexport {}\n", tidy(&declaration.text));
    }
}

/// The client's types with an example from the service: a query that may fail with "not found", or any other failure.
fn with_example(text: &str, contract: &Contract) -> String {
    let failures = || contract.in_styles().flat_map(|one| one.failures.iter().map(move |failure| (one, failure)));
    let missing = failures().find(|(one, failure)| one.kind == Kind::Query && failure.code == Code::NotFound);
    let any = missing.or_else(|| failures().find(|(_, failure)| failure.kind != REAUTHENTICATE));
    let (procedure, failure) = any.map_or(("things.get", "missing"), |(one, failure)| (&one.name, &failure.kind));
    text.replace("@PROCEDURE@", procedure).replace("@FAILURE@", failure)
}

fn router(contract: &Contract) -> String {
    let mut domains: BTreeMap<&str, Vec<&ProcedureContract>> = BTreeMap::new();
    for procedure in contract.in_styles() {
        let (domain, _) = procedure.name.split_once('.').unwrap_or((&procedure.name, ""));
        domains.entry(domain).or_default().push(procedure);
    }
    let mut text =
        String::from("/** Every procedure, as the official client wants to see it. */\nexport type AppRecord = {\n");
    for (domain, procedures) in domains {
        let _ = writeln!(text, "  {domain}: {{");
        for procedure in procedures {
            let (_, name) = procedure.name.split_once('.').unwrap_or(("", &procedure.name));
            let leaf = match procedure.kind {
                Kind::Query => "TRPCQueryProcedure",
                Kind::Mutation => "TRPCMutationProcedure",
            };
            let types = type_name(&procedure.name);
            for line in comment(&procedure.docs) {
                let _ = writeln!(text, "    {line}");
            }
            let input = match (&procedure.input, procedure.input_optional) {
                (None, _) => "undefined".to_owned(),
                (Some(_), true) => format!("{types}Input | undefined"),
                (Some(_), false) => format!("{types}Input"),
            };
            let _ = writeln!(text, "    {name}: {leaf}<{{ input: {input}; output: {types}Output; meta: unknown }}>;");
        }
        text.push_str("  };\n");
    }
    text.push_str("};\n");
    text
}

/// Puts the members of ts-rs's output on lines of their own, indented; a one-line comment takes one line.
fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth: usize = 0;
    let mut docs: Option<String> = None;
    for line in text.replace(", };", ",\n};").replace(", }", ",\n}").lines().map(str::trim) {
        match (&mut docs, line) {
            (_, "") => continue,
            (None, "/**") => docs = Some(String::new()),
            (Some(text), "*/") => {
                lines.extend(comment(text).map(|line| format!("{}{line}", "  ".repeat(depth))));
                docs = None;
            }
            (Some(text), line) => {
                text.push_str(line.strip_prefix("* ").unwrap_or_else(|| line.trim_start_matches('*')));
                text.push('\n');
            }
            (None, line) => {
                if line.starts_with('}') {
                    depth = depth.saturating_sub(1);
                }
                let line = line.strip_suffix(',').map_or_else(|| line.to_owned(), |line| format!("{line};"));
                lines.push(format!("{}{line}", "  ".repeat(depth)));
                depth += usize::from(line.ends_with('{'));
            }
        }
    }
    lines.join("\n")
}

/// The lines of a JSDoc comment.
fn comment(docs: &str) -> impl Iterator<Item = String> {
    let docs = escape::block_comment(docs.trim());
    let lines: Vec<String> = match docs.lines().collect::<Vec<_>>()[..] {
        [] => Vec::new(),
        [line] => vec![format!("/** {line} */")],
        ref lines => {
            let middle = lines.iter().map(|line| format!(" * {line}").trim_end().to_owned());
            std::iter::once("/**".to_owned()).chain(middle).chain(std::iter::once(" */".to_owned())).collect()
        }
    };
    lines.into_iter()
}

const IMPORTS: &str = r#"import type { TRPCClient } from "@trpc/client";
import type {
  TRPCBuiltRouter,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPC_ERROR_CODE_KEY,
  TRPC_ERROR_CODE_NUMBER,
} from "@trpc/server";
"#;

const ERRORS: &str = r#"/** The name of a procedure. */
export type ProcedureName = keyof Failures;

/** What is wrong with one field of an input; `path` is empty for the input as a whole. */
export type FieldFault = { path: string; message: string };

/** What `error.data` holds when a call fails. */
export type ErrorData = {
  code: TRPC_ERROR_CODE_KEY;
  httpStatus: number;
  /** The procedure's name; absent when the request reached none. */
  path?: string;
  /** Names this call in the logs. */
  requestId: string;
  /** The procedure's own failure, if it was one. */
  failure?: Failures[ProcedureName];
  /** Every fault of the input, if that was the reason. */
  fields?: FieldFault[];
};

/** The shape of an error, as the official client wants to see it. */
export type AppErrorShape = { message: string; code: TRPC_ERROR_CODE_NUMBER; data: ErrorData };

"#;

/// The codes by HTTP status, as members of a JavaScript object. 400 is a bad request: no procedure answers with a
/// parse error.
fn codes() -> String {
    let sent = Code::ALL.iter().filter(|&&code| code != Code::ParseError);
    sent.map(|code| format!("  {}: [\"{}\", {}],\n", code.http_status(), code.key(), code.number())).collect()
}

const CLIENT_TYPES: &str = r#"
/** The router's type: `createTRPCClient<AppRouter>()`, `inferRouterOutputs<AppRouter>` and the like. */
export type AppRouter = TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: AppErrorShape; transformer: false },
  AppRecord
>;

/** How to reach the service. */
export type ClientOptions = {
  /** Where the procedures are, such as `http://127.0.0.1:9000/trpc`. */
  url: string;
  /** The caller's token, or a function that gives it for each call. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** What stands between the words of a procedure's name in the address: `-` under `cargo lambda watch` (`@trpc/client` 11.25 or newer). */
  pathSeparator?: "." | "_" | "~" | "-" | undefined;
  /**
   * Calls that are made at the same time travel as one request, up to @MAX_CALLS@ of them. Each fails or succeeds by itself.
   * Not with a `pathSeparator`.
   */
  batch?: boolean | undefined;
  /** Another `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
};

/** The official client, set up for this service. It has `withEnvelopes` already. */
export declare function createClient(options: ClientOptions): TRPCClient<AppRouter>;

/** A `fetch`, as the links of the official client take it. */
export type Fetch = (
  input: Parameters<typeof globalThis.fetch>[0],
  init?: Omit<RequestInit, "signal"> & { signal?: AbortSignal | null | undefined },
) => Promise<Response>;

/**
 * A `fetch` for the links of the official client that reads what stands before the service as well. A gateway refuses in
 * a form of its own what it does not let through (401, 403, 413, 429) and what got no answer (500 to 504); with this,
 * `error.data.code` says it like every other error. Answers of the service pass as they are.
 */
export declare function withEnvelopes(fetch?: typeof globalThis.fetch): Fetch;

/**
 * The typed failure of a procedure, if that is what an error is:
 *
 * ```ts
 * const failure = failureOf("@PROCEDURE@", error);
 * if (failure?.type === "@FAILURE@") console.log(failure);
 * ```
 */
export declare function failureOf<P extends ProcedureName>(procedure: P, error: unknown): Failures[P] | undefined;

/**
 * Whether a call failed because the caller signed in too long ago for it: to prove again who they are, and to make the
 * call once more, is all that it takes.
 */
export declare function wantsReauthentication(error: unknown): boolean;
"#;

const CLIENT: &str = r#"// @HEADER@

import { createTRPCClient, httpBatchLink, httpLink } from "@trpc/client";

/** What one batch may have, and how long an address may be that CloudFront and API Gateway take. */
const BATCH = { maxItems: @MAX_CALLS@, maxURLLength: 7_500 };

/** Keys and numbers of tRPC's errors, by HTTP status. */
const CODES = {
@CODES@};

export function createClient({ url, token, pathSeparator, batch, fetch }) {
  const headers = async () => {
    const value = typeof token === "function" ? await token() : token;
    return value === undefined ? {} : { authorization: `Bearer ${value}` };
  };
  const link = { url, headers, fetch: withEnvelopes(fetch) };
  if (pathSeparator !== undefined) link.pathSeparator = pathSeparator;
  return createTRPCClient({ links: [batch === true ? httpBatchLink({ ...link, ...BATCH }) : httpLink(link)] });
}

export function withEnvelopes(fetch = globalThis.fetch) {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    const said = parsed(await response.clone().text());
    if (said?.error !== undefined || Array.isArray(said)) return response;
    const { status } = response;
    const [key, code] = CODES[status] ?? CODES[status < 500 ? 400 : 500];
    const message = typeof said?.message === "string" ? said.message : `The gateway answered with ${status}.`;
    const headers = new Headers(response.headers);
    const requestId = headers.get("apigw-requestid") ?? headers.get("x-amz-cf-id") ?? "";
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    headers.set("content-type", "application/json");
    const error = { message, code, data: { code: key, httpStatus: status, requestId } };
    return new Response(JSON.stringify({ error }), { status, headers });
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function failureOf(procedure, error) {
  const data = dataOf(error);
  return data?.path === procedure ? data.failure : undefined;
}

export function wantsReauthentication(error) {
  return dataOf(error)?.failure?.type === "reauthenticate";
}

/** By name: an application may hold two copies of @trpc/client, and only one has the class. */
const dataOf = (error) => (error instanceof Error && error.name === "TRPCClientError" ? error.data : undefined);
"#;
