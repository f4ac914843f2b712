//! `users.byIds`.

use model::User;
use onefold::{identity::UserId, prelude::*};

/// Which users to fetch.
#[wire(input)]
pub struct Input {
    /// The users' ids. An id may occur twice.
    #[garde(length(min = 1, max = 100))]
    pub ids: Vec<UserId>,
}

/// Fetch many users at once: each of those that exist once, in the order that was asked for.
#[procedure(query, auth = permission("users:read"), rest = "GET /v1/batch/users")]
pub async fn by_ids(users: Read<User>, #[input] input: Input) -> Result<Vec<User>, NoFailure> {
    Ok(users.by_ids(input.ids).await?)
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;
    use model::Role;

    use super::*;

    #[tokio::test]
    async fn those_that_exist_come_once_and_in_the_order_that_was_asked_for() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let mut kept = Vec::new();
        for email in ["a@example.com", "b@example.com", "c@example.com"] {
            kept.push(test.write().create(crate::tests::user(email, Role::Viewer)).await.unwrap());
        }
        let nobody: UserId = Ids::counting().next();
        let ids = vec![kept[2].id, nobody, kept[0].id, kept[2].id];
        let found = by_ids(test.read(), Input { ids }).await.unwrap();
        assert_eq!(found, [kept[2].clone(), kept[0].clone()]);
    }
}
