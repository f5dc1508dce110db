//! What a client is pointed at.

use http::Uri;
use http::uri::Authority;

/// Where the endpoints of a service are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `http://host:port`: one address behind which somebody else balances (Linkerd, Istio), or one server.
    Cluster(Authority),
    /// `dns:///host:port`: every address the name has is an endpoint (a headless service).
    Dns { host: String, port: u16, authority: Authority },
    /// `static:///a:1,b:2`.
    Static(Vec<Authority>),
}

/// Why a client cannot be pointed there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target:?} is no address: give http://host:port, dns:///host:port or static:///host:port,host:port")]
pub struct BadTarget {
    target: String,
}

impl Target {
    pub(super) fn parse(target: &str) -> Result<Self, BadTarget> {
        let parsed = match target.split_once(":///") {
            Some(("dns", rest)) => Self::dns(rest),
            Some(("static", rest)) => rest.split(',').map(endpoint).collect::<Option<_>>().map(Self::Static),
            Some(_) => None,
            None => Self::cluster(target),
        };
        parsed.ok_or_else(|| BadTarget { target: target.to_owned() })
    }

    fn cluster(target: &str) -> Option<Self> {
        let uri: Uri = target.parse().ok()?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        // The scheme on the wire is decided by whether there is a TLS connector.
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.into_parts().authority?;
        (is_bare && is_web && authority.port_u16() != Some(0) && is_plain(&authority))
            .then_some(Self::Cluster(authority))
    }

    fn dns(rest: &str) -> Option<Self> {
        let authority = endpoint(rest)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Some(Self::Dns { host, port: authority.port_u16()?, authority })
    }
}

/// `host:port`, both required.
fn endpoint(text: &str) -> Option<Authority> {
    let authority: Authority = text.trim().parse().ok()?;
    (is_plain(&authority) && authority.port_u16().is_some_and(|port| port > 0)).then_some(authority)
}

fn is_plain(authority: &Authority) -> bool {
    !authority.host().is_empty() && !authority.as_str().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let authority = |text: &str| text.parse::<Authority>().expect("an authority");
        let check = |target, expect| assert_eq!(Target::parse(target), Ok(expect), "{target}");
        check("http://inventory:50051", Target::Cluster(authority("inventory:50051")));
        check("http://[::1]:50051/", Target::Cluster(authority("[::1]:50051")));
        check("static:///a:1,[::1]:2", Target::Static(vec![authority("a:1"), authority("[::1]:2")]));
        let dns = Target::Dns { host: "inventory.shop".into(), port: 7, authority: authority("inventory.shop:7") };
        check("dns:///inventory.shop:7", dns);
    }

    #[test]
    fn what_is_no_target_is_refused_at_start() {
        for bad in [
            "",
            "inventory",
            "inventory:1",
            "ftp://a:1",
            "http://a:1/path",
            "http://u@a:1",
            "dns:///a",
            "dns:///:1",
            "dns://8.8.8.8/a:1",
            "static:///",
            "static:///a:1,",
            "static:///a:0",
            "http:///a:1",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
    }
}
