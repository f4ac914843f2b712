//! What a service is made of, and what a function's `main` and the local service get to see of it.

use std::{any::TypeId, future::Future, pin::Pin};

use http::HeaderMap;
use protocol::{
    Fault, Grant, Kind, PasswordSignIn, Principal, Spec, WireType,
    contract::{About, Describe, Domain, Needs, Press, ProcedureContract},
};

use crate::{Call, HttpReply, refusals::RefusalLog, sessions::SessionLookup};

/// A boxed future, so that what is behind it is compiled once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a procedure's run ends.
pub type Outcome = BoxFuture<'static, Result<Output, Fault>>;

/// What a procedure answers.
#[derive(Debug)]
pub enum Output {
    /// A procedure without output has done its work.
    Nothing,
    /// The output as JSON.
    Json(Vec<u8>),
    /// An answer of its own form.
    Http(HttpReply),
}

/// What every procedure of a service shares. Written once, beside the index.
pub struct Definition {
    /// The service's name: the audience of its tokens and part of its table's name.
    pub name: &'static str,
    /// The names of all roles.
    pub roles: &'static [&'static str],
    /// Whether a role has a permission.
    pub permits: fn(role: &str, permission: &str) -> bool,
    /// The permissions that no third party's application has, whatever it was registered for and whoever let it in:
    /// those with which it could give itself others.
    pub withheld: &'static [&'static str],
    /// How a caller is known.
    pub callers: Callers,
    /// Whether queries may come as POST (`methodOverride` of the official client).
    pub method_override: bool,
    /// How a name and a password that come with a call sign somebody in for it; no gateway takes them if left out.
    pub password_sign_in: Option<PasswordSignIn>,
    /// Where it is written down that somebody was refused what they may not do, by mutations; nowhere but in the log of
    /// calls if left out.
    pub refusals: Option<RefusalLog>,
}

/// How a caller is known.
#[derive(Clone, Copy)]
pub enum Callers {
    /// By a signed token in `Authorization: Bearer`, see [`crate::tokens`].
    Tokens,
    /// By a signed token, or by the cookie of a session, see [`crate::sessions`].
    Sessions(SessionLookup),
    /// By a function of the service's own over the request's headers.
    Custom(fn(&HeaderMap) -> Result<Option<Principal>, Fault>),
}

/// A procedure, as its function runs it. `#[procedure]` implements it.
pub trait Procedure {
    /// What `#[procedure(…)]` states.
    const SPEC: Spec;
    /// Decodes the input, calls the function, encodes the output.
    fn run(call: Call) -> Outcome;
}

/// A procedure's place in the service. The index implements it.
pub trait Named {
    /// `users.get`.
    const NAME: &'static str;
    /// The service.
    const SERVICE: &'static Definition;
    /// The REST routes of all procedures of the service.
    const ROUTES: &'static [Option<&'static str>];
}

/// One procedure without its types: all that its function links.
#[derive(Clone, Copy)]
pub struct Entry {
    /// `users.get`.
    pub name: &'static str,
    /// What `#[procedure(…)]` states, among the other procedures of the service.
    pub spec: Spec,
    /// The service.
    pub service: &'static Definition,
    pub(crate) run: fn(Call) -> Outcome,
}

impl Entry {
    /// The entry of a procedure.
    pub const fn of<P: Procedure + Named>() -> Self {
        let mut spec = P::SPEC;
        if let Some(route) = spec.rest {
            spec.rest_answer = spec.rest_answer.among(route, P::ROUTES);
        }
        Self { name: P::NAME, spec, service: P::SERVICE, run: P::run }
    }

    /// Method and path of a procedure with a form of its own.
    pub fn http(&self) -> Option<(&'static str, &'static str)> {
        self.spec.http.and_then(|route| route.split_once(' '))
    }

    /// Method and path of its REST route.
    pub fn rest(&self) -> Option<(&'static str, &'static str)> {
        self.spec.rest.and_then(|route| route.split_once(' '))
    }

    /// The path under which the front has it.
    pub fn path(&self) -> String {
        self.http().map_or_else(|| format!("/trpc/{}", self.name), |(_, path)| path.to_owned())
    }

    /// The method by which it is called, as a rule.
    pub fn method(&self) -> &'static str {
        match (self.http(), self.spec.kind) {
            (Some((method, _)), _) => method,
            (None, Kind::Query) => "GET",
            (None, Kind::Mutation) => "POST",
        }
    }
}

