//! The dashboard: files that are part of this program. Whoever reaches it may have them; what they show is asked from the API,
//! with a key where keys are set.

use super::Gateway;
use super::errors::{Code, Problem};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;
use std::fmt::Write as _;

#[derive(RustEmbed)]
#[folder = "dashboard/"]
struct Files;

/// Nothing but its own files and its own API; no script or style within the page; in no other site's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page at `/`, the rest of it below `/dashboard/`.
pub fn routes() -> Router<Gateway> {
    Router::new().route("/", get(|headers: HeaderMap| async move { file("index.html", &headers) })).route(
        "/dashboard/{*path}",
        get(|Path(path): Path<String>, headers: HeaderMap| async move { file(&path, &headers) }),
    )
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some((file, kind)) = Files::get(path).zip(kind(path)) else {
        return Problem::new(Code::UnknownPath, "the dashboard has no such file; it begins at /").into_response();
    };
    let tag = tag(&file);
    // Asked for each time, and sent again only if this is another release.
    let fixed = [(CACHE_CONTROL, "no-cache"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    let known = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, fixed, [(ETAG, tag)]).into_response();
    }
    let page = [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer")];
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    (fixed, page, [(ETAG, tag)], bytes).into_response()
}

/// Of a file's first 128 bits; others don't meet by chance.
fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex = hash[..16].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("\"{hex}\"")
}

/// What a browser is told it is.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit('.').next()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "LICENSE" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn text(path: &str) -> String {
        let file = Files::get(path).unwrap_or_else(|| panic!("the dashboard has no {path}"));
        String::from_utf8(file.data.into_owned()).unwrap()
    }

    /// What stands between `start` and `end` in a text, each time.
    fn between<'a>(text: &'a str, start: &str, end: char) -> Vec<&'a str> {
        text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
    }

    #[test]
    fn it_fits_into_200_kilobytes_and_every_file_has_a_type() {
        let sizes: Vec<usize> = Files::iter().map(|path| Files::get(&path).unwrap().data.len()).collect();
        assert!(sizes.iter().sum::<usize>() <= 200_000, "{}", sizes.iter().sum::<usize>());
        for path in Files::iter() {
            assert!(kind(&path).is_some(), "{path}");
        }
    }

    #[test]
    fn every_file_that_the_page_asks_for_is_there() {
        let index = text("index.html");
        let asked = [between(&index, "src=\"dashboard/", '"'), between(&index, "href=\"dashboard/", '"')].concat();
        assert!(asked.len() > 6, "{asked:?}");
        asked.iter().for_each(|path| drop(text(path)));
        for script in Files::iter().filter(|path| path.starts_with("js/")) {
            let folder = std::path::Path::new(script.as_ref()).parent().unwrap();
            for import in between(&text(&script), "from '", '\'') {
                let path = folder.join(import);
                let mut parts = Vec::new();
                for part in path.to_str().unwrap().split('/').filter(|part| *part != ".") {
                    match part {
                        ".." => drop(parts.pop().map(str::to_owned)),
                        _ => parts.push(part),
                    }
                }
                drop(text(&parts.join("/")));
            }
        }
    }

    #[test]
    fn no_script_or_style_stands_in_the_page_and_none_is_asked_from_elsewhere() {
        let index = text("index.html");
        assert!(!index.contains("<style") && !index.contains("style=") && !index.contains("//"));
        assert!(between(&index, "<script", '>').iter().all(|script| script.contains("src=\"dashboard/")));
    }

    #[test]
    fn data_never_becomes_markup() {
        for script in Files::iter().filter(|path| path.starts_with("js/")) {
            let text = text(&script);
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(word), "{script}: {word}");
            }
        }
    }

    #[test]
    fn what_a_browser_has_already_isnt_sent_again() {
        let first = file("index.html", &HeaderMap::new());
        assert_eq!(
            (first.status(), &first.headers()[CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
        assert!(first.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        let tag = first.headers()[ETAG].to_str().unwrap();
        for known in [tag.to_owned(), format!("\"old\", W/{tag}")] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(&known).unwrap())]);
            assert_eq!(file("index.html", &headers).status(), StatusCode::NOT_MODIFIED);
            assert_eq!(file("icon.svg", &headers).status(), StatusCode::OK);
        }
        assert_eq!(file("../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
