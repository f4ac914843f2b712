//! The cost of the embedded database itself: the same GetItem, sent as ready-made bytes over one connection.
//!
//! No function that reads this item can be faster than this.

use std::io::{self, Error, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::database::{Database, REGION, TABLE, USER_EMAIL, USER_ID};
use crate::http1::{Frame, position};

const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The round trips of that many reads, in microseconds, after as many for warm-up.
pub fn round_trips_us(database: &Database, count: usize) -> io::Result<Vec<f64>> {
    let host = database.endpoint().trim_start_matches("http://");
    let body = json!({
        "TableName": TABLE,
        "Key": { "pk": { "S": format!("user#{USER_ID}") }, "sk": { "S": "@" } },
        "ConsistentRead": true,
        "ReturnConsumedCapacity": "TOTAL",
    })
    .to_string();
    // The guard checks the access key id, and not the signature.
    let request = format!(
        "POST / HTTP/1.1\r\n\
         host: {host}\r\n\
         content-type: application/x-amz-json-1.0\r\n\
         content-length: {}\r\n\
         x-amz-date: 20250310T051623Z\r\n\
         x-amz-target: DynamoDB_20120810.GetItem\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={}/20250310/{REGION}/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date;x-amz-target, Signature={:064}\r\n\r\n{body}",
        body.len(),
        database.credentials().access_key_id,
        0,
    );
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    let mut round_trips = Vec::with_capacity(2 * count);
    for _ in 0..2 * count {
        let begin = Instant::now();
        stream.write_all(request.as_bytes())?;
        read_answer(&mut stream)?;
        round_trips.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Ok(round_trips.split_off(count))
}

fn read_answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut received = Vec::with_capacity(4096);
    let mut piece = [0; 4096];
    while Frame::find(&received)?.is_none() {
        match stream.read(&mut piece)? {
            0 => return Err(Error::other("the database closed the connection")),
            length => received.extend_from_slice(&piece[..length]),
        }
    }
    if position(&received, USER_EMAIL.as_bytes()).is_none() {
        return Err(Error::other(format!("unexpected answer: {}", String::from_utf8_lossy(&received))));
    }
    Ok(())
}
