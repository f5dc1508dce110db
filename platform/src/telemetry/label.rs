//! What series are told apart by. Every label is a closed list, known before the first call: no series is ever made by
//! what a caller sends, and a series is found by arithmetic instead of by hashing.

/// A label of a metric: one of a fixed list of words.
pub trait Label: Copy + Send + Sync + 'static {
    /// In OpenTelemetry's spelling: `rpc.method`.
    const NAME: &'static str;

    /// Every value there is. An empty word stands for the label's absence.
    fn words() -> &'static [&'static str];

    /// This value's place among [`Label::words`].
    fn place(self) -> usize;
}

/// The labels of one metric: none, or up to four.
pub trait Labels: Copy + Send + Sync + 'static {
    /// Names with every value, in order.
    fn lists() -> Vec<(&'static str, &'static [&'static str])>;

    /// The place of this combination among all of them.
    fn place(self) -> usize;

    /// How many combinations there are.
    fn count() -> usize {
        Self::lists().iter().map(|(_, words)| words.len()).product()
    }

    /// The names and values at a place; absent labels are left out.
    fn at(place: usize) -> Vec<(&'static str, &'static str)> {
        let mut rest = place;
        let mut pairs = Vec::new();
        for (name, words) in Self::lists().into_iter().rev() {
            pairs.push((name, words[rest % words.len()]));
            rest /= words.len();
        }
        pairs.reverse();
        pairs.retain(|(_, word)| !word.is_empty());
        pairs
    }
}

macro_rules! labels_of_tuple {
    ($($label:ident . $index:tt),*) => {
        impl<$($label: Label),*> Labels for ($($label,)*) {
            fn lists() -> Vec<(&'static str, &'static [&'static str])> {
                vec![$(($label::NAME, $label::words())),*]
            }

            fn place(self) -> usize {
                let place = 0;
                $(let place = place * $label::words().len() + self.$index.place();)*
                place
            }
        }
    };
}

labels_of_tuple!();
labels_of_tuple!(A.0);
labels_of_tuple!(A.0, B.1);
labels_of_tuple!(A.0, B.1, C.2);
labels_of_tuple!(A.0, B.1, C.2, D.3);

/// Declares a label whose values are the code's own.
///
/// ```ignore
/// label! {
///     /// Which way a coin fell.
///     pub enum Side = "coin.side" { Heads = "heads", Tails = "tails" }
/// }
/// ```
#[macro_export]
macro_rules! label {
    ($(#[$doc:meta])* $vis:vis enum $name:ident = $label:literal { $($(#[$value_doc:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$value_doc])* $value),+
        }

        impl $crate::telemetry::label::Label for $name {
            const NAME: &'static str = $label;

            fn words() -> &'static [&'static str] {
                &[$($word),+]
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::label! { enum Side = "coin.side" { Heads = "heads", Tails = "tails" } }
    crate::label! { enum Kind = "coin.kind" { Unknown = "", Gold = "gold", Tin = "tin" } }

    #[test]
    fn every_combination_has_a_place_of_its_own() {
        let all = [(Side::Heads, Kind::Unknown), (Side::Heads, Kind::Tin), (Side::Tails, Kind::Gold)];
        let at = all.map(|labels| <(Side, Kind)>::at(labels.place()));
        assert_eq!(<(Side, Kind)>::count(), 6);
        assert_eq!(at[0], [("coin.side", "heads")], "an absent label is left out");
        assert_eq!(at[1], [("coin.side", "heads"), ("coin.kind", "tin")]);
        assert_eq!(at[2], [("coin.side", "tails"), ("coin.kind", "gold")]);
        assert_eq!(<()>::count(), 1);
    }
}
