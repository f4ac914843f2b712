//! The HTTP servers whose requests per second are compared.

use std::io;
use std::path::PathBuf;

use crate::load::Server;
use crate::places::Places;
use crate::process::Launch;

/// All servers: hyper with fixed bytes, tRPC's standalone adapter, and Onefold's local service.
pub fn servers(places: &Places) -> io::Result<Vec<Server>> {
    let standalone = places.node.join("dist/standalone.mjs");
    let production = vec![("NODE_ENV".to_owned(), "production".to_owned())];
    Ok(vec![
        server("hyper-nothing", std::env::current_exe()?, &["serve-nothing", "{port}"], Vec::new()),
        server("trpc-standalone", "node".into(), &[&standalone.to_string_lossy(), "{port}"], production),
        local_service(places.binary("onefold")),
    ])
}

/// Onefold's local service with its data in memory.
pub fn local_service(program: PathBuf) -> Server {
    server("onefold", program, &["--ephemeral", "--port", "{port}"], Vec::new())
}

fn server(name: &'static str, program: PathBuf, arguments: &[&str], environment: Vec<(String, String)>) -> Server {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Server { name, launch: Launch { program, arguments, environment } }
}
