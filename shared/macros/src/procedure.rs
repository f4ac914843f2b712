//! Implements `#[procedure]`: the contract and the entry point of a function.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Expr, ExprPath, FnArg, GenericArgument, Ident, ItemFn, LitBool, LitInt, LitStr, Meta, PathArguments, ReturnType,
    Token, Type,
    parse::{Parse, ParseStream},
    parse_quote,
    spanned::Spanned,
    visit_mut::VisitMut,
};

use crate::docs_of;

/// The arguments of `#[procedure(…)]`.
struct Arguments {
    kind: Ident,
    auth: Auth,
    rest: Option<LitStr>,
    /// The parts of the route's responses that its author declines: fields of `protocol::RestAnswer`.
    declined: Vec<Ident>,
    timeout_ms: Option<LitInt>,
    memory_mb: Option<LitInt>,
    concurrency: Option<LitInt>,
    cache_s: Option<LitInt>,
    http: Option<LitStr>,
    errors: Option<Ident>,
    sensitive: bool,
    session: Option<LitStr>,
    fresh: Option<LitInt>,
    fresh_if: Option<ExprPath>,
}

/// Who may call the procedure.
enum Auth {
    Public,
    SignedIn,
    Permission { name: LitStr, own: bool },
}

impl ToTokens for Auth {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Public => quote!(::onefold::protocol::Auth::Public),
            Self::SignedIn => quote!(::onefold::protocol::Auth::SignedIn),
            Self::Permission { name, own } => quote!(::onefold::protocol::Auth::Permission { name: #name, own: #own }),
        });
    }
}

/// The longest time after a sign-in that counts as fresh, in seconds: a day, since an unused session ends then.
const MAX_FRESH_S: u32 = 86_400;
/// The longest lifetime of a response in shared caches, in seconds: a day.
const MAX_CACHE_S: u32 = 86_400;

/// The longest timeout of a call, in milliseconds: the HTTP API in front gives up after 30 s, and Lambda's own
/// timeout is a second longer.
const MAX_TIMEOUT_MS: u32 = 29_000;
/// The smallest memory of a Lambda function, in MiB.
const MIN_MEMORY_MB: u32 = 128;
/// The largest memory of a Lambda function, in MiB.
const MAX_MEMORY_MB: u32 = 10_240;

const DOCS_HINT: &str = "say what this procedure does: a doc comment. Callers read it in the documents, and people where \
                         they let an application in";

