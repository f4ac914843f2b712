//! Calls to services of AWS that answer, refuse, or are away.
#![allow(missing_docs)]

extern crate onefold_aws as aws;

mod secrets;
mod ses;
mod xray;

use aws::Access;
use local::testing::fake_server::FakeServer;

/// The access to a server that stands for a service.
fn access(server: &FakeServer) -> Access {
    Access {
        region: "eu-central-1".to_owned(),
        endpoint: Some(server.endpoint.clone()),
        access_key_id: "AKID".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: Some("session".to_owned()),
    }
}
