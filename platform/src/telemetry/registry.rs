//! Every metric of the process, declared in one way: [`metrics!`](crate::metrics). A declaration makes the series, the
//! page that scrapers read ([`render`]) and its line in docs/metrics.md ([`descriptions`]).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::family::{AnyFamily, Family};
use super::label::Labels;
use super::value::{Exemplar, Value};

/// What `GET /metrics` says its body is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is known of a metric before anything is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// In OpenTelemetry's spelling: `rpc.server.call.duration`.
    pub name: &'static str,
    /// Whether its values are seconds; counts have no unit.
    pub is_seconds: bool,
    pub kind: Kind,
    /// Every label with all its values.
    pub labels: Vec<(&'static str, &'static [&'static str])>,
    pub help: &'static str,
    /// Whose it is: `platform`, or a service.
    pub owner: &'static str,
}

/// What scrapers take it for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    fn of(kind: MetricType) -> Self {
        match kind {
            MetricType::Counter => Self::Counter,
            MetricType::Histogram => Self::Histogram,
            MetricType::Gauge | MetricType::Info | MetricType::Unknown => Self::Gauge,
        }
    }
}

impl Description {
    /// In Prometheus's spelling, with its unit; a histogram's series add `_bucket`, `_sum` and `_count`.
    pub fn prometheus_name(&self) -> String {
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{total}", self.stem())
    }

    fn stem(&self) -> String {
        format!("{}{}", self.name.replace('.', "_"), if self.is_seconds { "_seconds" } else { "" })
    }
}

struct Declared {
    description: Description,
    family: Box<dyn AnyFamily>,
}

#[derive(Default)]
struct All {
    registry: Registry,
    declared: Vec<Declared>,
}

/// Metrics belong to the process, as its processor time does: services in one process share the page.
static ALL: Mutex<Option<All>> = Mutex::new(None);

/// Adds a family; for [`metrics!`](crate::metrics).
#[doc(hidden)]
pub fn declare<L: Labels, V: Value>(
    owner: &'static str,
    name: &'static str,
    is_seconds: bool,
    help: &'static str,
) -> Family<L, V> {
    let family = Family::<L, V>::default();
    let help = help.trim();
    let description = Description { name, is_seconds, kind: Kind::of(V::TYPE), labels: L::lists(), help, owner };
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let All { registry, declared } = all.get_or_insert_default();
    let name = name.replace('.', "_");
    match is_seconds {
        true => registry.register_with_unit(name, help, Unit::Seconds, family.clone()),
        false => registry.register(name, help, family.clone()),
    }
    declared.push(Declared { description, family: Box::new(family.clone()) });
    family
}

/// Every metric declared so far, by name.
pub fn descriptions() -> Vec<Description> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let declared = all.iter().flat_map(|all| &all.declared);
    let mut descriptions: Vec<_> = declared.map(|declared| declared.description.clone()).collect();
    descriptions.sort_by_key(|description| description.name);
    descriptions
}

/// The page that scrapers read, as OpenMetrics text ([`CONTENT_TYPE`]). Cost: a pass over every series.
pub fn render() -> String {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut page = String::new();
    let Some(all) = all.as_ref() else { return page };
    text::encode(&mut page, &all.registry).expect("a string takes all that is written to it");
    let marks: HashMap<String, String> = all.declared.iter().flat_map(marks_of).collect();
    if marks.is_empty() { page } else { mark(&page, &marks) }
}

/// The bucket lines, up to their value, that have an exemplar, and how it is written.
fn marks_of(declared: &Declared) -> Vec<(String, String)> {
    let stem = declared.description.stem();
    let marks = declared.family.exemplars().into_iter().map(|(labels, bound, exemplar)| {
        let bound = if bound.is_finite() { format!("{bound:?}") } else { "+Inf".to_owned() };
        let labels: String = labels.iter().map(|(name, word)| format!(",{name}=\"{word}\"")).collect();
        let Exemplar { trace_id, value, time } = exemplar;
        let time = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        (
            format!("{stem}_bucket{{le=\"{bound}\"{labels}}}"),
            format!(" # {{trace_id=\"{trace_id:032x}\"}} {value:?} {time:.3}"),
        )
    });
    marks.collect()
}

