//! The minimum with `lambda_http`: from an API Gateway HTTP API event to a small JSON answer.

use lambda_http::{Error, Request, Response, service_fn};

fn main() -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(lambda_http::run(service_fn(answer)))
}

async fn answer(_request: Request) -> Result<Response<String>, Error> {
    let answer = Response::builder()
        .header("content-type", "application/json")
        .body(r#"{"result":{"data":"pong"}}"#.to_owned())?;
    Ok(answer)
}