const AUTH_HINT: &str =
    "say who may call this procedure: `auth = public`, `auth = signed_in` or `auth = permission(\"orders:read\")`";

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let kind_hint = "a procedure is a `query` (reads only) or a `mutation`";
        let kind: Ident = input.parse().map_err(|_| syn::Error::new(Span::call_site(), kind_hint))?;
        let kind = match kind.to_string().as_str() {
            "query" => Ident::new("Query", kind.span()),
            "mutation" => Ident::new("Mutation", kind.span()),
            _ => return Err(syn::Error::new(kind.span(), kind_hint)),
        };
        let (mut auth, mut rest, mut timeout_ms, mut memory_mb) = (None, None, None, None);
        let (mut concurrency, mut cache_s, mut http, mut sensitive, mut session) = (None, None, None, false, None);
        let (mut fresh, mut fresh_if, mut errors) = (None, None, None);
        let mut declined: Vec<Ident> = Vec::new();
        let mut stated: Vec<Ident> = Vec::new();
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            if stated.contains(&key) {
                return Err(syn::Error::new(key.span(), format!("`{key}` is stated twice")));
            }
            stated.push(key.clone());
            if key == "sensitive" {
                sensitive = true;
                continue;
            }
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "auth" => auth = Some(parse_auth(input)?),
                "rest" => rest = Some(parse_rest(input)?),
                "created" | "location" | "etag" | "link" => {
                    expect_false(input, &key)?;
                    declined.push(key);
                }
                "http" => http = Some(parse_rest(input)?),
                "errors" => errors = Some(parse_errors(input)?),
                "timeout_ms" => timeout_ms = Some(parse_timeout(input)?),
                "memory_mb" => memory_mb = Some(parse_memory(input)?),
                "concurrency" => concurrency = Some(parse_concurrency(input)?),
                "cache_s" => cache_s = Some(input.parse()?),
                "session" => session = Some(input.parse()?),
                "fresh" => fresh = Some(input.parse()?),
                "fresh_if" => fresh_if = Some(input.parse::<ExprPath>()?),
                _ => {
                    let known = "one of auth, rest, created, location, etag, link, http, errors, sensitive, session, fresh, fresh_if, timeout_ms, \
                                 memory_mb, concurrency, cache_s";
                    return Err(syn::Error::new(key.span(), known));
                }
            }
        }
        let auth = auth.ok_or_else(|| syn::Error::new(Span::call_site(), AUTH_HINT))?;
        if let Some(rest) = &rest {
            expect_honest(rest, &kind)?;
        }
        if let Some(cache_s) = &cache_s {
            expect_cacheable(cache_s, &kind, &auth)?;
        }
        if let Some(session) = &session {
            expect_exception(session, &kind, &auth, sensitive || fresh.is_some())?;
        }
        if let Some(fresh) = &fresh {
            expect_person(fresh, &auth, http.is_some())?;
        }
        if let (Some(declined), None) = (declined.first(), &rest) {
            let hint = format!("`{declined} = false` is about the answers of a REST route: state `rest` as well");
            return Err(syn::Error::new(declined.span(), hint));
        }
        if let (Some(errors), None) = (&errors, &http) {
            let hint =
                "`errors` says how a procedure with `http` answers when a call does not succeed: state `http` as well";
            return Err(syn::Error::new(errors.span(), hint));
        }
        if let (Some(fresh_if), None) = (&fresh_if, &fresh) {
            let hint = "`fresh_if` says for which inputs `fresh` asks: state `fresh = 300` as well";
            return Err(syn::Error::new(fresh_if.span(), hint));
        }
        Ok(Self {
            kind,
            auth,
            rest,
            declined,
            timeout_ms,
            memory_mb,
            concurrency,
            cache_s,
            http,
            errors,
            sensitive,
            session,
            fresh,
            fresh_if,
        })
    }
}

/// Accepts only `false`, which declines what the declaration implies; `true` is never stated.
fn expect_false(input: ParseStream<'_>, key: &Ident) -> syn::Result<()> {
    let hint = format!(
        "`{key} = false` says no to what the declaration implies, and there is nothing else to say: leave it out"
    );
    let value: LitBool = input.parse().map_err(|error| syn::Error::new(error.span(), &hint))?;
    if value.value { Err(syn::Error::new(value.span(), hint)) } else { Ok(()) }
}

/// The variant of `protocol::ErrorFormat`.
fn parse_errors(input: ParseStream<'_>) -> syn::Result<Ident> {
    let hint = "`errors` is `problem` (RFC 9457; if left out) or `oauth` (RFC 6749)";
    let format: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), hint))?;
    match format.to_string().as_str() {
        "problem" => Ok(Ident::new("Problem", format.span())),
        "oauth" => Ok(Ident::new("OAuth", format.span())),
        _ => Err(syn::Error::new(format.span(), hint)),
    }
}

fn parse_concurrency(input: ParseStream<'_>) -> syn::Result<LitInt> {
    within(input.parse()?, 1..=u32::MAX, "`concurrency` is how many calls may run at once: at least 1")
}

fn parse_timeout(input: ParseStream<'_>) -> syn::Result<LitInt> {
    let timeout_ms: LitInt = input.parse()?;
    let hint = "`timeout_ms` is how many milliseconds a call may take: from 1 to 29000, since the HTTP API in front gives \
                up after 30 s";
    within(timeout_ms, 1..=MAX_TIMEOUT_MS, hint)
}

fn parse_memory(input: ParseStream<'_>) -> syn::Result<LitInt> {
    let hint = "`memory_mb` is how much memory the function has, in MiB: from 128 to 10240, the limits of Lambda";
    within(input.parse()?, MIN_MEMORY_MB..=MAX_MEMORY_MB, hint)
}

