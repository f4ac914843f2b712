//! The Lambda function `gateway-soap`.

fn main() -> std::process::ExitCode {
    gateways::lambda(gateways::soap::Soap::new, include_str!("../../../../bindings/contract.json"))
}
