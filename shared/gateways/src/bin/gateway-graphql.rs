//! The Lambda function `gateway-graphql`.

use gateways::graphql::{GraphQl, Settings};

fn main() -> std::process::ExitCode {
    gateways::lambda_with(
        |contract, environment| GraphQl::with(contract, Settings::of(environment)),
        include_str!("../../../../bindings/contract.json"),
    )
}