fn within(number: LitInt, bounds: std::ops::RangeInclusive<u32>, hint: &str) -> syn::Result<LitInt> {
    match number.base10_parse().is_ok_and(|value| bounds.contains(&value)) {
        true => Ok(number),
        false => Err(syn::Error::new(number.span(), hint)),
    }
}

/// Refuses `cache_s` where a shared cache may not keep the responses. The compiler checks that no capability reveals
/// the caller, since it knows the types.
fn expect_cacheable(cache_s: &LitInt, kind: &Ident, auth: &Auth) -> syn::Result<()> {
    let refuse = |message: &str| Err(syn::Error::new(cache_s.span(), message));
    if kind != "Query" {
        return refuse("a mutation runs at every call: only the answers of a query may be kept for `cache_s`");
    }
    if !matches!(auth, Auth::Public) {
        return refuse("a shared cache asks nobody who they are: only a query with `auth = public` may have `cache_s`");
    }
    if !cache_s.base10_parse().is_ok_and(|seconds| (1..=MAX_CACHE_S).contains(&seconds)) {
        return refuse("`cache_s` is how many seconds a shared cache may keep an answer: from 1 to 86400");
    }
    Ok(())
}

/// Refuses `fresh` where no person signs in who could do it again.
fn expect_person(fresh: &LitInt, auth: &Auth, is_http: bool) -> syn::Result<()> {
    let refuse = |message: &str| Err(syn::Error::new(fresh.span(), message));
    if matches!(auth, Auth::Public) {
        return refuse(
            "nobody signs in for `auth = public`: only what knows its caller can want a sign-in to be `fresh`",
        );
    }
    if is_http {
        return refuse(
            "what has `http` is called by applications and browsers in a form of its own: they do not know the failure \
             that `fresh` asks with",
        );
    }
    if !fresh.base10_parse().is_ok_and(|seconds| (1..=MAX_FRESH_S).contains(&seconds)) {
        return refuse(
            "`fresh` is for how many seconds after a sign-in it may be called: from 1 to 86400, such as 300",
        );
    }
    Ok(())
}

/// Refuses `session` where a call would not look the session up anyway, or where the lookup is needed.
fn expect_exception(session: &LitStr, kind: &Ident, auth: &Auth, is_needed: bool) -> syn::Result<()> {
    let refuse = |message: &str| Err(syn::Error::new(session.span(), message));
    if kind != "Mutation" || matches!(auth, Auth::Public) {
        return refuse(
            "only a mutation that is not `public` looks at the session by itself: there is nothing to leave out",
        );
    }
    if is_needed {
        return refuse(
            "`sensitive` and `fresh` ask for the look at the session that `session` leaves out: say one of them",
        );
    }
    if session.value().trim().is_empty() {
        return refuse("say why the session of a token need not be looked at: `session = \"it only counts visits\"`");
    }
    Ok(())
}

/// Refuses GET for mutations: GET must not change anything (RFC 9110 section 9.2.1), since browsers repeat it, and
/// other pages can make them send it.
fn expect_honest(rest: &LitStr, kind: &Ident) -> syn::Result<()> {
    let route = rest.value();
    let method = route.split(' ').next().unwrap_or_default();
    match (kind == "Query", method) {
        (true, "GET" | "POST") | (false, "POST" | "PUT" | "PATCH" | "DELETE") => Ok(()),
        (true, _) => Err(syn::Error::new(rest.span(), "a query changes nothing: its route is for GET, or for POST")),
        (false, _) => Err(syn::Error::new(
            rest.span(),
            "a mutation changes something, and GET must not: its route is for POST, PUT, PATCH or DELETE",
        )),
    }
}

fn parse_auth(input: ParseStream<'_>) -> syn::Result<Auth> {
    let who: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), AUTH_HINT))?;
    match who.to_string().as_str() {
        "public" => Ok(Auth::Public),
        "signed_in" => Ok(Auth::SignedIn),
        "permission" => {
            let content;
            syn::parenthesized!(content in input);
            let name: LitStr = content.parse()?;
            if !content.peek(Token![,]) {
                return Ok(Auth::Permission { name, own: false });
            }
            content.parse::<Token![,]>()?;
            let own: Ident = content.parse()?;
            match own == "own" {
                true => Ok(Auth::Permission { name, own: true }),
                false => Err(syn::Error::new(own.span(), "`own`, or nothing: `permission(\"notes:write\", own)`")),
            }
        }
        _ => Err(syn::Error::new(who.span(), AUTH_HINT)),
    }
}

