//! The contracts' comments, by the place of what they describe.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

#[derive(Debug, Default)]
pub(crate) struct Comments {
    /// By file name and descriptor path.
    texts: HashMap<(String, Vec<i32>), String>,
}

impl Comments {
    pub(crate) fn read(pool: &DescriptorPool) -> Self {
        let mut texts = HashMap::new();
        for file in pool.files() {
            let Some(info) = &file.file_descriptor_proto().source_code_info else { continue };
            for location in &info.location {
                let comment = location.leading_comments.as_deref().or(location.trailing_comments.as_deref());
                if let Some(text) = comment.map(unwrapped).filter(|text| !text.is_empty()) {
                    texts.insert((file.name().to_owned(), location.path.clone()), text);
                }
            }
        }
        Self { texts }
    }

    /// The comment on what stands at a path of a file; empty where there is none.
    pub(crate) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.texts.get(&(file.name().to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// Lines joined, since their breaks are the source's; blank lines stay as paragraphs.
fn unwrapped(comment: &str) -> String {
    let paragraphs = comment.trim().split("\n\n");
    let joined = paragraphs.map(|text| text.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    joined.collect::<Vec<_>>().join("\n\n")
}
