//! Where a watch stands: the version seen of each level, as an opaque text.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::level::{LevelId, Version};

/// Cursors longer than this are not ours.
const CHARS_MAX: usize = 64 << 10;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor(BTreeMap<LevelId, Version>);

impl Cursor {
    pub(crate) fn new(seen: BTreeMap<LevelId, Version>) -> Self {
        Self(seen)
    }

    pub(crate) fn into_versions(self) -> BTreeMap<LevelId, Version> {
        self.0
    }

    pub(crate) fn encode(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(id, version)| format!("{}:{}", id.0, version.0)).collect();
        URL_SAFE_NO_PAD.encode(format!("w1,{}", pairs.join(",")))
    }

    /// Nothing where the text is not a cursor of ours.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() > CHARS_MAX {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let pairs = text.strip_prefix("w1,")?;
        let pairs = pairs.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            let (id, version) = pair.split_once(':')?;
            let (id, version) = (id.parse().ok()?, version.parse().ok()?);
            (version >= 0).then_some((LevelId(id), Version(version)))
        });
        pairs.collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(seen in prop::collection::btree_map(0_i64.., 0_i64.., 0..20)) {
            let cursor = Cursor(seen.into_iter().map(|(id, version)| (LevelId(id), Version(version))).collect());
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = Cursor::decode(&text);
        }
    }
}
