//! Results as a drawing: a bar a metric with its interval, and a mark where others are.

use std::fmt::Write as _;

use rec_svc::eval::Report;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 30.0;
const ROW: f64 = 30.0;
const TOP: f64 = 34.0;

/// A standalone SVG; every row has a scale of its own, from 0 to a little more than the largest value in it.
pub(super) fn svg(reports: &[Report]) -> String {
    let rows: usize = reports.iter().map(|report| report.measured.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
    let height = TOP + ROW * rows as f64 + 10.0;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' font-family='sans-serif' font-size='11'>\
         <rect width='{WIDTH}' height='{height}' fill='white'/>\
         <text x='12' y='20' font-size='13'>Reached, with 95 % intervals; marks are other models</text>"
    );
    let mut y = TOP;
    for report in reports {
        for at in 0..report.measured.len() {
            let _ = row(&mut out, report, at, y);
            y += ROW;
        }
    }
    out.push_str("</svg>\n");
    out
}

fn row(out: &mut String, report: &Report, at: usize, y: f64) -> std::fmt::Result {
    let (metric, estimate) = &report.measured[at];
    let others = report.protocol.baselines().iter();
    let others: Vec<(&str, f64)> =
        others.filter_map(|baseline| Some((baseline.name, baseline.values.get(at).copied().flatten()?))).collect();
    let most = others.iter().map(|(_, value)| *value).fold(estimate.high, f64::max).max(f64::MIN_POSITIVE);
    let place = |value: f64| LEFT + value / (most * 1.1) * (WIDTH - LEFT - RIGHT);
    let middle = y + ROW / 2.0;
    write!(out, "<text x='12' y='{:.1}'>{} {metric}</text>", middle + 4.0, report.protocol)?;
    let bar = place(estimate.mean) - LEFT;
    write!(out, "<rect x='{LEFT}' y='{:.1}' width='{bar:.1}' height='14' fill='#4a7fb5'/>", middle - 7.0)?;
    let (low, high) = (place(estimate.low), place(estimate.high));
    write!(out, "<path d='M{low:.1} {middle:.1}H{high:.1}' stroke='#1b3a57' stroke-width='2'/>")?;
    for (name, value) in others {
        let x = place(value);
        write!(out, "<path d='M{x:.1} {:.1}v20' stroke='#c0392b' stroke-width='2'>", middle - 10.0)?;
        write!(out, "<title>{name}: {value}</title></path>")?;
    }
    write!(out, "<text x='{:.1}' y='{:.1}' fill='white'>{:.4}</text>", LEFT + 5.0, middle + 4.0, estimate.mean)
}
