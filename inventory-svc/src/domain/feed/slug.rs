//! Display names to identifiers.

use xxhash_rust::xxh3::xxh3_64;

/// The longest slug, in characters: what [`holdfast_contracts::LocationId`] and `BrandId` take.
const SLUG_CHARS_MAX: usize = 64;
const HASH_CHARS: usize = 9;

/// An identifier for a display name: lower-case ASCII words joined by `-`. The same name always gives the same
/// identifier; names that differ only in case, accents and punctuation share one. Where letters are lost (other
/// scripts) or the name is too long, a hash of it keeps such names apart.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut lost = false;
    for c in name.trim().chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if let Some(plain) = fold_accent(c) {
            slug.push_str(plain);
        } else {
            lost |= c.is_alphanumeric();
            if !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
                slug.push('-');
            }
        }
    }
    let slug = slug.trim_end_matches('-');
    if !lost && !slug.is_empty() && slug.len() <= SLUG_CHARS_MAX {
        return slug.to_owned();
    }
    let kept = slug[..slug.len().min(SLUG_CHARS_MAX - HASH_CHARS)].trim_end_matches('-');
    let hash = format!("{:08x}", xxh3_64(name.trim().as_bytes()) >> 32);
    if kept.is_empty() { hash } else { format!("{kept}-{hash}") }
}

fn fold_accent(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' => "o",
        'ö' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        // What is left of a decomposed letter once its base is written, and of the Turkish dotted capital.
        '\u{300}'..='\u{36f}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_contracts::LocationId;

    #[test]
    fn slugs_are_what_people_would_write() {
        for (name, expected) in [
            ("508 Larkin St", "508-larkin-st"),
            ("BILALI The Label ", "bilali-the-label"),
            ("Lager Köln (Süd)", "lager-koeln-sued"),
            ("Levi's", "levis"),
            ("C-4-2", "c-4-2"),
            ("main_1", "main_1"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn every_name_has_a_valid_slug_and_other_scripts_stay_apart() {
        for name in ["", "???", "東京", "大阪", &"x".repeat(500), "İstanbul"] {
            slug(name).parse::<LocationId>().expect("a valid identifier");
        }
        assert_ne!(slug("東京"), slug("大阪"));
        assert_ne!(slug(&format!("{}a", "x".repeat(80))), slug(&format!("{}b", "x".repeat(80))));
    }
}
