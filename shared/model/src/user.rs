//! Users of the reference service.

use onefold::{
    Entity, Listing, SortKey, Timestamp, Version,
    identity::{EmailAddress, IdentityUser, NewUser, UserId, name},
    wire,
};

use crate::Role;

/// A user of the service.
#[wire]
#[derive(Entity)]
#[entity(prefix = "user", loader = "users.byIds")]
#[entity(index = "created", sort = SortKey::time(self.created_at))]
#[entity(index = "age", sort = self.age.map_or_else(|| SortKey::text(""), SortKey::number))]
#[entity(index = "name", sort = SortKey::text(&self.name))]
#[entity(index = "email", sort = SortKey::text(&self.email.comparable()))]
#[entity(index = "role", list = self.role.name(), sort = SortKey::time(self.created_at))]
#[entity(unique = Self::UNIQUE_EMAIL, value = self.email.comparable())]
#[entity(tally = Self::ADMINISTRATORS, at_least = 1, when = self.effective_role() == Some(Role::Administrator))]
pub struct User {
    /// The user's id.
    #[entity(id)]
    pub id: UserId,
    /// Where mail reaches the user. No two users have the same address, however it is written.
    pub email: EmailAddress,
    /// The name that others see.
    pub name: String,
    /// Age in years, if it is known.
    pub age: Option<u32>,
    /// Whether the address is known to be the user's.
    pub is_verified: bool,
    /// What the user is in the company.
    pub role: Role,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user ends, unless the address is proved by then; null for whoever has proved it, and for whom an
    /// administrator made or decided about.
    #[entity(expires_at)]
    pub ends_at: Option<Timestamp>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl User {
    /// The longest name, in characters.
    pub const MAX_NAME_CHARS: usize = name::MAX_CHARS;
    /// The greatest age, in years.
    pub const MAX_AGE: u32 = 150;

    /// All users, oldest first.
    pub const BY_CREATION: Listing<Self> = Listing::of("created");
    /// All users by age; those without a known age come first.
    pub const BY_AGE: Listing<Self> = Listing::of("age");
    /// All users by name.
    pub const BY_NAME: Listing<Self> = Listing::of("name");
    /// All users by e-mail address, however it is written.
    pub const BY_EMAIL: Listing<Self> = Listing::of("email");

    /// The users of each role, oldest first. Each list is named by its role.
    pub const BY_ROLE: Listing<Self> = Listing::of("role");

    /// The group that must not become empty: administrators who can act. One whose address is not proved may be nobody
    /// at all, and counts from the proof on.
    pub const ADMINISTRATORS: &'static str = "administrators";
}

/// Oneself.
#[wire]
pub struct Me {
    /// The user's id.
    pub id: UserId,
    /// Where mail reaches the user.
    pub email: EmailAddress,
    /// The name that others see.
    pub name: String,
    /// Whether the address is proved. As long as it is not, the user has no permissions.
    pub is_verified: bool,
    /// What the user is in the company.
    pub role: Role,
    /// What the user may do.
    pub permissions: Vec<String>,
}

impl IdentityUser for User {
    type Role = Role;
    type Me = Me;
    const ALL_USERS: Listing<Self> = Self::BY_CREATION;

    fn from_new_user(new_user: NewUser<Role>) -> Self {
        let NewUser { id, email, name, is_verified, role, created_at, ends_at } = new_user;
        Self { id, email, name, age: None, is_verified, role, created_at, ends_at, version: Version::default() }
    }
    fn me(&self) -> Me {
        Me {
            id: self.id,
            email: self.email.clone(),
            name: self.name.clone(),
            is_verified: self.is_verified,
            role: self.role,
            permissions: self.permissions().iter().map(|&permission| permission.to_owned()).collect(),
        }
    }
    onefold::identity::user_fields!();
}
