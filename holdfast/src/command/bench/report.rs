//! The table: throughput, latency and the ratios that count.

use std::fmt::Write as _;
use std::path::Path;

use holdfast_platform::pg;
use serde::Serialize;

use super::load::Measured;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    NaiveOne,
    One,
    Echo,
    Statement,
    NaiveMany,
    Many,
    ThreeLines,
}

impl Subject {
    pub(super) const ALL: [Self; 7] =
        [Self::NaiveOne, Self::One, Self::Echo, Self::Statement, Self::NaiveMany, Self::Many, Self::ThreeLines];

    fn title(self) -> &'static str {
        match self {
            Self::NaiveOne => "naive, one SKU",
            Self::One => "holdfast, one SKU",
            Self::Echo => "bare tonic echo",
            Self::Statement => "raw batched statement",
            Self::NaiveMany => "naive, 10,000 SKUs",
            Self::Many => "holdfast, 10,000 SKUs",
            Self::ThreeLines => "holdfast, three lines of 10,000 SKUs",
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub subject: Subject,
    pub clients: usize,
    pub per_second: f64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub refused: u64,
}

impl Row {
    pub(super) fn new(subject: Subject, clients: usize, measured: &Measured) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a latency for people")]
        let quantile =
            |q: f64| measured.latency_us.as_ref().map(|latency| latency.value_at_quantile(q) as f64 / 1000.0);
        Self {
            subject,
            clients,
            per_second: measured.per_second,
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            refused: measured.refused,
        }
    }

    pub(super) fn line(&self) -> String {
        let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.2}"));
        format!(
            "{:<38} {:>4} clients {:>9.0}/s  p50 {:>8} ms  p99 {:>8} ms",
            self.subject.title(),
            self.clients,
            self.per_second,
            ms(self.p50_ms),
            ms(self.p99_ms)
        )
    }
}

/// One run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    machine: String,
    versions: String,
    pub rows: Vec<Row>,
}

impl Report {
    pub(super) async fn new(database_url: &str) -> anyhow::Result<Self> {
        let db = pg::connect(database_url).await?;
        let version: String = db.client().query_one("SHOW server_version", &[]).await?.get(0);
        let cores = std::thread::available_parallelism()?;
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("")
            .trim_start_matches(['\t', ':', ' ']);
        Ok(Self {
            machine: format!("{cores} cores ({model}), shared by load generator, server and PostgreSQL"),
            versions: format!("holdfast {}, PostgreSQL {version}, tonic 0.14", env!("CARGO_PKG_VERSION")),
            rows: Vec::new(),
        })
    }

    fn rate(&self, subject: Subject, clients: usize) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.subject == subject && row.clients == clients)?;
        Some(row.per_second)
    }

    /// A row's throughput against what it is compared with.
    fn ratios(&self, row: &Row) -> String {
        let against = |subject: Subject, name: &str| {
            self.rate(subject, row.clients).map(|rate| format!("{:.2}x {name}", row.per_second / rate))
        };
        let ratios = match row.subject {
            Subject::One => vec![against(Subject::NaiveOne, "naive"), against(Subject::Echo, "echo")],
            Subject::Many => vec![against(Subject::NaiveMany, "naive"), against(Subject::Echo, "echo")],
            Subject::ThreeLines => vec![against(Subject::Many, "one line")],
            Subject::NaiveOne | Subject::NaiveMany | Subject::Echo | Subject::Statement => Vec::new(),
        };
        ratios.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = format!("{}; {}.\n\n", self.machine, self.versions);
        text.push_str(
            "| what | clients | holds/s | p50 ms | p99 ms | ratio |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
        );
        let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.2}"));
        for subject in Subject::ALL {
            for row in self.rows.iter().filter(|row| row.subject == subject) {
                let _ = writeln!(
                    text,
                    "| {} | {} | {:.0} | {} | {} | {} |",
                    subject.title(),
                    row.clients,
                    row.per_second,
                    ms(row.p50_ms),
                    ms(row.p99_ms),
                    self.ratios(row)
                );
            }
        }
        text
    }

    pub(super) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("latest.md"), self.markdown())?;
        std::fs::write(folder.join("latest.json"), serde_json::to_string_pretty(self)?)?;
        Ok(())
    }
}
