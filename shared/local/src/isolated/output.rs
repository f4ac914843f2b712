//! Forwards what the functions print, line by line.

use std::io::Write;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};

/// The longest line that is forwarded whole, so that a function cannot fill this process's memory.
const LINE_LIMIT_BYTES: usize = 256 * 1024;

/// Forwards lines until the function closes its end. Each line is one write, so that lines of several functions do not
/// mix. A structured line (a JSON object, which names its function itself) stays as it is; any other gets the
/// function's name as a prefix.
pub(super) async fn pass<W: Write>(from: impl AsyncRead + Unpin, function: &str, to: impl Fn() -> W) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match read_line(&mut from, &mut line).await {
            Ok(()) if !line.is_empty() => {}
            // The end, or a pipe that broke with its process.
            Ok(()) | Err(_) => return,
        }
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        if line.first() != Some(&b'{') {
            let name = format!("{function}: ");
            line.splice(0..0, name.into_bytes());
        }
        // When our own output is closed, the function must still be able to write.
        let mut to = to();
        let _ = to.write_all(&line).and_then(|()| to.flush());
    }
}

/// Reads to the next line feed, to the limit or to the end, whichever comes first.
async fn read_line(from: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let available = from.fill_buf().await?;
        if available.is_empty() {
            return Ok(());
        }
        let room = &available[..available.len().min(LINE_LIMIT_BYTES - line.len())];
        let (taken, ends) = match room.iter().position(|&byte| byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (room.len(), false),
        };
        line.extend_from_slice(&room[..taken]);
        from.consume(taken);
        if ends || line.len() >= LINE_LIMIT_BYTES {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Collects writes, one entry for each.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics while it writes").push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn structured_lines_stay_as_they_are_and_others_get_a_name() {
        let writes = Writes::default();
        let printed: &[u8] = b"{\"level\":\"INFO\"}\nplain\n\nno end";
        pass(printed, "orders-get", || writes.clone()).await;
        let expected: [&[u8]; 4] =
            [b"{\"level\":\"INFO\"}\n", b"orders-get: plain\n", b"orders-get: \n", b"orders-get: no end\n"];
        assert_eq!(*writes.0.lock().expect("nobody else has it"), expected);
    }

    #[tokio::test]
    async fn an_endless_line_is_passed_on_in_pieces() {
        let writes = Writes::default();
        let printed = vec![b'{'; LINE_LIMIT_BYTES + 10];
        pass(printed.as_slice(), "orders-get", || writes.clone()).await;
        let lengths: Vec<_> = writes.0.lock().expect("nobody else has it").iter().map(Vec::len).collect();
        assert_eq!(lengths, [LINE_LIMIT_BYTES + 1, 11]);
    }
}
