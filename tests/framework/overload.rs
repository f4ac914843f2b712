//! Many at once: what they take is bounded, and those who do not get in are told so.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::support::{Connection, Folder, Request, Service, TestServer};

/// The most memory that a process has had so far, in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
}

/// Each from an address of its own, so that none is refused for what others tried.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_crowd_that_signs_in_none_waits_in_vain_and_none_takes_memory_for_good() {
    const CROWD: u16 = 400;
    /// Each hash takes 19 MiB: of the whole crowd's it would be 7,600.
    const BOUND_MIB: u64 = 250;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", testbed::Role::Viewer).await;
    let before_mib = peak_mib(server.service.pid());
    let sign_in = |email: &str, password: &str| {
        Request::mutation("auth.login", &json!({"email": email, "password": password, "keep": "tokens"}))
    };
    let calls: JoinSet<_> = (0..CROWD)
        .map(|place| {
            let request = sign_in(&format!("user{place}@example.com"), "not the password");
            let [high, low] = place.to_be_bytes();
            let (from, address) = (Ipv4Addr::new(127, 1, high, low.max(1)), server.service.address);
            async move { Connection::open_from(from.into(), address).await.unwrap().send(&request).await.unwrap() }
        })
        .collect();
    let (mut checked, mut told) = (0, 0);
    for answer in calls.join_all().await {
        match answer.status {
            401 => checked += 1,
            503 => {
                told += 1;
                assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("SERVICE_UNAVAILABLE", Some("1")));
            }
            _ => panic!("{} {}", answer.status, answer.text()),
        }
    }
    assert!(checked >= 20 && told > 0, "{checked} were checked, {told} were told to come again");
    let grown_mib = peak_mib(server.service.pid()) - before_mib;
    assert!(grown_mib < BOUND_MIB, "{grown_mib} MiB more");

    // Who comes again gets in.
    let again = sign_in(&ada.email, &ada.password);
    let calls: JoinSet<_> = (0..8)
        .map(|_| {
            let (again, address) = (again.clone(), server.service.address);
            async move { Connection::insist(IpAddr::from(Ipv4Addr::new(127, 2, 0, 1)), address, &again).await }
        })
        .collect();
    for answer in calls.join_all().await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// Whoever sends bodies and does not end them fills a room of a fixed size, and nobody else's way.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_end_are_held_within_bounds_and_keep_nobody_out() {
    const BODIES: usize = 300;
    const BODY_BYTES: usize = 1024 * 1024;
    const BOUND_MIB: u64 = 200;
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    let before_mib = peak_mib(service.pid());
    let head = format!(
        "POST /trpc/health.ping HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {BODY_BYTES}\r\n\r\n"
    );
    let unfinished = async || {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; BODY_BYTES - 1]).await.unwrap();
        stream
    };
    let mut open = Vec::new();
    for _ in 0..BODIES {
        open.push(unfinished().await);
    }
    let large = Request::mutation("auth.logout", &Value::Null).body(vec![b' '; BODY_BYTES]);
    let mut answer = service.send(&large).await;
    // The first ones have run out of time where the machine is slow: others take their place.
    for _ in 0..BODIES {
        if answer.status == 503 {
            break;
        }
        open.push(unfinished().await);
        answer = service.send(&large).await;
    }
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{}", answer.text());
    assert_eq!(service.send(&Request::query("health.ping", &Value::Null)).await.data(), "pong");
    let small = Request::mutation("auth.requestReset", &json!({"email": "ada@example.com"}));
    assert_eq!(service.send(&small).await.status, 200);
    let grown_mib = peak_mib(service.pid()) - before_mib;
    assert!(grown_mib < BOUND_MIB, "{grown_mib} MiB more");

    // When they have gone there is room.
    drop(open);
    let answer = Connection::insist(Ipv4Addr::LOCALHOST.into(), service.address, &large).await;
    assert_ne!(answer.status, 413, "{}", answer.text());
}
