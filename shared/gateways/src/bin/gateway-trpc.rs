//! The Lambda function `gateway-trpc`.

fn main() -> std::process::ExitCode {
    gateways::lambda(gateways::batches::Batches::new, include_str!("../../../../bindings/contract.json"))
}
