//! A test service with a user type of its own.

use std::sync::Arc;

use local::testing::TestService;
use protocol::{Listing, SortKey, Timestamp, Version};
use runtime::{Definition, Principal, prelude::*};

use crate::{EmailAddress, IdentityRole, IdentityUser, NewUser, RIGHTS, UserId, sessions::Sessions};

/// The role of a user.
#[wire]
pub enum Role {
    /// May do everything.
    Owner,
    /// Writes what is its own.
    Clerk,
    /// Reads.
    Reader,
    /// May do nothing.
    Shopper,
}

/// What each permission is for.
const TEXTS: &[(&str, &[&str])] = &[
    ("audit:read", &["List the audit log"]),
    ("clients:read", &["List applications"]),
    ("clients:write", &["Register an application"]),
    ("orders:read", &["Fetch one order", "List orders"]),
    ("orders:write", &["Write orders"]),
    ("orders:write:own", &["Write orders"]),
    ("stock:read", &["Read the stock"]),
    ("stock:write", &["Write the stock"]),
    ("stock:write:own", &["Write the stock"]),
];

impl IdentityRole for Role {
    const ALL: &'static [Self] = &[Self::Owner, Self::Clerk, Self::Reader, Self::Shopper];
    const FOUNDER: Self = Self::Owner;
    const NEW_USER: Self = Self::Shopper;

    fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Clerk => "clerk",
            Self::Reader => "reader",
            Self::Shopper => "shopper",
        }
    }
    fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Owner => &[
                "audit:read",
                "clients:read",
                "clients:write",
                "orders:read",
                "orders:write",
                RIGHTS,
                "stock:read",
                "stock:write",
            ],
            Self::Clerk => &["stock:read", "stock:write:own", "orders:read", "orders:write:own"],
            Self::Reader => &["stock:read", "orders:read"],
            Self::Shopper => &[],
        }
    }
}

/// A user with a field that the package does not know.
#[wire]
#[derive(Entity)]
#[entity(prefix = "user")]
#[entity(index = "all", sort = SortKey::text(&self.id.to_string()))]
#[entity(unique = Self::UNIQUE_EMAIL, value = self.email.comparable())]
#[entity(tally = "owners", at_least = 1, when = self.effective_role() == Some(Role::Owner))]
pub struct User {
    /// The id.
    #[entity(id)]
    pub id: UserId,
    /// The address.
    pub email: EmailAddress,
    /// The name.
    pub name: String,
    /// What the package does not know, and the service requires.
    pub language: String,
    /// Whether the address is proved.
    pub is_verified: bool,
    /// The role.
    pub role: Role,
    /// When it ends.
    #[entity(expires_at)]
    pub ends_at: Option<Timestamp>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl IdentityUser for User {
    type Role = Role;
    type Me = Self;
    const ALL_USERS: Listing<Self> = Listing::of("all");

    fn from_new_user(new_user: NewUser<Role>) -> Self {
        let NewUser { id, email, name, is_verified, role, ends_at, .. } = new_user;
        Self { id, email, name, language: "en".to_owned(), is_verified, role, ends_at, version: Version::default() }
    }
    fn me(&self) -> Self {
        self.clone()
    }
    fn email(&self) -> &EmailAddress {
        &self.email
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn set_name(&mut self, name: String) {
        self.name = name;
    }
    fn role(&self) -> Role {
        self.role
    }
    fn set_role(&mut self, role: Role) {
        self.role = role;
    }
    fn is_verified(&self) -> bool {
        self.is_verified
    }
    fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }
    fn set_verified(&mut self, is_verified: bool) {
        self.is_verified = is_verified;
    }
    fn set_ends_at(&mut self, ends_at: Option<Timestamp>) {
        self.ends_at = ends_at;
    }
}

/// The service.
pub const SERVICE: Definition = Definition {
    roles: &["owner", "clerk", "reader", "shopper"],
    permits: crate::permits::<Role>,
    permissions: TEXTS,
    withheld: &[RIGHTS],
    callers: crate::CALLERS,
    refusals: Some(crate::REFUSALS),
    ..Definition::named("identity-test")
};

mod mounted {
    use super::{SERVICE, User};
    use crate as identity;

    runtime::procedures! { SERVICE, mount identity for User; }
}
pub use mounted::service;

/// A caller with this principal.
pub fn caller(principal: Principal) -> Caller {
    Caller::new(&SERVICE, Arc::new(principal))
}

/// A verified user with a role.
pub fn user(email: &str, role: Role) -> User {
    User {
        id: Ids::default().next(),
        email: EmailAddress::new(email),
        name: "Ada".to_owned(),
        language: "en".to_owned(),
        is_verified: true,
        role,
        ends_at: None,
        version: Version(0),
    }
}

/// The sessions of all users.
pub fn sessions(test: &TestService) -> Sessions {
    test.obtain().unwrap()
}

/// A part that is left out is not in the service.
#[test]
fn a_part_that_is_left_out_has_no_procedure_and_no_domain() {
    mod small {
        use super::{SERVICE, User};
        use crate as identity;

        runtime::procedures! { SERVICE, mount identity for User without [Providers, Registration]; }
    }
    let (all, few) = (service(), small::service());
    let named = |service: &runtime::Service, start: &str| {
        service.procedures.iter().filter(|procedure| procedure.entry.name.starts_with(start)).count()
    };
    assert!(named(&all, "oauth.") > 0 && named(&all, "auth.register") == 1);
    assert!(named(&few, "oauth.") == 0 && named(&few, "auth.register") == 0);
    assert_eq!(named(&few, "auth."), named(&all, "auth.") - 1, "the others of its domain stay");
    assert!(!few.domains.iter().any(|domain| domain.name == "oauth"), "nothing is in it");
    assert!(few.domains.iter().any(|domain| domain.name == "auth"));
}
