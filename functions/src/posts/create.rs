//! `posts.create`.

use model::post::Post;
use onefold::prelude::*;

/// The new post.
#[wire(input)]
pub struct Input {
    /// The heading.
    #[garde(length(chars, min = 1, max = Post::MAX_TITLE_CHARS))]
    pub title: String,
    /// The text.
    #[garde(length(chars, min = 1, max = Post::MAX_BODY_CHARS))]
    pub body: String,
}

/// Why the post was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Only a user can write a post, and the caller is none.
    #[failure(FORBIDDEN)]
    NotAUser,
}

/// Write a post. The caller is its author.
#[procedure(mutation, auth = permission("posts:write", own), rest = "POST /v1/posts")]
pub async fn create(
    posts: Create<Post>,
    caller: Caller,
    ownership: Ownership,
    clock: Clock,
    ids: Ids,
    #[input] input: Input,
) -> Result<Post, Error> {
    let author_id = caller.subject().parse().ok().filter(|_| caller.is_person()).ok_or(Error::NotAUser)?;
    ownership.expect(author_id)?;
    let now = clock.now();
    let post = Post {
        id: ids.next(),
        author_id,
        title: input.title,
        body: input.body,
        created_at: now,
        updated_at: now,
        version: Version::default(),
    };
    Ok(posts.create(post).await?)
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    async fn create_as(test: &TestService, subject: &str, clock: Clock) -> Result<Post, Raised<Error>> {
        let input = Input { title: "Hello".to_owned(), body: "Everybody.".to_owned() };
        let own = Ownership::own(subject, "posts:write");
        create(test.create(), test.caller(subject), own, clock, Ids::counting(), input).await
    }

    #[tokio::test]
    async fn the_caller_is_the_author() {
        let clock = Clock::Fixed(Timestamp::from_unix_ms(1_735_689_600_000));
        let test = TestService::new(&crate::service(), clock).await.unwrap();
        let ada = "01936f5e-8a00-7000-8000-000000000001";
        let post = create_as(&test, ada, clock).await.unwrap();
        assert_eq!((post.author_id.to_string().as_str(), post.version), (ada, Version(1)));
        assert_eq!((post.created_at, post.updated_at), (clock.now(), clock.now()));
        assert_eq!(test.read::<Post>().get(&post.id).await.unwrap(), Some(post));
    }

    #[tokio::test]
    async fn whoever_is_no_user_writes_no_post() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let robot = create_as(&test, "a robot", Clock::System).await;
        assert!(matches!(robot, Err(Raised::Failure(Error::NotAUser))));
    }
}