/// prometheus-client writes exemplars of its own histogram alone: ours are put behind their lines.
fn mark(page: &str, marks: &HashMap<String, String>) -> String {
    let mut marked = String::with_capacity(page.len() + marks.len() * 96);
    for line in page.lines() {
        let exemplar = line.rsplit_once(' ').and_then(|(series, _)| marks.get(series)).map_or("", String::as_str);
        writeln!(marked, "{line}{exemplar}").expect("a string takes all that is written to it");
    }
    marked
}

/// Declares metrics: each field is a family, its doc comment the help text, its literal the name as OpenTelemetry spells
/// it, `as seconds` its unit.
///
/// ```ignore
/// metrics! {
///     /// What a bakery counts.
///     pub struct Bakery of "bakery" {
///         /// Loaves, by what became of them.
///         pub loaves: Counter, [Fate] = "bakery.loaves";
///         /// How long the dough rests.
///         pub rest: Histogram<Seconds>, [] = "bakery.dough.rest" as seconds;
///     }
/// }
/// Bakery::get().loaves.of((Fate::Sold,)).add(1);
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$doc:meta])* $vis:vis struct $name:ident of $owner:literal {
            $($(#[doc = $help:literal])+ $field_vis:vis $field:ident: $value:ty, [$($label:ty),*] = $metric:literal $(as $unit:ident)?;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $help])+ $field_vis $field: $crate::telemetry::family::Family<($($label,)*), $value>,)+
        }

        impl $name {
            /// The process's own; declared when first asked for.
            $vis fn get() -> &'static Self {
                static METRICS: std::sync::LazyLock<$name> = std::sync::LazyLock::new(|| $name {
                    $($field: $crate::telemetry::registry::declare(
                        $owner,
                        $metric,
                        <[&str]>::contains(&[$(stringify!($unit),)?], &"seconds"),
                        concat!($($help),+),
                    ),)+
                });
                &METRICS
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::telemetry::histogram::{Count, Histogram, Seconds};
    use crate::telemetry::value::{Counter, Gauge};

    crate::label! { pub(super) enum Fate = "fate" { Sold = "sold", Eaten = "eaten" } }

    crate::metrics! {
        /// What a bakery counts.
        struct Bakery of "bakery" {
            /// Loaves, by what became of them.
            loaves: Counter, [Fate] = "bakery.loaves";
            /// How long the dough rests.
            rest: Histogram<Seconds>, [Fate] = "bakery.dough.rest" as seconds;
            /// Loaves a tray.
            trays: Histogram<Count>, [] = "bakery.trays";
            /// How hot the oven is.
            heat: Gauge, [] = "bakery.oven.heat";
        }
    }

    #[test]
    fn a_page_says_what_was_counted_and_points_at_sampled_traces() {
        let bakery = Bakery::get();
        bakery.loaves.of((Fate::Eaten,)).add(2);
        let rest = bakery.rest.of((Fate::Sold,));
        rest.observe(Duration::from_micros(100));
        rest.observe_traced(Duration::from_millis(3), Some(0xabc));
        rest.observe(Duration::from_secs(60));
        bakery.trays.observe(3);
        let page = super::render();
        for line in [
            "# TYPE bakery_loaves counter",
            "bakery_loaves_total{fate=\"sold\"} 0",
            "bakery_loaves_total{fate=\"eaten\"} 2",
            "# UNIT bakery_dough_rest_seconds seconds",
            "bakery_dough_rest_seconds_bucket{le=\"0.0001\",fate=\"sold\"} 1",
            "bakery_dough_rest_seconds_bucket{le=\"10.0\",fate=\"sold\"} 2",
            "bakery_dough_rest_seconds_bucket{le=\"+Inf\",fate=\"sold\"} 3",
            "bakery_dough_rest_seconds_count{fate=\"sold\"} 3",
            "bakery_trays_bucket{le=\"2.0\"} 0",
            "bakery_trays_bucket{le=\"4.0\"} 1",
        ] {
            assert!(page.lines().any(|written| written == line), "{line} is not in\n{page}");
        }
        let exemplar = "bakery_dough_rest_seconds_bucket{le=\"0.005\",fate=\"sold\"} 2 \
                        # {trace_id=\"00000000000000000000000000000abc\"} 0.003 ";
        assert!(page.lines().any(|line| line.starts_with(exemplar)), "{page}");
        assert!(!page.contains("\nbakery_oven_heat "), "nobody measured it yet");
        assert!(!page.contains("bakery_dough_rest_seconds_count{fate=\"eaten\"}"), "nothing was observed");
        bakery.heat.set(230.5);
        assert!(super::render().contains("\nbakery_oven_heat 230.5\n"));
    }
}
