//! The least one can do with `lambda_http`: an API Gateway HTTP API event in, a small JSON answer out.

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
