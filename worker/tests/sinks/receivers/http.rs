//! A receiver over HTTP.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// All of it, as a careless receiver repeats it.
    pub(crate) fn echo(&self) -> String {
        format!("{} {:?} {}", self.path, self.headers, self.body)
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl From<u16> for Answer {
    fn from(status: u16) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap(), ..Self::default() }
    }
}

/// A receiver on a thread of its own.
pub(crate) struct Http {
    pub address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Http {
    /// One that answers 200.
    pub(crate) fn start() -> Self {
        Self::answering(|_| 200.into())
    }

    pub(crate) fn answering(answer: impl Fn(&Post) -> Answer + Clone + Send + Sync + 'static) -> Self {
        let posts = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posts);
        let take = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let body = String::from_utf8(body.to_vec()).unwrap();
            let post = Post { path: uri.to_string(), headers, body };
            let answer = answer(&post);
            kept.lock().unwrap().push(post);
            let mut response = Response::builder().status(answer.status);
            for (name, value) in answer.headers {
                response = response.header(name, value);
            }
            response.body(answer.body).unwrap()
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, Router::new().fallback(take)).await
            })
        });
        Self { address, posts }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All that came so far.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Post {
        self.posts().pop().expect("something was posted")
    }
}
