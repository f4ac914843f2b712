//! Capabilities: the parameters that give a procedure access to the outside, and the rights that each one needs.
//!
//! A capability is a type with a [`Rights`] constant and a way to be made for one call. Nothing else reaches the
//! outside, so the rights of a signature's capabilities together are the rights of the procedure's role: in the
//! contract, in the templates, and at the database of the local service.
//!
//! A structure bundles several capabilities; its rights are those of its fields:
//!
//! ```
//! # extern crate onefold_runtime as onefold;
//! use onefold::{Capability, RateLimits, Mail, prelude::*};
//!
//! /// What an invitation needs.
//! #[derive(Capability)]
//! pub struct Invitations {
//!     mail: Mail,
//!     limits: RateLimits,
//!     clock: Clock,
//! }
//!
//! assert!(Invitations::RIGHTS.mail);
//! assert_eq!(Invitations::RIGHTS.needs().grants.len(), 1);
//! ```
//!
//! A capability with behaviour of its own is written by hand: it obtains its parts from the same call, and its rights
//! include theirs.
//!
//! ```
//! use protocol::Fault;
//! # extern crate onefold_runtime as onefold;
//! use onefold::{Call, Capability, Rights, Secret, SecretKind};
//!
//! /// The key of the weather service.
//! #[derive(serde::Deserialize)]
//! pub struct WeatherKey(String);
//!
//! impl SecretKind for WeatherKey {
//!     const NAME: &'static str = "weather";
//! }
//!
//! /// The capability to ask for the weather.
//! pub struct Weather(Secret<WeatherKey>);
//!
//! impl Capability for Weather {
//!     const RIGHTS: Rights =
//!         Rights { outbound: &["the weather service"], ..Rights::of(&[Secret::<WeatherKey>::RIGHTS]) };
//!
//!     fn obtain(call: &Call) -> Result<Self, Fault> {
//!         Secret::obtain(call).map(Self)
//!     }
//! }
//!
//! assert_eq!(Weather::RIGHTS.needs().secrets, ["weather"]);
//! ```

use protocol::{Access, Clock, Code, ConfigNeed, Entity, Fault, Grant, Needs};
use store::{Create, Delete, Read, Update, Write};

use crate::{Call, Caller, Definition, Ids, Ownership, limits::RateLimits};

/// A parameter type of procedures, see [the module](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no capability",
    label = "a procedure cannot ask for this",
    note = "a procedure's parameters are capabilities (`Read<Entity>`, `Write<Entity>`, `Create<Entity>`, `Update<Entity>`, `Delete<Entity>`, `Caller`, `Option<Caller>`, `Ownership`, `Clock`, `Ids`, `RateLimits`, `Mail`, `Secret<…>`, `Config<…>`, …) and at most one `#[input] input: Input`",
    note = "there is no other way to reach the outside: that is how a function's rights are known from its signature"
)]
pub trait Capability: Sized {
    /// The rights that the capability needs.
    const RIGHTS: Rights = Rights::NONE;

    /// Creates the capability for one call.
    ///
    /// # Errors
    /// When the call lacks what the capability needs.
    fn obtain(call: &Call) -> Result<Self, Fault>;
}

/// The rights that a capability needs.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// Rights to stored entities.
    pub grants: &'static [Grant],
    /// The names of the secrets that it reads.
    pub secrets: &'static [&'static str],
    /// The configurations that it takes.
    pub configs: &'static [ConfigNeed],
    /// A description of each system outside of the service that it calls.
    pub outbound: &'static [&'static str],
    /// Whether it sends mail.
    pub mail: bool,
    /// Whether it reveals the caller: responses may then differ from caller to caller.
    pub tells_caller: bool,
    /// Whether it tells the caller's own items from those of others.
    pub knows_own: bool,
    /// Whether its reads are charged to the caller, see [`store::quota`].
    pub is_metered: bool,
    /// The rights of the capabilities that it consists of.
    pub parts: &'static [Self],
}

impl Rights {
    /// No rights.
    pub const NONE: Self = Self {
        grants: &[],
        secrets: &[],
        configs: &[],
        outbound: &[],
        mail: false,
        tells_caller: false,
        knows_own: false,
        is_metered: false,
        parts: &[],
    };

