//! `users.list`.

use crate::{Role, User};
use onefold::{SortKey, prelude::*};

/// Which users, in which order.
#[wire(input)]
pub struct Input {
    /// Only users of exactly this age.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Option<u32>,
    /// Only users of this age or older.
    #[garde(range(max = User::MAX_AGE))]
    pub age_min: Option<u32>,
    /// Only users of this age or younger.
    #[garde(range(max = User::MAX_AGE))]
    pub age_max: Option<u32>,
    /// Only users whose address is verified, or only those whose is not.
    pub is_verified: Option<bool>,
    /// Only users with this role.
    pub role: Option<Role>,
    /// The order; newest first if left out, and youngest first where an age is asked for.
    pub sort: Option<UserSort>,
    /// How many users a page has; 20 if left out.
    #[garde(dive)]
    pub limit: Option<PageSize>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<Cursor>,
}

/// How users are sorted.
#[wire]
pub enum UserSort {
    /// Oldest first.
    CreatedAt,
    /// Newest first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
    /// Youngest first; users whose age is not known come before all others.
    Age,
    /// Eldest first.
    #[serde(rename = "-age")]
    AgeDescending,
    /// By name, whatever its case.
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
    /// By e-mail address.
    Email,
    /// By e-mail address, backwards.
    #[serde(rename = "-email")]
    EmailDescending,
}

impl Input {
    fn order(&self) -> UserSort {
        self.sort.unwrap_or(match self.ages() {
            (None, None) => UserSort::CreatedAtDescending,
            _ => UserSort::Age,
        })
    }

    /// The requested range of ages: its least and its greatest one.
    fn ages(&self) -> (Option<u32>, Option<u32>) {
        (self.age.max(self.age_min), [self.age, self.age_max].into_iter().flatten().min())
    }

    fn keeps(&self, user: &User) -> bool {
        let (youngest, eldest) = self.ages();
        let age_fits = (youngest.is_none() && eldest.is_none())
            || user.age.is_some_and(|age| youngest.is_none_or(|min| min <= age) && eldest.is_none_or(|max| age <= max));
        age_fits
            && self.is_verified.is_none_or(|wanted| wanted == user.is_verified)
            && self.role.is_none_or(|wanted| wanted == user.role)
    }
}

/// List users, page by page.
///
/// By age, which is the order if an age is asked for and no other order, a range of ages is served by its index; by
/// time, a role by its. Any other filter reads and drops, at most 500 users for a page, which may come back shorter than
/// asked then, with `next`.
#[procedure(query, auth = permission("users:read"), rest = "GET /v1/users")]
pub async fn list(users: Read<User>, #[input] input: Input) -> Result<Page<User>, NoFailure> {
    use UserSort::{Age, AgeDescending, CreatedAt, CreatedAtDescending, Email, EmailDescending, Name, NameDescending};
    let sort = input.order();
    let mut list = match (sort, input.role) {
        (CreatedAt | CreatedAtDescending, Some(role)) => users.list(&User::BY_ROLE).of(role.name()),
        (CreatedAt | CreatedAtDescending, None) => users.list(&User::BY_CREATION),
        (Age | AgeDescending, _) => users.list(&User::BY_AGE),
        (Name | NameDescending, _) => users.list(&User::BY_NAME),
        (Email | EmailDescending, _) => users.list(&User::BY_EMAIL),
    };
    if matches!(sort, CreatedAtDescending | AgeDescending | NameDescending | EmailDescending) {
        list = list.descending();
    }
    if let (Age | AgeDescending, (youngest, eldest)) = (sort, input.ages())
        && (youngest.is_some() || eldest.is_some())
    {
        list = list.from(SortKey::number(youngest.unwrap_or(0))).to(SortKey::number(eldest.unwrap_or(User::MAX_AGE)));
    }
    let list = list.page(input.limit.unwrap_or_default(), input.cursor.as_ref());
    Ok(list.keep(move |user| input.keeps(user)).await?)
}
