//! The trait that a service's user implements for this package: few facts, whatever else the service stores of people.
//!
//! ```
//! # extern crate runtime as onefold;
//! use onefold_identity::{self as identity, EmailAddress, IdentityRole, IdentityUser, NewUser, UserId};
//! use protocol::{Listing, SortKey};
//! use runtime::prelude::*;
//!
//! /// A user's role in the shop.
//! #[wire]
//! pub enum Role {
//!     /// Sees all orders, and makes others what they are.
//!     Owner,
//!     /// Sees their own orders.
//!     Shopper,
//! }
//!
//! impl IdentityRole for Role {
//!     const ALL: &'static [Self] = &[Self::Owner, Self::Shopper];
//!     const FOUNDER: Self = Self::Owner;
//!     const NEW_USER: Self = Self::Shopper;
//!
//!     fn name(self) -> &'static str {
//!         match self {
//!             Self::Owner => "owner",
//!             Self::Shopper => "shopper",
//!         }
//!     }
//!     fn permissions(self) -> &'static [&'static str] {
//!         match self {
//!             Self::Owner => &["orders:read", identity::RIGHTS],
//!             Self::Shopper => &["orders:read:own"],
//!         }
//!     }
//! }
//!
//! /// A user who buys, or sells.
//! #[wire]
//! #[derive(Entity)]
//! #[entity(prefix = "user")]
//! #[entity(index = "email", sort = SortKey::text(&self.email.comparable()))]
//! #[entity(unique = Self::UNIQUE_EMAIL, value = self.email.comparable())]
//! pub struct User {
//!     /// The user's id.
//!     #[entity(id)]
//!     pub id: UserId,
//!     /// Where mail reaches the user.
//!     pub email: EmailAddress,
//!     /// The name that others see.
//!     pub name: String,
//!     /// What the user is.
//!     pub role: Role,
//!     /// Whether the address is proved.
//!     pub is_verified: bool,
//!     /// When the user ends unless it is.
//!     #[entity(expires_at)]
//!     pub ends_at: Option<Timestamp>,
//!     /// The language in which the shop writes: one of its own fields, which is required.
//!     pub language: String,
//!     /// Grows with each change.
//!     #[entity(version)]
//!     pub version: Version,
//! }
//!
//! impl IdentityUser for User {
//!     type Role = Role;
//!     type Me = Self;
//!     const ALL_USERS: Listing<Self> = Listing::of("email");
//!
//!     fn from_new_user(new_user: NewUser<Role>) -> Self {
//!         let NewUser { id, email, name, is_verified, role, ends_at, .. } = new_user;
//!         Self { id, email, name, role, is_verified, ends_at, language: "en".into(), version: Version::default() }
//!     }
//!     fn me(&self) -> Self {
//!         self.clone()
//!     }
//!     identity::user_fields!();
//! }
//! ```

use protocol::{Entity, Listing, Timestamp, WireType, id};

use crate::EmailAddress;

id! {
    /// Names one user.
    pub struct UserId;
}

/// A role of a service.
pub trait IdentityRole: Copy + Eq + Send + Sync + 'static {
    /// All roles.
    const ALL: &'static [Self];
    /// The role of the first user, who gives all others theirs.
    const FOUNDER: Self;
    /// The role of people who register themselves. A stranger who has proved an address is still a stranger.
    const NEW_USER: Self;

    /// The name in tokens and on the wire.
    fn name(self) -> &'static str;

    /// The permissions of this role. With `:own` behind it, a permission is limited to the own items.
    fn permissions(self) -> &'static [&'static str];
}

/// Whether a role has a permission, for [`Definition::permits`](runtime::Definition). It follows
/// [`IdentityRole::permissions`], which alone states what a role may do.
pub fn permits<R: IdentityRole>(role: &str, permission: &str) -> bool {
    R::ALL.iter().any(|known| known.name() == role && known.permissions().contains(&permission))
}

/// How long a registered address may stay unproved, in milliseconds: seven days.
pub const UNPROVED_MS: i64 = 7 * 24 * 3_600_000;

