//! Encryption of the receivers, with a certificate of `localhost` that only the tests' own authority has signed.
//!
//! The files in `fixtures/tls` are for tests alone; the authority's key was thrown away.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// The file to trust.
pub(crate) const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tls/ca.pem");

pub(crate) type Encrypted = StreamOwned<ServerConnection, TcpStream>;

/// Encrypts `stream` as a server.
pub(crate) fn encrypted(stream: TcpStream) -> Encrypted {
    let certificates = CertificateDer::pem_slice_iter(include_bytes!("../../../fixtures/tls/localhost.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../../fixtures/tls/localhost.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.map(Result::unwrap).collect(), key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

/// A receiver over HTTPS that takes everything, at every address of this machine.
pub(crate) fn https() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = take(encrypted(stream));
        }
    });
    port
}

fn take(stream: Encrypted) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let lower = line.to_lowercase();
        length = lower.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
    }
    reader.read_exact(&mut vec![0; length])?;
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
