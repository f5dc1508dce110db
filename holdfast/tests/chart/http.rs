//! HTTP/1.1, as little of it as a kubelet and a first curl need.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer: its status and its body.
pub(crate) type Answer = (u16, String);

/// How long a connection, a write or a read may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn get(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    ask(address, "GET", path, "")
}

pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, json: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = json.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let typed = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}");
    stream.write_all(head.as_bytes())?;
    stream.write_all(typed.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let broken = || std::io::Error::other(format!("not an HTTP answer: {text:?}"));
    let (_, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    Ok((status.ok_or_else(broken)?, body.to_owned()))
}