/// One procedure with its contract. Only the local service and the press link this.
#[derive(Clone, Copy)]
pub struct Registered {
    /// What runs.
    pub entry: Entry,
    /// What the procedure needs from outside.
    pub needs: fn() -> Needs,
    /// What the press asks.
    pub describe: fn(&mut Press) -> ProcedureContract,
}

impl Registered {
    /// For the index.
    pub const fn of<P: Procedure + Named + Describe>() -> Self {
        Self {
            entry: Entry::of::<P>(),
            needs: needs::<P>,
            describe: |press| P::describe(press, P::NAME, Entry::of::<P>().spec, needs::<P>()),
        }
    }
}

/// What counts a caller's reads.
struct Meter;

/// To count what a caller reads. A query has this right as well, which changes nothing but that count.
const METER: Grant = Grant {
    entity: "Meter",
    prefix: store::quota::PREFIX,
    kept: TypeId::of::<Meter>(),
    access: protocol::Access::Count,
    loader: None,
    indexes: &[],
};

/// What a procedure's capabilities need, what it takes to know the caller, and to charge for what is read.
fn needs<P: Procedure + Named + Describe>() -> Needs {
    let mut needs = P::needs();
    if let (Callers::Sessions(lookup), true) = (P::SERVICE.callers, P::SPEC.looks_at_caller()) {
        let applications = lookup.applications.filter(|_| P::SPEC.looks_at_application());
        for look in [Some(lookup.grant), applications.map(|applications| applications.grant)].into_iter().flatten() {
            let covers = |grant: &Grant| grant.prefix == look.prefix && grant.access != protocol::Access::Append;
            if !needs.grants.iter().any(covers) {
                needs.grants.push(look);
            }
        }
    }
    if let (Some(log), true) = (P::SERVICE.refusals, RefusalLog::is_written_by(&P::SPEC))
        && !needs.grants.iter().any(|grant| grant.prefix == log.grant.prefix && grant.access == log.grant.access)
    {
        needs.grants.push(log.grant);
    }
    if P::SPEC.is_charged() {
        needs.grants.push(METER);
    }
    needs
}

/// A whole service, as the index lists it.
pub struct Service {
    /// What all procedures share.
    pub definition: &'static Definition,
    /// What its package says of it.
    pub about: About,
    /// What the domains are about.
    pub domains: Vec<Domain>,
    /// All procedures.
    pub procedures: Vec<Registered>,
}

/// Encodes an output.
///
/// # Errors
/// A fault of ours, if the output's own `Serialize` refuses.
pub fn encode<T: WireType>(output: &T) -> Result<Output, Fault> {
    serde_json::to_vec(output).map(Output::Json).map_err(Fault::internal)
}

/// The index: `procedures! { SERVICE; users { get, list } posts { get } }` declares one module for
/// each word and makes `service()` from them. This is the only list of procedures that people write. A doc comment
/// over a domain says in the documents what it is about.
///
/// `procedures! { inline SERVICE; … }` takes modules that are written in the same file.
#[macro_export]
macro_rules! procedures {
    (
        inline $definition:path;
        $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })+
    ) => {
        const _: () = {
            const ROUTES: &[Option<&str>] =
                &[$($( <$domain::$procedure::Procedure as $crate::Procedure>::SPEC.rest, )+)+];
            $($(
                impl $crate::Named for $domain::$procedure::Procedure {
                    const NAME: &'static str = concat!(stringify!($domain), ".", stringify!($procedure));
                    const SERVICE: &'static $crate::Definition = &$definition;
                    const ROUTES: &'static [Option<&'static str>] = ROUTES;
                }
            )+)+
        };

        /// Every procedure of the service, with its contract.
        pub fn service() -> $crate::Service {
            $crate::Service {
                definition: &$definition,
                about: $crate::About {
                    description: env!("CARGO_PKG_DESCRIPTION"),
                    license: env!("CARGO_PKG_LICENSE"),
                    contact: env!("CARGO_PKG_AUTHORS"),
                    homepage: env!("CARGO_PKG_HOMEPAGE"),
                },
                domains: vec![$($crate::Domain {
                    name: stringify!($domain),
                    docs: concat!($($docs, "\n"),*).trim_ascii(),
                }),+],
                procedures: vec![$($( $crate::Registered::of::<$domain::$procedure::Procedure>(), )+)+],
            }
        }
    };
    ($definition:path; $($(#[doc = $docs:literal])* $domain:ident { $($procedure:ident),+ $(,)? })+) => {
        $(
            $(#[doc = $docs])*
            #[allow(missing_docs)]
            pub mod $domain { $( pub mod $procedure; )+ }
        )+
        $crate::procedures! { inline $definition; $($(#[doc = $docs])* $domain { $($procedure),+ })+ }
    };
}
