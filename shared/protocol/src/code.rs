//! All error codes of the wire, and their mapping to numbers and HTTP statuses, which no other module repeats.
//!
//! Source of the table: the tRPC 11 wire (`rpc/codes.ts` of `@trpc/server`).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! codes {
    ($( $(#[$doc:meta])* $variant:ident $key:literal $number:literal $status:literal; )*) => {
        /// Why a call did not succeed, in the terms that all API styles share.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        pub enum Code {
            $( $(#[$doc])* #[serde(rename = $key)] $variant, )*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code's name on the wire, such as `NOT_FOUND`.
            pub const fn key(self) -> &'static str {
                match self { $(Code::$variant => $key),* }
            }

            /// The JSON-RPC number that tRPC gives the code.
            pub const fn number(self) -> i32 {
                match self { $(Code::$variant => $number),* }
            }

            /// The HTTP status (RFC 9110) that the code answers with.
            pub const fn http_status(self) -> u16 {
                match self { $(Code::$variant => $status),* }
            }
        }
    };
}

codes! {
    /// The text is not JSON at all (only where a whole message is parsed).
    ParseError "PARSE_ERROR" -32700 400;
    /// The request or its input is malformed or invalid.
    BadRequest "BAD_REQUEST" -32600 400;
    /// A fault of ours; its cause is in the log under the request id.
    InternalServerError "INTERNAL_SERVER_ERROR" -32603 500;
    /// The service does not offer this.
    NotImplemented "NOT_IMPLEMENTED" -32603 501;
    /// Something behind the service answered nonsense.
    BadGateway "BAD_GATEWAY" -32603 502;
    /// Something behind the service is overloaded or unreachable; worth trying again later.
    ServiceUnavailable "SERVICE_UNAVAILABLE" -32603 503;
    /// The procedure did not answer in its time.
    GatewayTimeout "GATEWAY_TIMEOUT" -32603 504;
    /// Nobody is signed in, or what was presented is not valid.
    Unauthorized "UNAUTHORIZED" -32001 401;
    /// Payment is needed first.
    PaymentRequired "PAYMENT_REQUIRED" -32002 402;
    /// The caller is known and may not do this.
    Forbidden "FORBIDDEN" -32003 403;
    /// There is no such procedure or no such thing.
    NotFound "NOT_FOUND" -32004 404;
    /// The procedure exists and does not answer this HTTP method.
    MethodNotSupported "METHOD_NOT_SUPPORTED" -32005 405;
    /// The caller takes no form of answer that there is. Only REST says so; tRPC does not know the code.
    NotAcceptable "NOT_ACCEPTABLE" -32006 406;
    /// The caller took too long.
    Timeout "TIMEOUT" -32008 408;
    /// Somebody else was first: a stale version, or a value that must be unique.
    Conflict "CONFLICT" -32009 409;
    /// A condition that the caller named does not hold.
    PreconditionFailed "PRECONDITION_FAILED" -32012 412;
    /// The request is larger than the stated limit.
    PayloadTooLarge "PAYLOAD_TOO_LARGE" -32013 413;
    /// The body is of a type that is not read here.
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" -32015 415;
    /// The request is well formed and cannot be done as things stand.
    UnprocessableContent "UNPROCESSABLE_CONTENT" -32022 422;
    /// The call must name a condition.
    PreconditionRequired "PRECONDITION_REQUIRED" -32028 428;
    /// The caller calls too often.
    TooManyRequests "TOO_MANY_REQUESTS" -32029 429;
    /// The caller hung up.
    ClientClosedRequest "CLIENT_CLOSED_REQUEST" -32099 499;
}

#[cfg(test)]
mod tests {
    use super::Code;

    /// The table of `@trpc/server`, written out a second time and by hand, and 406, numbered as its neighbours are.
    #[test]
    fn numbers_and_statuses_are_those_of_trpc() {
        let known = [
            ("PARSE_ERROR", -32700, 400),
            ("BAD_REQUEST", -32600, 400),
            ("INTERNAL_SERVER_ERROR", -32603, 500),
            ("NOT_IMPLEMENTED", -32603, 501),
            ("BAD_GATEWAY", -32603, 502),
            ("SERVICE_UNAVAILABLE", -32603, 503),
            ("GATEWAY_TIMEOUT", -32603, 504),
            ("UNAUTHORIZED", -32001, 401),
            ("PAYMENT_REQUIRED", -32002, 402),
            ("FORBIDDEN", -32003, 403),
            ("NOT_FOUND", -32004, 404),
            ("METHOD_NOT_SUPPORTED", -32005, 405),
            ("NOT_ACCEPTABLE", -32006, 406),
            ("TIMEOUT", -32008, 408),
            ("CONFLICT", -32009, 409),
            ("PRECONDITION_FAILED", -32012, 412),
            ("PAYLOAD_TOO_LARGE", -32013, 413),
            ("UNSUPPORTED_MEDIA_TYPE", -32015, 415),
            ("UNPROCESSABLE_CONTENT", -32022, 422),
            ("PRECONDITION_REQUIRED", -32028, 428),
            ("TOO_MANY_REQUESTS", -32029, 429),
            ("CLIENT_CLOSED_REQUEST", -32099, 499),
        ];
        let ours: Vec<_> = Code::ALL.iter().map(|code| (code.key(), code.number(), code.http_status())).collect();
        assert_eq!(ours, known);
    }
}