fn parse_rest(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let route: LitStr = input.parse()?;
    let text = route.value();
    match text.split_once(' ') {
        Some(("GET" | "POST" | "PUT" | "PATCH" | "DELETE", path)) if path.starts_with('/') => Ok(route),
        _ => Err(syn::Error::new(route.span(), "a route is a method and a path, such as \"GET /v1/orders/{id}\"")),
    }
}

/// The return type of the function.
struct Answer {
    output: Type,
    /// The error type, if the function returns a `Result`.
    failure: Option<Type>,
}

impl Answer {
    fn of(signature: &syn::Signature) -> Self {
        let ReturnType::Type(_, output) = &signature.output else {
            return Self { output: parse_quote!(()), failure: None };
        };
        if let Type::Path(path) = &**output
            && let Some(segment) = path.path.segments.last()
            && segment.ident == "Result"
            && let PathArguments::AngleBracketed(arguments) = &segment.arguments
        {
            let types: Vec<_> = arguments
                .args
                .iter()
                .filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty.clone()),
                    _ => None,
                })
                .collect();
            if let [output, failure] = &types[..] {
                return Self { output: output.clone(), failure: Some(failure.clone()) };
            }
        }
        Self { output: (**output).clone(), failure: None }
    }

    /// Whether there is no output: the envelope is empty then.
    fn is_void(&self) -> bool {
        matches!(&self.output, Type::Tuple(tuple) if tuple.elems.is_empty())
    }
}

