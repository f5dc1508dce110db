//! One function per statement; the statements are in `store/sql/`.

pub(crate) mod batch;
pub(crate) mod brand;
pub(crate) mod level;
pub(crate) mod location;
pub(crate) mod movement;
pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod variant;

/// Reads back an identifier that was parsed before it was stored.
fn stored<T>(text: String) -> T
where
    T: TryFrom<String>,
    T::Error: std::fmt::Debug,
{
    T::try_from(text).expect("only parsed identifiers are stored")
}
