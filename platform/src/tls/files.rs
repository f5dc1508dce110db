//! The three files an identity is read from, all PEM. Where they lie is whoever mounts them's choice: cert-manager's names
//! are `tls.crt`, `tls.key` and `ca.crt`.

use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

/// More than any chain or bundle has, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a process's identity lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, then its intermediates.
    pub cert: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The authorities that are believed; two of them while one takes over from the other.
    pub ca: PathBuf,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("{} cannot be read: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: String },
    #[error("{} has more than {FILE_BYTES_MAX} bytes", path.display())]
    TooLarge { path: PathBuf },
}

/// What the files hold. Kept, to see when it changes: neither times nor inode numbers tell that where symbolic links are
/// swapped, as Kubernetes does. No `Debug`: one of them is a private key.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) cert: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) ca: Vec<u8>,
}

impl Files {
    /// A folder with the names that cert-manager and `holdfast dev-certs` give the files.
    pub fn in_folder(folder: &Path) -> Self {
        Self { cert: folder.join("tls.crt"), key: folder.join("tls.key"), ca: folder.join("ca.crt") }
    }

    pub(super) async fn read(&self) -> Result<Contents, FileError> {
        Ok(Contents { cert: read(&self.cert).await?, key: read(&self.key).await?, ca: read(&self.ca).await? })
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let unreadable = |cause: std::io::Error| FileError::Unreadable { path: path.to_owned(), cause: cause.to_string() };
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut contents = Vec::new();
    let bytes = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut contents).await.map_err(unreadable)?;
    if bytes as u64 > FILE_BYTES_MAX {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    Ok(contents)
}
