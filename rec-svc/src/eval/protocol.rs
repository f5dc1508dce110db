//! What is asked of which data, split how, and what others reached there.

mod beauty;
mod journey;
mod log;
pub(super) mod serenade;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::data::beauty::Sequences;
use super::data::journey::Journey;
use super::data::serenade::Click;
use super::data::{self, DataError};
use super::exam::{Exam, Marks};
use super::metric::Metric;
use crate::domain::{Blend, Event, Surface, Tuning};

/// A data set, a split and a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The next click of a session.
    Serenade,
    /// The last purchase of a sequence, learnt from all but the last two.
    Beauty,
    /// The same, with every transition but the last streamed in.
    BeautyStreamed,
    /// A household's next basket.
    JourneyNext,
    /// What of the coming weeks' baskets a household has never bought.
    JourneyNovel,
    /// A product held out of a basket.
    JourneyBasket,
    /// Which products nobody knows yet a household will buy.
    JourneyCold,
    /// The next event of one's own log, of a model that learns up to it.
    Events,
    /// The same, of a model that stays as it was when the questions begin.
    EventsFrozen,
}

/// What a protocol is run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// For choosing parameters.
    Valid,
    /// For reporting, once they are chosen.
    Test,
}

/// What others, or simpler models, were measured to reach: one value a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    pub name: &'static str,
    pub values: &'static [Option<f64>],
}

impl Protocol {
    /// Those on published data.
    pub const PUBLISHED: [Self; 7] = [
        Self::Serenade,
        Self::Beauty,
        Self::BeautyStreamed,
        Self::JourneyNext,
        Self::JourneyNovel,
        Self::JourneyBasket,
        Self::JourneyCold,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Serenade => "serenade",
            Self::Beauty => "beauty",
            Self::BeautyStreamed => "beauty-streamed",
            Self::JourneyNext => "journey-next",
            Self::JourneyNovel => "journey-novel",
            Self::JourneyBasket => "journey-basket",
            Self::JourneyCold => "journey-cold",
            Self::Events => "events",
            Self::EventsFrozen => "events-frozen",
        }
    }

    /// What is measured; the first is what is tuned for.
    pub fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Serenade | Self::Events | Self::EventsFrozen => {
                &[Metric::HitRate { at: 20 }, Metric::ReciprocalRank { at: 20 }]
            }
            Self::Beauty | Self::BeautyStreamed | Self::JourneyNext => {
                &[Metric::Ndcg { at: 10 }, Metric::Recall { at: 10 }]
            }
            Self::JourneyNovel => &[Metric::Recall { at: 20 }, Metric::Ndcg { at: 20 }],
            Self::JourneyBasket => &[Metric::HitRate { at: 20 }, Metric::ReciprocalRank { at: 20 }],
            Self::JourneyCold => &[Metric::Recall { at: 20 }],
        }
    }

    /// Measured by the same protocol: full catalogue, equals in random order.
    pub fn baselines(self) -> &'static [Baseline] {
        match self {
            Self::Serenade => &[
                Baseline { name: "VMIS-kNN as published", values: &[Some(0.640), Some(0.328)] },
                Baseline { name: "STAN", values: &[Some(0.669), Some(0.368)] },
            ],
            Self::Beauty | Self::BeautyStreamed => &[
                Baseline { name: "item-kNN", values: &[Some(0.040), Some(0.069)] },
                Baseline { name: "SASRec as often cited", values: &[Some(0.0318), Some(0.0605)] },
                Baseline { name: "best published found", values: &[Some(0.0531), Some(0.0928)] },
            ],
            Self::JourneyNext => &[
                Baseline { name: "popularity", values: &[Some(0.086), Some(0.066)] },
                Baseline { name: "personal popularity", values: &[Some(0.214), Some(0.181)] },
                Baseline { name: "both", values: &[Some(0.219), Some(0.186)] },
            ],
            Self::JourneyNovel => &[
                Baseline { name: "popularity", values: &[Some(0.0445), Some(0.0448)] },
                Baseline { name: "implicit ALS", values: &[Some(0.0476), Some(0.0482)] },
                Baseline { name: "EASE", values: &[Some(0.0504), Some(0.0516)] },
            ],
            Self::JourneyBasket => &[
                Baseline { name: "popularity", values: &[Some(0.076), Some(0.026)] },
                Baseline { name: "log-likelihood ratio", values: &[Some(0.171), Some(0.059)] },
            ],
            Self::JourneyCold => &[
                Baseline { name: "random", values: &[Some(0.022)] },
                Baseline { name: "profile cosine", values: &[Some(0.113)] },
            ],
            Self::Events | Self::EventsFrozen => &[],
        }
    }

    /// Whose blend answers.
    pub(super) fn surface(self) -> Surface {
        match self {
            Self::Serenade => Surface::Session,
            Self::Beauty | Self::BeautyStreamed => Surface::NextPurchase,
            Self::JourneyNext => Surface::BuyAgain,
            Self::JourneyNovel => Surface::Discover,
            Self::JourneyBasket => Surface::Basket,
            Self::JourneyCold => Surface::Arrivals,
            Self::Events | Self::EventsFrozen => Surface::Shopper,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = || Self::PUBLISHED.into_iter().chain([Self::Events, Self::EventsFrozen]);
        let names = || all().map(Self::name).collect::<Vec<_>>().join(", ");
        let found = all().find(|protocol| protocol.name() == text);
        found.ok_or_else(|| format!("there is no protocol {text:?}; there are {}", names()))
    }
}

