//! The Lambda function `gateway-docs`.

fn main() -> std::process::ExitCode {
    gateways::lambda_with(gateways::docs::Docs::with, include_str!("../../../../bindings/contract.json"))
}
