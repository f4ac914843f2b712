//! The Lambda function `gateway-jsonrpc`.

fn main() -> std::process::ExitCode {
    gateways::lambda(gateways::jsonrpc::JsonRpc::new, include_str!("../../../../bindings/contract.json"))
}
