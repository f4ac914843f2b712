//! The macros: `#[procedure]`, `#[wire]`, `#[derive(Failure)]`, `#[derive(Capability)]`, `#[derive(Entity)]`,
//! `#[derive(IdentityRole)]` and `export!`.
//!
//! They only generate code that a person could write by hand; everything that can be an ordinary function is one in
//! `protocol` and `runtime`.

mod capability;
mod entity;
mod export;
mod failure;
mod name;
mod procedure;
mod role;
mod wire;

use proc_macro::TokenStream;

/// Turns a function into a procedure. See the README, "Add a procedure in five minutes".
///
/// Its parameters are capabilities; at most one has `#[input]`, the callers' input, whose type has `#[wire(input)]`.
///
/// `#[procedure(query | mutation, auth = public | signed_in | permission("…"), rest = "GET /…", created = false,
/// location = false, etag = false, link = false,
/// timeout_ms = 10000, memory_mb = 256, concurrency = 20, cache_s = 60, sensitive, session = "…", fresh = 300,
/// fresh_if = Input::gives_rights, http = "POST /…", errors = oauth)]`; `auth` is required, and so is a doc comment,
/// whose first sentence appears in the documents and on the consent page. Each argument may be stated once.
///
/// `rest`: a method and a path. Its responses follow from the declaration: a mutation by POST whose output has an
/// `id` answers 201, with `Location` if there is a GET for the id; an output's `version` is its `ETag`, and an
/// input's `version` is `If-Match`; a GET whose output is a page has a `Link` to the next one. `created = false`,
/// `location = false`, `etag = false` and `link = false` decline a part. Without `created` there is no `Location`,
/// and without `etag` no `If-Match`.
///
/// `timeout_ms`: the timeout of a call, from 1 to 29000 (10000 if left out); the HTTP API in front gives up after 30
/// s. `memory_mb`: the function's memory, from 128 to 10240 MiB (256 if left out).
///
/// `permission("notes:write", own)` also admits callers with `notes:write:own`; the procedure takes an `Ownership`,
/// which says whose items the caller may access.
///
/// `sensitive`: each call looks the token's session up, so that a sign-out or a changed role takes effect at once and
/// not when the token expires. This costs one read of the database, and for an application's token a second one in
/// parallel: whether the application is still registered. Mutations that are not public do so by default.
///
/// `session = "…"`: why such a mutation does not. The reason appears in the contract.
///
/// `fresh`: for how many seconds, from 1 to 86400, after a sign-in or reauthentication a person may call it. Later
/// the call fails with `FORBIDDEN` and `{ "type": "reauthenticate" }`, which becomes one of the procedure's failures.
/// It is for procedures that can give an account away for good. The session is looked up as with `sensitive`;
/// applications are refused. `fresh_if`: a function `fn(&Input) -> bool` that restricts this to some inputs; with
/// others, applications may call it too.
///
/// `http`: a method and a path of its own, for requests in a form that a standard or the sender of a webhook
/// dictates. The procedure takes an `HttpRequest`, with the body as it came, of up to 1 MiB; returns an `HttpReply`;
/// and is not in the generated clients. `errors`: the format of its errors for programs: `problem`, that is
/// `application/problem+json` (if left out), or `oauth`, the errors of RFC 6749, in which the failure `InvalidGrant`
/// is `invalid_grant`. A browser that navigates there gets a page.
///
/// `concurrency`: the maximum number of parallel calls, at least 1 (Lambda's reserved concurrency, taken from the
/// account's limit); only the account's limit applies if it is left out.
///
/// `cache_s`: for how many seconds, from 1 to 86400, a shared cache such as CloudFront may keep a result; none may if
/// it is left out. Only a query with `auth = public` and without `Caller` may have it, since all callers get the
/// cached result. Failures, and results of calls by POST, are never cached.
#[proc_macro_attribute]
pub fn procedure(arguments: TokenStream, item: TokenStream) -> TokenStream {
    answer(procedure::expand(arguments.into(), item.into()))
}

/// Adds to a struct or an enum what every wire type has: serde in camel case, JSON Schema, TypeScript and validation.
/// It also checks that all fields are wire types.
///
/// `#[wire(input)]` is for types that callers send: unknown fields are refused, and `Option` and `Patch` fields may
/// be absent.
#[proc_macro_attribute]
pub fn wire(arguments: TokenStream, item: TokenStream) -> TokenStream {
    answer(wire::expand(arguments.into(), item.into()))
}

/// Turns an enum into a procedure's failures: each variant has `#[failure(CODE)]` and a doc comment that is its
/// message, or `#[failure(CODE, message = "no note {0}")]`.
#[proc_macro_derive(Failure, attributes(failure))]
pub fn failure(item: TokenStream) -> TokenStream {
    answer(failure::expand(item.into()))
}

