//! Bytes to text: UTF-8, UTF-16, and the Windows-1252 that spreadsheets still write.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How many bytes are looked at to tell UTF-16 without a mark from text with stray NULs.
const SNIFF_BYTES: usize = 4096;

/// How a file's bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Utf16,
    /// Lines that are not UTF-8 were read as Windows-1252; the others as UTF-8, since exports get glued together.
    Windows1252 {
        lines: usize,
    },
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 => f.write_str("UTF-8"),
            Self::Utf16 => f.write_str("UTF-16"),
            Self::Windows1252 { lines } => write!(f, "Windows-1252 ({lines} lines are not UTF-8)"),
        }
    }
}

/// The text of a file, with `\n` line ends and no byte order mark. Takes any bytes.
pub(super) fn decode(bytes: &[u8]) -> (String, Charset) {
    let (text, charset) = match utf16_of(bytes) {
        Some(encoding) => (encoding.decode_with_bom_removal(bytes).0, Charset::Utf16),
        None => decode_bytes(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    (unify_line_ends(text), charset)
}

fn utf16_of(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    // Mostly Latin text in UTF-16 has a NUL in nearly every pair, always on the same side.
    let head = &bytes[..bytes.len().min(SNIFF_BYTES)];
    let pairs = head.len() / 2;
    let nuls = |side: usize| head.chunks_exact(2).filter(|pair| pair[side] == 0).count();
    let (high_first, low_first) = (nuls(0), nuls(1));
    match pairs {
        0 => None,
        _ if low_first * 10 > pairs * 7 && high_first * 10 < pairs => Some(UTF_16LE),
        _ if high_first * 10 > pairs * 7 && low_first * 10 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

fn decode_bytes(bytes: &[u8]) -> (Cow<'_, str>, Charset) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Charset::Utf8);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut lines = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => {
                text.push_str(&WINDOWS_1252.decode_without_bom_handling(line).0);
                lines += 1;
            }
        }
    }
    (Cow::Owned(text), Charset::Windows1252 { lines })
}

fn unify_line_ends(text: Cow<'_, str>) -> String {
    if !text.contains('\r') {
        return text.into_owned();
    }
    // Where there is any LF, a lone CR is content (old Macs wrote nothing but CR).
    if text.contains('\n') { text.replace("\r\n", "\n") } else { text.replace('\r', "\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], text: &str, charset: Charset) {
        assert_eq!(decode(bytes), (text.to_owned(), charset), "{bytes:?}");
    }

    #[test]
    fn text_is_read_whatever_wrote_it() {
        check("a,\u{fc}\r\nb".as_bytes(), "a,\u{fc}\nb", Charset::Utf8);
        check(b"\xef\xbb\xbfsku\r1\r", "sku\n1\n", Charset::Utf8);
        check(b"\xff\xfes\0k\0\xfc\0\n\0", "sk\u{fc}\n", Charset::Utf16);
        check(b"\xfe\xff\0s\0k", "sk", Charset::Utf16);
        check(b"s\0k\0u\0,\0q\0\n\0", "sku,q\n", Charset::Utf16);
        check(b"", "", Charset::Utf8);
    }

    #[test]
    fn one_bad_line_does_not_spoil_the_good_ones() {
        let bytes = [b"Gr\xf6\xdfe \x80\n".as_slice(), "Größe\n".as_bytes()].concat();
        check(&bytes, "Größe €\nGröße\n", Charset::Windows1252 { lines: 1 });
    }

    #[test]
    fn stray_nuls_are_not_utf16() {
        check(b"sku,\0on_hand\nA,1\n", "sku,\0on_hand\nA,1\n", Charset::Utf8);
    }
}
