//! The Lambda function `gateway-soap`.

fn main() -> std::process::ExitCode {
    gateways::lambda_with(gateways::soap::Soap::with, include_str!("../../../../bindings/contract.json"))
}