    /// The union of the rights of several capabilities.
    #[must_use]
    pub const fn of(parts: &'static [Self]) -> Self {
        let mut all = Self { parts, ..Self::NONE };
        let mut rest = parts;
        while let [part, others @ ..] = rest {
            all.mail |= part.mail;
            all.tells_caller |= part.tells_caller;
            all.knows_own |= part.knows_own;
            all.is_metered |= part.is_metered;
            rest = others;
        }
        all
    }

    /// Whether the rights change nothing that is stored.
    #[must_use]
    pub const fn reads_only(&self) -> bool {
        let mut grants = self.grants;
        while let [grant, others @ ..] = grants {
            if !grant.access.reads_only() {
                return false;
            }
            grants = others;
        }
        let mut parts = self.parts;
        while let [part, others @ ..] = parts {
            if !part.reads_only() {
                return false;
            }
            parts = others;
        }
        true
    }

    /// All rights, including those of parts, for the contract.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs { mail: self.mail, ..Needs::default() };
        self.add_to(&mut needs);
        needs
    }

    fn add_to(&self, needs: &mut Needs) {
        needs.grants.extend(self.grants);
        needs.secrets.extend(self.secrets);
        needs.configs.extend(self.configs);
        needs.outbound.extend(self.outbound);
        for part in self.parts {
            part.add_to(needs);
        }
    }
}

/// Fails to compile for a query with rights to write.
#[doc(hidden)]
pub const fn reads_only(rights: Rights) {
    assert!(
        rights.reads_only(),
        "a query asks to write: make it `#[procedure(mutation, …)]`, or take `Read<Entity>` instead of `Write<Entity>`"
    );
}

/// Fails to compile for a procedure whose responses are cached for all callers and that knows its caller.
#[doc(hidden)]
pub const fn same_for_all(rights: Rights) {
    assert!(
        !rights.tells_caller,
        "what a shared cache keeps is given to everybody: leave `cache_s` out, or do not ask for the `Caller`"
    );
}

/// Fails to compile for a procedure that admits callers for their own items and cannot tell which items these are.
#[doc(hidden)]
pub const fn knows_own(rights: Rights) {
    assert!(
        rights.knows_own,
        "`own` lets callers through for their own items: take an `Ownership`, and ask it about each item"
    );
}

impl<T: Entity> Capability for Read<T> {
    const RIGHTS: Rights = Rights { grants: &[Grant::of::<T>(Access::Read)], is_metered: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl<T: Entity> Capability for Write<T> {
    const RIGHTS: Rights = Rights { grants: &[Grant::of::<T>(Access::Write)], is_metered: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl<T: Entity> Capability for Create<T> {
    const RIGHTS: Rights = Rights { grants: &[Grant::of::<T>(Access::Create)], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl<T: Entity> Capability for Update<T> {
    const RIGHTS: Rights = Rights { grants: &[Grant::of::<T>(Access::Update)], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl<T: Entity> Capability for Delete<T> {
    const RIGHTS: Rights = Rights { grants: &[Grant::of::<T>(Access::Delete)], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl Capability for RateLimits {
    const RIGHTS: Rights = Rights { grants: &[RateLimits::GRANT], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl Capability for Option<Caller> {
    const RIGHTS: Rights = Rights { tells_caller: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        match &call.0.refused {
            Some((code, why)) => Err(Fault::new(*code, why.as_str())),
            None => Ok(call.0.principal.clone().map(|principal| Caller::new(call.0.service, principal))),
        }
    }
}

/// The caller, or why their credentials were refused: for a public procedure with `http`, which shows the reason to a
/// person in a page. In all other procedures, the refusal is answered before the procedure runs.
impl Capability for Result<Caller, Fault> {
    const RIGHTS: Rights = Rights { tells_caller: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Caller::obtain(call))
    }
}

impl Capability for Ownership {
    const RIGHTS: Rights = Rights { tells_caller: true, knows_own: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.ownership.clone())
    }
}

impl Capability for Caller {
    const RIGHTS: Rights = Rights { tells_caller: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Option::<Self>::obtain(call)?.ok_or_else(|| Fault::new(Code::Unauthorized, "Sign in first."))
    }
}

/// The definition that all procedures of the service share.
impl Capability for &'static Definition {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.service)
    }
}

impl Capability for Clock {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.clock)
    }
}

impl Capability for Ids {
    fn obtain(_: &Call) -> Result<Self, Fault> {
        Ok(Self::default())
    }
}