/// Bundles several capabilities: a struct whose fields are capabilities becomes one itself, with the rights of all
/// fields.
#[proc_macro_derive(Capability)]
pub fn capability(item: TokenStream) -> TokenStream {
    answer(capability::expand(item.into()))
}

/// Implements `protocol::Entity` for a struct.
///
/// ```ignore
/// #[derive(Entity)]
/// #[entity(prefix = "order", loader = "orders.byIds")]
/// #[entity(index = "created", sort = SortKey::time(self.created_at))]
/// #[entity(index = "buyer", list = self.buyer_id, sort = SortKey::time(self.created_at))]
/// #[entity(unique = "number", value = self.number)]
/// #[entity(tally = "open", at_least = 1, when = self.is_open)]
/// pub struct Order {
///     #[entity(id)]
///     pub id: OrderId,
///     #[entity(version)]
///     pub version: Version,
///     …
/// }
/// ```
///
/// `prefix`: the prefix of its keys; never change it. `loader`: the procedure that fetches many by id. `index`: a
/// list in the order of `sort`; `list` separates many lists in one index (a buyer's orders), `when` leaves entities
/// out, `shards` (1 if left out) spreads writes. The order of the indexes is their position in the table: append.
/// `unique`: a `value` (or any number of `values`) that no other entity may have. `tally`: a counted group with a
/// minimum size. `#[entity(expires_at)]` on a field, or `expires_at = self.at.plus_ms(…)` beside the prefix: the time
/// of expiry. An id that is no field of its own: `id = self.key.id, id_type = OrderId` beside the prefix.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn entity(item: TokenStream) -> TokenStream {
    answer(entity::expand(item.into()))
}

/// Implements `identity::IdentityRole` for an enum, whose variants are the roles: their names are those on the wire.
///
/// ```ignore
/// #[wire]
/// #[derive(IdentityRole)]
/// #[role(founder = Owner, new_user = Shopper)]
/// #[permissions("rights:write")]
/// #[permissions("orders:read" = [Clerk], "orders:read:own" = [Shopper], "orders:write" = [Clerk])]
/// pub enum Role {
///     Owner,
///     Clerk,
///     Shopper,
/// }
/// ```
///
/// `role`: the role of the first user, and that of people who register. `permissions`: each permission once, with the
/// roles that have it. The founder's role has all of them, and where one is stated with `:own`, the whole one. It also
/// gives the type `NAMES`, `PERMISSIONS`, `name`, `permissions` and `permits`, as a service's definition states them.
#[proc_macro_derive(IdentityRole, attributes(role, permissions))]
pub fn identity_role(item: TokenStream) -> TokenStream {
    answer(role::expand(item.into()))
}

/// The types of a procedure by which users take their data along, and its capability: `Input`, `Exported`, `Error` and
/// `Export`, whose method `part` is the body. The service states its user, and in one line each of its own lists: its
/// name, its entity, the index that lists a user's items, and what it is for the person.
///
/// ```ignore
/// identity::export! {
///     User;
///     orders: Order by BY_BUYER, "What the person ordered";
/// }
///
/// /// Take along everything that is kept about oneself, list by list and part by part.
/// #[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/my-data")]
/// pub async fn export(data: Export, caller: Caller, #[input] input: Input) -> Result<Exported, Error> {
///     Ok(data.part(&caller, input).await?)
/// }
/// ```
///
/// Accounts at identity providers, sessions and the audit log are part of it without a line. The first list is the one
/// that comes if none is asked for.
#[proc_macro]
pub fn export(item: TokenStream) -> TokenStream {
    answer(export::expand(item.into()))
}

/// The name of words of an index on the wire, as a literal: `(orders, get)` is `"orders.get"`, and `(price_lists,
/// mark_read)` is `"priceLists.markRead"`.
#[proc_macro]
pub fn wire_name(words: TokenStream) -> TokenStream {
    answer(name::expand(words.into()))
}

fn answer(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| error.into_compile_error()).into()
}

/// The text of the doc comments among attributes.
fn docs_of(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(syn::MetaNameValue { path, value, .. }) = &attribute.meta
            && path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// `created_at` to `createdAt`, `EmailTaken` to `emailTaken`: exactly as serde's `rename_all = "camelCase"`, which
/// differs from other crates' camel case and determines the names on the wire.
fn camel_case(name: &str) -> String {
    let name = name.trim_start_matches("r#");
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => {}
            c if camel.is_empty() => camel.push(c.to_ascii_lowercase()),
            c if upper => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
        upper = c == '_';
    }
    camel
}
