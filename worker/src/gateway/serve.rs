//! Connections: taken as they come, within limits, and each finished when the process is to end.

use super::limits::Limits;
use super::patient::Patient;
use super::{Gateway, app};
use crate::service::status::Status;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

/// As long as requests under way may take at shutdown.
const FAREWELL: Duration = Duration::from_millis(1500);
/// After a connection that couldn't be taken, such as for want of file descriptors.
const RECOVER: Duration = Duration::from_millis(100);

/// A gateway that isn't running yet.
#[derive(Debug)]
pub struct Serving {
    listener: TcpListener,
    gateway: Gateway,
}

impl Serving {
    /// Takes the address.
    ///
    /// # Errors
    /// It can't be had.
    pub async fn bind(gateway: Gateway, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        info!(%address, "gateway at http://{address}/");
        Ok(Self { listener, gateway })
    }

    /// Serves until `stop` turns true; `status` hears how the connection to Redis fares.
    pub async fn run(self, status: &Status, stop: watch::Receiver<bool>) {
        let following = tokio::spawn(self.gateway.clone().follow_settings());
        let gateway = self.gateway.clone();
        let writing = tokio::spawn(async move { gateway.writer.send(&gateway.link).await });
        let link = &self.gateway.link;
        tokio::join!(
            link.keep(status, stop.clone()),
            accept(self.listener, app::app(self.gateway.clone()), Limits::default(), stop)
        );
        following.abort();
        writing.abort();
    }
}

async fn accept(listener: TcpListener, app: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = take(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    converse(stream, app, limits, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!("a connection couldn't be taken: {error}");
                sleep(RECOVER).await;
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(FAREWELL, finished).await.is_err() {
        info!(connections = connections.len(), "connections cut off");
    }
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

/// Once the process is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection, from its first request to its last.
async fn converse(stream: TcpStream, app: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.taken)), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    // How it ends is the client's business.
    let _ = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::io::{Read, Write};
    use tokio::task::spawn_blocking;

    #[tokio::test]
    async fn who_sends_no_head_gives_up_his_place_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let limits = Limits { connections: 1, head: Duration::from_millis(100), ..Limits::default() };
        let app = Router::new().route("/", get(|| async { "here" }));
        let serving = tokio::spawn(accept(listener, app, limits, stopped));
        let answer = spawn_blocking(move || {
            let mut slow = std::net::TcpStream::connect(address).unwrap();
            slow.write_all(b"GET / HTTP/1.1\r\nhos").unwrap();
            let mut next = std::net::TcpStream::connect(address).unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            next.read_to_string(&mut answer).unwrap();
            answer
        });
        assert!(answer.await.unwrap().ends_with("here"));
        stop.send_replace(true);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn who_takes_nothing_of_its_answer_gives_up_its_place_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let limits = Limits { connections: 1, taken: Duration::from_millis(100), ..Limits::default() };
        let large = || async { vec![b'x'; 64 << 20] };
        let app = Router::new().route("/", get(|| async { "here" })).route("/large", get(large));
        let serving = tokio::spawn(accept(listener, app, limits, stopped));
        let answer = spawn_blocking(move || {
            let mut idle = std::net::TcpStream::connect(address).unwrap();
            idle.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let mut next = std::net::TcpStream::connect(address).unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            next.read_to_string(&mut answer).unwrap();
            drop(idle);
            answer
        });
        let answer = timeout(Duration::from_secs(60), answer).await.expect("the next one has its turn");
        assert!(answer.unwrap().ends_with("here"));
        stop.send_replace(true);
        serving.await.unwrap();
    }
}
