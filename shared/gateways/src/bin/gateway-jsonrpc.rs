//! The Lambda function `gateway-jsonrpc`.

fn main() -> std::process::ExitCode {
    gateways::lambda_with(gateways::jsonrpc::JsonRpc::with, include_str!("../../../../bindings/contract.json"))
}
