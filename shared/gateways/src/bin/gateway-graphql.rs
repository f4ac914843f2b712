//! The Lambda function `gateway-graphql`.

fn main() -> std::process::ExitCode {
    gateways::lambda_with(gateways::graphql::GraphQl::with, include_str!("../../../../bindings/contract.json"))
}