/// A parameter of the function, in order.
enum Parameter {
    Input(Type),
    Capability(Type),
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let mut function: ItemFn = syn::parse2(item)?;
    if function.sig.asyncness.is_none() {
        return Err(syn::Error::new(function.sig.fn_token.span, "a procedure is an `async fn`"));
    }
    if let Some(lifetime) = function.sig.generics.lifetimes().next() {
        return Err(syn::Error::new(lifetime.span(), "a procedure borrows nothing: it has no parameters of lifetimes"));
    }
    let docs = docs_of(&function.attrs);
    if docs.is_empty() {
        return Err(syn::Error::new(function.sig.ident.span(), DOCS_HINT));
    }
    let parameters = read_parameters(&mut function)?;
    let answer = Answer::of(&function.sig);
    if let Some(failure) = &answer.failure {
        raise(&mut function, &answer.output, failure);
    }
    let generics = &function.sig.generics;
    let is_generic = generics.type_params().next().is_some();
    let is_http = arguments.http.is_some();
    let run = run(&function.sig, &arguments, &parameters, &answer)?;
    let describe = describe(&docs, &parameters, &answer, is_http);
    let capabilities = || {
        parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Capability(ty) => Some(ty),
            Parameter::Input(_) => None,
        })
    };
    let reads_only = capabilities()
        .filter(|_| arguments.kind == "Query")
        .map(|ty| quote_spanned!(ty.span()=> ::onefold::runtime::reads_only(<#ty as ::onefold::runtime::Capability>::RIGHTS)));
    let same_for_all = capabilities()
        .filter(|_| arguments.cache_s.is_some())
        .map(|ty| quote_spanned!(ty.span()=> ::onefold::runtime::same_for_all(<#ty as ::onefold::runtime::Capability>::RIGHTS)));
    let owned = matches!(arguments.auth, Auth::Permission { own: true, .. });
    let of_this = if is_generic { quote!(Self) } else { quote!(Procedure) };
    let knows_own = owned.then(|| quote!(::onefold::runtime::knows_own(#of_this::SUM)));
    let checks: Vec<_> = reads_only.chain(same_for_all).chain(knows_own).collect();
    // Generic code is checked where it is used, since its types are known there.
    let (checks, generic_checks) = if is_generic { (Vec::new(), checks) } else { (checks, Vec::new()) };
    let rights = capabilities().map(|ty| quote_spanned!(ty.span()=> <#ty as ::onefold::runtime::Capability>::RIGHTS));
    if arguments.http.is_some() && parameters.iter().any(|parameter| matches!(parameter, Parameter::Input(_))) {
        let hint = "a procedure with `http` has no `#[input]`: take the `HttpRequest` and read it";
        return Err(syn::Error::new(function.sig.inputs.span(), hint));
    }
    let has_output = !answer.is_void();
    let (of, of_arguments, bounds) = generics.split_for_impl();
    let subjects = generics.type_params().map(|subject| &subject.ident);
    let form = if is_generic {
        quote!(#of (::core::marker::PhantomData<fn() -> (#(#subjects,)*)>) #bounds;)
    } else {
        quote!(;)
    };
    let Arguments { kind, auth, sensitive, .. } = &arguments;
    let fresh = option(arguments.fresh.as_ref());
    let fresh_if = arguments.fresh_if.is_some();
    let fields = parameters.iter().find_map(|parameter| match parameter {
        Parameter::Input(ty) => Some(quote_spanned!(ty.span()=> <#ty as ::onefold::protocol::WireType>::FIELDS)),
        Parameter::Capability(_) => None,
    });
    let fields = fields.unwrap_or_else(|| quote!(&[]));
    let http = option(arguments.http.as_ref());
    let errors = arguments.errors.as_ref().map_or(quote!(Problem), |errors| quote!(#errors));
    let session = option(arguments.session.as_ref());
    let rest_answer = rest_answer(&arguments, &answer, &fields);
    // An invalid `false` fails to compile at once.
    let declines = (!is_generic && !arguments.declined.is_empty())
        .then(|| quote!(const _: ::onefold::protocol::RestAnswer = #rest_answer;));
    let rest = option(arguments.rest.as_ref());
    let concurrency = option(arguments.concurrency.as_ref());
    let cache_s = option(arguments.cache_s.as_ref());
    let or_default =
        |given: &Option<LitInt>, default: TokenStream| given.as_ref().map_or(default, |given| quote!(#given));
    let timeout_ms = or_default(&arguments.timeout_ms, quote!(::onefold::protocol::Spec::DEFAULT_TIMEOUT_MS));
    let memory_mb = or_default(&arguments.memory_mb, quote!(::onefold::protocol::Spec::DEFAULT_MEMORY_MB));
    Ok(quote! {
        #function

        /// The procedure of this file, for the index.
        #[derive(Clone, Copy, Debug)]
        pub struct Procedure #form

        #(const _: () = #checks;)*
        #declines

        impl #of Procedure #of_arguments #bounds {
            /// The capabilities' rights together.
            const SUM: ::onefold::runtime::Rights = ::onefold::runtime::Rights::of(&[#(#rights),*]);
            /// The same, checked against the kind of procedure.
            const RIGHTS: ::onefold::runtime::Rights = {
                #(#generic_checks;)*
                Self::SUM
            };
        }

        impl #of ::onefold::runtime::Procedure for Procedure #of_arguments #bounds {
            const SPEC: ::onefold::protocol::Spec = ::onefold::protocol::Spec {
                kind: ::onefold::protocol::Kind::#kind,
                auth: #auth,
                rest: #rest,
                rest_answer: #rest_answer,
                timeout_ms: #timeout_ms,
                memory_mb: #memory_mb,
                concurrency: #concurrency,
                cache_s: #cache_s,
                http: #http,
                errors: ::onefold::protocol::ErrorFormat::#errors,
                sensitive: #sensitive,
                session: #session,
                fresh_s: #fresh,
                fresh_if: #fresh_if,
                has_output: #has_output,
                asks_caller: Self::RIGHTS.tells_caller,
                metered: Self::RIGHTS.is_metered,
                fields: #fields,
            };
            const CONFIGS: ::onefold::runtime::ConfigReaders = ::onefold::runtime::ConfigReaders::of(&Self::SUM);
            #run
        }

        impl #of ::onefold::protocol::contract::Describe for Procedure #of_arguments #bounds {
            #describe
        }
    })
}

/// The expression for the route's responses.
fn rest_answer(arguments: &Arguments, answer: &Answer, fields: &TokenStream) -> TokenStream {
    let Some(route) = &arguments.rest else { return quote!(::onefold::protocol::RestAnswer::NONE) };
    let Arguments { kind, declined, .. } = arguments;
    let output = match (&answer.output, arguments.http.is_some() || answer.is_void()) {
        (_, true) => quote!(&[]),
        (output, false) => quote_spanned!(output.span()=> <#output as ::onefold::protocol::WireType>::FIELDS),
    };
    // The compiler reports an invalid `false` at its position.
    let span = declined.first().map_or_else(Span::call_site, Ident::span);
    quote_spanned! {span=>
        ::onefold::protocol::RestAnswer::of(
            ::onefold::protocol::RestDeclaration { kind: ::onefold::protocol::Kind::#kind, route: #route, input: #fields, output: #output },
            ::onefold::protocol::RestAnswer { #(#declined: true,)* ..::onefold::protocol::RestAnswer::NONE },
        )
    }
}

fn option<T: ToTokens>(value: Option<&T>) -> TokenStream {
    value.map_or(quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
}

/// The function's parameters. The attributes are removed, and the function stays the author's otherwise.
fn read_parameters(function: &mut ItemFn) -> syn::Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let mut has_input = false;
    for argument in &mut function.sig.inputs {
        let FnArg::Typed(argument) = argument else {
            return Err(syn::Error::new(argument.span(), "a procedure is a free function"));
        };
        let ty = (*argument.ty).clone();
        let Some(place) = argument.attrs.iter().position(|attribute| attribute.path().is_ident("input")) else {
            parameters.push(Parameter::Capability(ty));
            continue;
        };
        let mark = argument.attrs.remove(place);
        if !matches!(mark.meta, Meta::Path(_)) {
            return Err(syn::Error::new(mark.span(), "`#[input]` says no more"));
        }
        if has_input {
            return Err(syn::Error::new(mark.span(), "a procedure has at most one parameter with `#[input]`"));
        }
        has_input = true;
        parameters.push(Parameter::Input(ty));
    }
    Ok(parameters)
}

/// Changes the error type to `Raised`, so that `?` on a capability's result becomes possible; results that the author
/// built as `Result<Output, Error>` keep that type.
fn raise(function: &mut ItemFn, output: &Type, failure: &Type) {
    let result: Type = parse_quote!(::core::result::Result<#output, #failure>);
    Returns { result: &result }.visit_block_mut(&mut function.block);
    let body = &function.block;
    function.block = parse_quote!({
        let result: #result = #body;
        result.map_err(::onefold::protocol::Raised::Failure)
    });
    function.attrs.push(parse_quote!(#[allow(clippy::let_and_return, clippy::needless_return)]));
    function.sig.output = parse_quote!(-> ::core::result::Result<#output, ::onefold::protocol::Raised<#failure>>);
}

/// Rewrites each `return x` of the procedure's own body; not those in closures, async blocks or items inside it.
struct Returns<'a> {
    result: &'a Type,
}

impl VisitMut for Returns<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Closure(_) | Expr::Async(_) => {}
            Expr::Return(returned) => {
                syn::visit_mut::visit_expr_return_mut(self, returned);
                if let Some(value) = &returned.expr {
                    let result = self.result;
                    returned.expr = Some(parse_quote!({
                        let result: #result = #value;
                        result.map_err(::onefold::protocol::Raised::Failure)
                    }));
                }
            }
            other => syn::visit_mut::visit_expr_mut(self, other),
        }
    }
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}

/// The `run` function: decode, call, encode. It is the only generic code that a procedure adds.
fn run(
    signature: &syn::Signature,
    arguments: &Arguments,
    parameters: &[Parameter],
    answer: &Answer,
) -> syn::Result<TokenStream> {
    let name = &signature.ident;
    let (_, of_arguments, _) = signature.generics.split_for_impl();
    let turbofish = of_arguments.as_turbofish();
    let is_http = arguments.http.is_some();
    let takes_input = parameters.iter().any(|parameter| matches!(parameter, Parameter::Input(_)));
    let refuse_input = (!takes_input && !is_http).then(|| quote!(call.no_input()?;));
    let read_input = parameters.iter().find_map(|parameter| match parameter {
        Parameter::Input(ty) => Some(quote_spanned!(ty.span()=> let input = call.input::<#ty>()?;)),
        Parameter::Capability(_) => None,
    });
    let expect_fresh = match (&arguments.fresh_if, &arguments.fresh) {
        (Some(fresh_if), _) if !takes_input => {
            return Err(syn::Error::new(fresh_if.span(), "`fresh_if` looks at the input, and there is none"));
        }
        (Some(fresh_if), fresh) => quote_spanned! {fresh_if.span()=>
            if #fresh_if(&input) {
                call.expect_fresh(#fresh)?;
            }
        },
        (None, _) => TokenStream::new(),
    };
    let values = parameters.iter().map(|parameter| match parameter {
        Parameter::Input(_) => quote!(input),
        Parameter::Capability(ty) => {
            quote_spanned!(ty.span()=> <#ty as ::onefold::runtime::Capability>::obtain(&call)?)
        }
    });
    let outcome = match &answer.failure {
        Some(_) => quote!(#name #turbofish(#(#values),*).await.map_err(::onefold::protocol::Raised::into_fault)?),
        None => quote!(#name #turbofish(#(#values),*).await),
    };
    let output = &answer.output;
    let encode = if is_http {
        quote_spanned!(output.span()=> ::core::result::Result::Ok(::onefold::runtime::Output::Http(output)))
    } else if answer.is_void() {
        quote!({
            let () = output;
            ::core::result::Result::Ok(::onefold::runtime::Output::Nothing)
        })
    } else {
        quote_spanned!(output.span()=> ::onefold::runtime::encode::<#output>(&output))
    };
    Ok(quote! {
        fn run(call: ::onefold::runtime::Call) -> ::onefold::runtime::Outcome {
            ::std::boxed::Box::pin(async move {
                #refuse_input
                #read_input
                #expect_fresh
                let output = #outcome;
                #encode
            })
        }
    })
}

fn describe(docs: &str, parameters: &[Parameter], answer: &Answer, is_http: bool) -> TokenStream {
    let input = parameters.iter().find_map(|parameter| match parameter {
        Parameter::Input(ty) => Some(ty),
        Parameter::Capability(_) => None,
    });
    let (input_schema, input_type, rewrite_input) = match input {
        Some(ty) => (
            quote!(Some(builder.input::<#ty>())),
            quote!(builder.typescript_inline::<#ty>()),
            quote!(Some(::onefold::protocol::contract::rewrite_input::<#ty>)),
        ),
        None => (quote!(None), quote!("undefined".into()), quote!(None)),
    };
    let output = &answer.output;
    let (output_schema, output_type, rewrite_output) = if answer.is_void() || is_http {
        // `undefined`, not `void`: the official client turns `void` into `never`.
        (quote!(None), quote!("undefined".into()), quote!(None))
    } else {
        (
            quote!(Some(builder.output::<#output>())),
            quote!(builder.typescript::<#output>()),
            quote!(Some(::onefold::protocol::contract::rewrite::<#output>)),
        )
    };
    let failure = answer.failure.clone().unwrap_or_else(|| parse_quote!(::onefold::protocol::NoFailure));
    quote! {
        fn needs() -> ::onefold::protocol::Needs {
            Self::RIGHTS.needs()
        }

        fn describe(
            builder: &mut ::onefold::protocol::contract::ContractBuilder,
            name: &str,
            spec: ::onefold::protocol::Spec,
            needs: ::onefold::protocol::Needs,
        ) -> ::onefold::protocol::contract::Described {
            let input = #input_schema;
            let output = #output_schema;
            let failures = <#failure as ::onefold::protocol::contract::DescribeFailures>::failures(builder);
            let typescript = ::onefold::protocol::contract::ProcedureTypes {
                input: #input_type,
                output: #output_type,
                failure: <#failure as ::onefold::protocol::contract::DescribeFailures>::typescript(builder),
                rewrite_input: #rewrite_input,
                rewrite_output: #rewrite_output,
            };
            ::onefold::protocol::contract::procedure(
                name,
                spec,
                #docs,
                needs,
                ::onefold::protocol::contract::ProcedureSchemas { input, output, failures, typescript },
            )
        }
    }
}