/// The facts about a new user.
#[derive(Clone, Debug)]
pub struct NewUser<R> {
    /// The id that the user will have.
    pub id: UserId,
    /// Where mail reaches the person.
    pub email: EmailAddress,
    /// The name that others see.
    pub name: String,
    /// Whether the address is known to be the user's.
    pub is_verified: bool,
    /// The role.
    pub role: R,
    /// The time of the call.
    pub created_at: Timestamp,
    /// When the user expires, unless the address is proved by then.
    pub ends_at: Option<Timestamp>,
}

/// The methods of [`IdentityUser`] from `email` on, for a type that has a field of the same name for each: `email`,
/// `name`, `role`, `is_verified` and `ends_at`.
#[macro_export]
macro_rules! user_fields {
    () => {
        fn email(&self) -> &$crate::EmailAddress {
            &self.email
        }
        fn name(&self) -> &str {
            &self.name
        }
        fn set_name(&mut self, name: String) {
            self.name = name;
        }
        fn role(&self) -> Self::Role {
            self.role
        }
        fn set_role(&mut self, role: Self::Role) {
            self.role = role;
        }
        fn is_verified(&self) -> bool {
            self.is_verified
        }
        fn ends_at(&self) -> Option<$crate::__runtime::prelude::Timestamp> {
            self.ends_at
        }
        fn set_verified(&mut self, is_verified: bool) {
            self.is_verified = is_verified;
        }
        fn set_ends_at(&mut self, ends_at: Option<$crate::__runtime::prelude::Timestamp>) {
            self.ends_at = ends_at;
        }
    };
}

/// A service's user.
pub trait IdentityUser: Entity<Id = UserId> + WireType + Clone + PartialEq + Send + Sync + 'static {
    /// The type of the service's roles.
    type Role: IdentityRole;
    /// What a signed-in user is told of themselves: the output of `auth.me`.
    type Me: WireType;

    /// The name of the uniqueness rule of [`Entity::unique`]: an address, in the form of [`EmailAddress::comparable`],
    /// belongs to one user.
    const UNIQUE_EMAIL: &'static str = "email";
    /// An index that lists all users: it shows whether there is one.
    const ALL_USERS: Listing<Self>;

    /// Makes a user of a new person. The service's own fields get their first values here.
    fn from_new_user(new_user: NewUser<Self::Role>) -> Self;

    /// What the user is told of themselves.
    fn me(&self) -> Self::Me;

    /// Where mail reaches the user.
    fn email(&self) -> &EmailAddress;

    /// The name that others see, of 1 to [`name::MAX_CHARS`](crate::name::MAX_CHARS) characters.
    fn name(&self) -> &str;

    /// Gives the user another name.
    fn set_name(&mut self, name: String);

    /// The user's role.
    fn role(&self) -> Self::Role;

    /// Changes the role.
    fn set_role(&mut self, role: Self::Role);

    /// Whether the address is known to be the user's.
    fn is_verified(&self) -> bool;

    /// When the user expires, unless the address is proved by then; none once it is proved, and for a user whom an
    /// administrator created or decided about. [`Entity::expires_at`] returns the same.
    fn ends_at(&self) -> Option<Timestamp>;

    /// Sets whether the address is known to be the user's.
    fn set_verified(&mut self, is_verified: bool);

    /// Sets when the user expires.
    fn set_ends_at(&mut self, ends_at: Option<Timestamp>);

    /// Marks the address as proved: the user is verified, and does not expire.
    fn verify(&mut self) {
        self.set_verified(true);
        self.set_ends_at(None);
    }

    /// The user's id.
    fn user_id(&self) -> UserId {
        *self.id()
    }

    /// The role that counts: none as long as the address is not verified, since anybody may register with it.
    fn effective_role(&self) -> Option<Self::Role> {
        self.is_verified().then(|| self.role())
    }

    /// What the user may do.
    fn permissions(&self) -> &'static [&'static str] {
        self.effective_role().map(IdentityRole::permissions).unwrap_or_default()
    }

    /// Whether the user is as registered, perhaps by a stranger: nobody has proved the address, and no administrator
    /// has decided about it.
    fn is_as_registered(&self) -> bool {
        !self.is_verified() && self.ends_at().is_some()
    }
}
