//! Database URLs as people may see them.

/// The same URL with its password left out, in whichever of PostgreSQL's spellings it is.
pub fn without_password(url: &str) -> String {
    let url = match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(host)) if scheme + 3 <= host => {
            let (user, _) = url[scheme + 3..host].split_once(':').unwrap_or((&url[scheme + 3..host], ""));
            format!("{}{user}{}", &url[..scheme + 3], &url[host..])
        }
        (Some(_) | None, _) => url.to_owned(),
    };
    // `?password=` of a URL, `password=` among keywords; a quoted one may have spaces.
    let Some(at) = url.find("password=") else { return url };
    let (before, value) = (&url[..at], &url[at + "password=".len()..]);
    let end = match value.strip_prefix('\'') {
        Some(quoted) => quoted.find('\'').map_or(value.len(), |end| end + 2),
        None => value.find(['&', ' ']).unwrap_or(value.len()),
    };
    format!("{before}password=..{}", &value[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_everything_but_its_password() {
        for (url, expect) in [
            (
                "postgres://shop:s3cret@db:5432/holdfast?sslmode=require",
                "postgres://shop@db:5432/holdfast?sslmode=require",
            ),
            ("postgres://shop:p@ss:w0rd@db/holdfast", "postgres://shop@db/holdfast"),
            ("postgres://shop@db/holdfast?password=s3cret&x=1", "postgres://shop@db/holdfast?password=..&x=1"),
            ("host=db password='s3 cret' user=shop", "host=db password=.. user=shop"),
            ("host=db password=s3cret", "host=db password=.."),
            ("postgres://holdfast@/postgres?host=/run", "postgres://holdfast@/postgres?host=/run"),
        ] {
            assert_eq!(without_password(url), expect);
        }
    }
}
