//! Tests of `users.update`: what it leaves unchanged, what it refuses, and that it succeeds although no mail can be
//! sent.

use local::testing::TestService;

use super::*;

async fn update_in(test: &TestService, ownership: Ownership, input: Input) -> Result<User, Raised<Error>> {
    update(test.obtain().unwrap(), test.operator(), ownership, input).await
}

#[tokio::test]
async fn what_is_left_out_stays_and_an_old_version_is_refused() {
    let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
    let ada = User { age: Some(36), ..crate::users::seed::example("ada@example.com", Role::Administrator) };
    let ada = test.write().create(ada).await.unwrap();
    let change = |version: Option<Version>| Input {
        id: ada.id,
        version,
        email: Patch::Keep,
        name: Patch::Set("Countess".to_owned()),
        age: Patch::Set(None),
        is_verified: Patch::Keep,
        role: Patch::Keep,
    };

    let changed = update_in(&test, Ownership::all(), change(Some(ada.version))).await.unwrap();
    let expected = User { name: "Countess".to_owned(), age: None, version: Version(2), ..ada.clone() };
    assert_eq!(changed, expected);
    let refused = update_in(&test, Ownership::all(), change(Some(ada.version))).await.unwrap_err();
    assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(2) })));

    let demoted = Input { role: Patch::Set(Role::Viewer), ..change(None) };
    let refused = update_in(&test, Ownership::all(), demoted).await.unwrap_err();
    assert!(matches!(refused, Raised::Failure(Error::LastAdministrator)));
}
