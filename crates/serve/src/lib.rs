//! Web pages over the verbs: form only, read-only, for this machine only.
//!
//! Every page is made on the server and reads without a script. The door
//! ([`door`]) turns away whoever does not come from this machine's own browser.

mod asset;
mod chip;
mod door;
mod graph;
mod histogram;
mod markdown;
mod page;
mod query;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use coroner_verbs::book::Book;

/// Why a book could not be opened, in words.
pub type BookError = Box<dyn std::error::Error + Send + Sync>;

/// Hands over the book of the moment; asked once for each page.
pub type Open = dyn Fn() -> Result<Arc<Book>, BookError> + Send + Sync;

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0} is not 127.0.0.1, and without a login the pages are for this machine only")]
    NotLoopback(IpAddr),
    #[error("cannot listen on {addr}: {reason}")]
    Listen { addr: SocketAddr, reason: std::io::Error },
    #[error("stopped listening: {0}")]
    Stopped(std::io::Error),
}

impl ServeError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ServeError::NotLoopback(_) => "listen on 127.0.0.1 and reach it from elsewhere with `ssh -L`",
            ServeError::Listen { .. } => {
                "another program has the port; choose one with `--port`, or 0 for any free one"
            }
            ServeError::Stopped(_) => "start it again",
        }
    }
}

/// Serves the pages until the process ends.
///
/// `on_ready` is told the address once it answers, so that port 0 can be asked for.
pub async fn serve(
    book: impl Fn() -> Result<Arc<Book>, BookError> + Send + Sync + 'static,
    addr: SocketAddr,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    if addr.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return Err(ServeError::NotLoopback(addr.ip()));
    }
    let listen = |reason| ServeError::Listen { addr, reason };
    let listener = tokio::net::TcpListener::bind(addr).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    on_ready(bound);
    axum::serve(listener, router(Arc::new(book), bound.port())).await.map_err(ServeError::Stopped)
}

/// Every address there is, behind the door.
fn router(open: Arc<Open>, port: u16) -> Router {
    Router::new()
        .route("/", get(timeline))
        .route("/incidents", get(timeline))
        .route("/incidents/", get(|| async { Redirect::permanent("/incidents") }))
        .route("/incidents/{id}", get(incident))
        .route("/taxonomy", get(taxonomy))
        .route("/patterns", get(patterns))
        .route("/patterns/{id}", get(pattern))
        .route("/method", get(method))
        .route("/investigations", get(investigations))
        .route("/investigations/{id}", get(investigation))
        .route("/healthz", get(healthz))
        .route("/assets/{name}", get(async |Path(name): Path<String>| asset::answer(&name)))
        .fallback(async || page::not_found("There is no page at this address."))
        .with_state(open)
        .layer(middleware::from_fn_with_state(port, door::guard))
}

async fn timeline(State(open): State<Arc<Open>>, RawQuery(raw): RawQuery) -> Response {
    with_book(open, move |book| page::timeline::page(book, raw.as_deref().unwrap_or(""))).await
}

async fn incident(State(open): State<Arc<Open>>, Path(id): Path<String>) -> Response {
    with_book(open, move |book| page::incident::page(book, &id)).await
}

async fn taxonomy(State(open): State<Arc<Open>>) -> Response {
    with_book(open, page::taxonomy::page).await
}

async fn patterns(State(open): State<Arc<Open>>) -> Response {
    with_book(open, page::pattern::list).await
}

async fn pattern(State(open): State<Arc<Open>>, Path(id): Path<String>) -> Response {
    with_book(open, move |book| page::pattern::page(book, &id)).await
}

async fn method(State(open): State<Arc<Open>>) -> Response {
    with_book(open, page::method::page).await
}

async fn investigations(State(open): State<Arc<Open>>) -> Response {
    with_book(open, page::investigation::list).await
}

async fn investigation(State(open): State<Arc<Open>>, Path(id): Path<String>) -> Response {
    with_book(open, move |book| page::investigation::page(book, &id)).await
}

/// Answers `ok` where the book opens, so that a monitor sees a broken store.
async fn healthz(State(open): State<Arc<Open>>) -> Response {
    with_book(open, |_| "ok\n".into_response()).await
}

/// Opens the book off the async threads and renders one page from it.
async fn with_book(open: Arc<Open>, render: impl FnOnce(&Book) -> Response + Send + 'static) -> Response {
    let made = tokio::task::spawn_blocking(move || match open() {
        Ok(book) => render(&book),
        Err(error) => page::could_not_open(&error.to_string()),
    });
    made.await.unwrap_or_else(|_| page::could_not_open("the page could not be made"))
}
