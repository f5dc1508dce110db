//! What the gateway counts, in OpenTelemetry's names: semantic conventions 1.40.0.

use std::collections::HashMap;
use std::sync::LazyLock;

use holdfast_contracts::MethodTable;
use holdfast_platform::telemetry::histogram::{Histogram, Seconds};
use holdfast_platform::telemetry::label::Label;
use holdfast_platform::telemetry::value::UpDown;
use holdfast_platform::{label, metrics};
use http::{Method, StatusCode};

label! {
    /// One value: TLS, where there is any, ends before the gateway.
    pub(crate) enum UrlScheme = "url.scheme" { Http = "http" }
}

label! {
    /// The methods HTTP itself defines; a caller's own are `_OTHER`.
    pub(crate) enum HttpMethod = "http.request.method" {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Delete = "DELETE",
        Patch = "PATCH",
        Options = "OPTIONS",
        Other = "_OTHER",
    }
}

impl HttpMethod {
    pub(crate) fn of(method: &Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "PATCH" => Self::Patch,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// A route's template: `/v1/stock/{sku}`. None where the path led nowhere, or to a contract that is not this build's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HttpRoute(u16);

/// The gateway's own doors.
const OWN: [&str; 4] = ["/", "/openapi.json", "/livez", "/readyz"];

static ROUTES: LazyLock<(Vec<&'static str>, HashMap<&'static str, u16>)> = LazyLock::new(|| {
    // Contracts that cannot be served stop the gateway at its start, before anything is counted.
    let table = MethodTable::load().ok();
    let routes = table.iter().flat_map(MethodTable::methods).flat_map(|method| &method.routes);
    let mut templates: Vec<String> = routes.map(|route| route.template.clone()).chain(OWN.map(str::to_owned)).collect();
    templates.sort();
    templates.dedup();
    let words: Vec<&'static str> = std::iter::once("").chain(templates.into_iter().map(|word| &*word.leak())).collect();
    let places = (0..).zip(&words).map(|(place, word)| (*word, place)).collect();
    (words, places)
});

impl HttpRoute {
    pub(crate) fn of(template: &str) -> Self {
        Self(ROUTES.1.get(template).copied().unwrap_or_default())
    }

    pub(crate) fn place(self) -> u16 {
        self.0
    }

    pub(crate) fn at(place: u16) -> Self {
        Self(place)
    }

    /// The template; empty where there is none.
    pub(crate) fn template(self) -> &'static str {
        ROUTES.0[usize::from(self.0)]
    }
}

/// What spans are called: `GET /v1/stock/{sku}`; by route, then by method.
static SPAN_NAMES: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let name = |method: &str, route: &str| &*format!("{method} {route}").trim_end().to_owned().leak();
    let of = |route: &&'static str| HttpMethod::words().iter().map(|method| name(method, route)).collect();
    ROUTES.0.iter().map(of).collect()
});

/// `GET /v1/stock/{sku}`.
pub(crate) fn span_name(method: HttpMethod, route: HttpRoute) -> &'static str {
    SPAN_NAMES[usize::from(route.0)][method as usize]
}

impl Label for HttpRoute {
    const NAME: &'static str = "http.route";

    fn words() -> &'static [&'static str] {
        &ROUTES.0
    }

    fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// What was answered, among those the gateway ever answers; none where the caller went away first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpStatus(usize);

const STATUSES: [&str; 27] = [
    "", "200", "201", "204", "304", "400", "401", "402", "403", "404", "405", "406", "408", "409", "410", "412", "413",
    "414", "415", "422", "428", "429", "431", "500", "501", "503", "504",
];

impl HttpStatus {
    /// The caller went away.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(status: StatusCode) -> Self {
        let known = STATUSES.iter().position(|word| *word == status.as_str());
        // A status without a word of its own counts as its class's first.
        let class = match status.as_u16() {
            ..400 => "200",
            400..500 => "400",
            500.. => "500",
        };
        Self(known.or_else(|| STATUSES.iter().position(|word| *word == class)).unwrap_or_default())
    }
}

impl Label for HttpStatus {
    const NAME: &'static str = "http.response.status_code";

    fn words() -> &'static [&'static str] {
        &STATUSES
    }

    fn place(self) -> usize {
        self.0
    }
}

metrics! {
    /// The gateway's metrics.
    pub(crate) struct Metrics of "gateway" {
        /// How long requests took to answer; event streams, to open.
        pub(crate) requests: Histogram<Seconds>, [UrlScheme, HttpMethod, HttpRoute, HttpStatus] = "http.server.request.duration" as seconds;
        /// Requests being answered.
        pub(crate) active: UpDown, [UrlScheme, HttpMethod] = "http.server.active_requests";
        /// Event streams open.
        pub(crate) streams: UpDown, [] = "holdfast.gateway.event_streams";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_contracts::ReasonInfo;

    #[test]
    fn every_refusal_counts_under_its_own_status() {
        for info in ReasonInfo::all() {
            let status = HttpStatus::of(info.http_status);
            assert_eq!(STATUSES[status.0], info.http_status.as_str(), "{:?}", info.reason);
        }
    }
}