/// Data that was read, ready for every protocol on it.
pub(super) enum Data {
    Serenade { train: Vec<Click>, valid: Vec<Click>, test: Vec<Click> },
    Beauty(Sequences),
    Journey(Box<Journey>),
    Log(Vec<Event>),
}

impl Data {
    /// Reads what a protocol is asked of: files in `folder`, or in the data set's own folder within it.
    pub(super) fn read(protocol: Protocol, folder: &Path) -> Result<Self, DataError> {
        let own = match protocol {
            Protocol::Serenade => "serenade_toy",
            Protocol::Beauty | Protocol::BeautyStreamed => "amazon_beauty",
            Protocol::JourneyNext | Protocol::JourneyNovel | Protocol::JourneyBasket | Protocol::JourneyCold => {
                "complete_journey"
            }
            Protocol::Events | Protocol::EventsFrozen => "",
        };
        let within = folder.join(own);
        let folder = if !own.is_empty() && within.is_dir() { &within } else { folder };
        match protocol {
            Protocol::Serenade => Ok(Self::Serenade {
                train: data::serenade::read(&folder.join("train.txt"))?,
                valid: data::serenade::read(&folder.join("valid.txt"))?,
                test: data::serenade::read(&folder.join("test.txt"))?,
            }),
            Protocol::Beauty | Protocol::BeautyStreamed => Ok(Self::Beauty(data::beauty::read(folder)?)),
            Protocol::JourneyNext | Protocol::JourneyNovel | Protocol::JourneyBasket | Protocol::JourneyCold => {
                Ok(Self::Journey(Box::new(data::journey::read(folder)?)))
            }
            Protocol::Events | Protocol::EventsFrozen => Ok(Self::Log(data::log::read(folder)?)),
        }
    }

    /// Whether this is what the protocol is asked of.
    pub(super) fn serves(&self, protocol: Protocol) -> bool {
        match self {
            Self::Serenade { .. } => protocol == Protocol::Serenade,
            Self::Beauty(_) => matches!(protocol, Protocol::Beauty | Protocol::BeautyStreamed),
            Self::Journey(_) => matches!(
                protocol,
                Protocol::JourneyNext | Protocol::JourneyNovel | Protocol::JourneyBasket | Protocol::JourneyCold
            ),
            Self::Log(_) => matches!(protocol, Protocol::Events | Protocol::EventsFrozen),
        }
    }

    /// Measures every question.
    pub(super) fn ask(&self, protocol: Protocol, part: Part, tuning: &Tuning) -> Asked {
        let (blend, metrics) = (blend(protocol, tuning), protocol.metrics());
        let begun = Instant::now();
        if let (Self::Log(events), Protocol::Events) = (self, protocol) {
            let (marks, catalogue) = log::prequential(events, part, tuning.clone(), blend, metrics);
            return Asked { marks, catalogue, learning: Duration::ZERO, asking: begun.elapsed() };
        }
        let mut exam = self.exam(protocol, part, tuning);
        exam.ready(blend);
        let (learning, begun) = (begun.elapsed(), Instant::now());
        let marks = exam.mark(blend, metrics);
        Asked { marks, catalogue: exam.catalogue.items().len(), learning, asking: begun.elapsed() }
    }

    /// Learns what may be learnt, and asks.
    pub(super) fn exam(&self, protocol: Protocol, part: Part, tuning: &Tuning) -> Exam {
        let tuning = tuning.clone();
        match self {
            Self::Serenade { train, valid, test } => {
                serenade::exam(train, if part == Part::Valid { valid } else { test }, tuning)
            }
            Self::Beauty(sequences) => {
                let ends = match (protocol, part) {
                    (_, Part::Valid) => beauty::Ends::LastButOne,
                    (Protocol::BeautyStreamed, Part::Test) => beauty::Ends::LastStreamed,
                    (_, Part::Test) => beauty::Ends::Last,
                };
                beauty::exam(sequences, ends, tuning)
            }
            Self::Journey(journey) => {
                let task = match protocol {
                    Protocol::JourneyNovel => journey::Task::Novel,
                    Protocol::JourneyBasket => journey::Task::CompleteBasket,
                    Protocol::JourneyCold => journey::Task::Cold,
                    _ => journey::Task::NextBasket,
                };
                journey::exam(journey, task, journey::Weeks::of(task, part), tuning)
            }
            Self::Log(events) => log::frozen(events, part, tuning),
        }
    }
}

/// What came of the questions.
pub(super) struct Asked {
    pub(super) marks: Marks,
    /// How many products each list was ranked from.
    pub(super) catalogue: usize,
    /// Nothing where learning and asking take turns.
    pub(super) learning: Duration,
    pub(super) asking: Duration,
}

/// What answers a protocol's questions.
pub(super) fn blend(protocol: Protocol, tuning: &Tuning) -> &Blend {
    tuning.blends.of(protocol.surface())
}
