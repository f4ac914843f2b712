//! The Lambda function `gateway-docs`.

fn main() -> std::process::ExitCode {
    gateways::lambda(gateways::docs::Docs::new, include_str!("../../../../bindings/contract.json"))
}
