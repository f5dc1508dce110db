//! Charts as inline SVG: drawn once, styled by the page, so that they follow its colours.

use std::fmt::Write as _;

use super::escape;

/// The drawing's size in its own units; the page scales it. Small, so that its text can be read on a phone.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 36.0;
/// A line is broken where nothing was measured for so much of the axis.
const GAP_MAX: f64 = 0.06;

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Linear,
    Log,
}

/// One axis: its label and what it spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) scale: Scale,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Axis {
    /// From zero to a round number that all values fit under.
    pub(super) fn linear(label: &'static str, to: f64) -> Self {
        let to = if to > 0.0 { to } else { 1.0 };
        let step = step_of(to);
        Self { label, scale: Scale::Linear, from: 0.0, to: (to / step - 1e-9).ceil() * step }
    }

    /// From zero to exactly there.
    pub(super) fn exact(label: &'static str, to: f64) -> Self {
        Self { label, scale: Scale::Linear, from: 0.0, to: if to > 0.0 { to } else { 1.0 } }
    }

    /// The powers of ten around the values.
    pub(super) fn log(label: &'static str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let positive = values.filter(|value| *value > 0.0);
        let low = positive.clone().fold(f64::INFINITY, f64::min);
        let high = positive.fold(0.0, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (1.0, 1.0) };
        let from = low.log10().floor();
        let to = high.log10().ceil().max(from + 1.0);
        Self { label, scale: Scale::Log, from: 10f64.powf(from), to: 10f64.powf(to) }
    }

    /// Where a value lies, 0 to 1.
    fn at(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.max(self.from) / self.from).ln() / (self.to / self.from).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = step_of(self.to);
                (0..).map(|n| f64::from(n) * step).take_while(|tick| *tick <= self.to * 1.000_001).collect()
            }
            Scale::Log => std::iter::successors(Some(self.from), |tick| Some(tick * 10.0))
                .take_while(|tick| *tick <= self.to * 1.000_001)
                .collect(),
        }
    }
}

/// 1, 2 or 5 times a power of ten, for about five ticks.
fn step_of(to: f64) -> f64 {
    let power = 10f64.powf((to / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| to / step <= 5.5).unwrap_or(power * 10.0)
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Filled between the series before it in the stack and itself, in steps: quantities do not slide.
    Stacked,
    /// Filled down to zero, in steps.
    Filled,
    /// Broken where nothing was measured for a while.
    Line,
    /// Never broken.
    Joined,
    /// A line that stands back.
    Dashed,
}

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) name: &'static str,
    /// The page's class for its colour.
    pub(super) class: &'static str,
    pub(super) shape: Shape,
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart with its heading and legend, as a `<figure>`.
pub(super) fn figure(title: &str, note: &str, x: Axis, y: Axis, series: &[Series]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = draw(&mut out, title, note, x, y, series);
    out
}

fn draw(out: &mut String, title: &str, note: &str, x: Axis, y: Axis, series: &[Series]) -> std::fmt::Result {
    write!(out, "<figure><figcaption><h3>{}</h3><p>{}</p><ul class=legend>", escape(title), escape(note))?;
    for one in series {
        let dashed = if one.shape == Shape::Dashed { " dashed" } else { "" };
        write!(out, "<li class='{}{dashed}'><i></i>{}</li>", one.class, escape(one.name))?;
    }
    write!(out, "</ul></figcaption><svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='{}'>", escape(title))?;
    grid(out, x, y)?;
    let mut below: Vec<(f64, f64)> = Vec::new();
    for one in series {
        let points: Vec<(f64, f64)> = match one.shape {
            Shape::Stacked => stack(&below, &one.points),
            Shape::Filled | Shape::Line | Shape::Joined | Shape::Dashed => one.points.clone(),
        };
        let place = |&(at, value): &(f64, f64)| (place_x(x, at), place_y(y, value));
        let path = match one.shape {
            Shape::Line | Shape::Dashed => line(points.iter().map(place), (WIDTH - LEFT - RIGHT) * GAP_MAX),
            Shape::Joined => line(points.iter().map(place), f64::INFINITY),
            Shape::Stacked | Shape::Filled => {
                let floor = place_y(y, y.from);
                area(&points.iter().map(place).collect::<Vec<_>>(), &below.iter().map(place).collect::<Vec<_>>(), floor)
            }
        };
        let shape = match one.shape {
            Shape::Stacked | Shape::Filled => "fill",
            Shape::Line | Shape::Joined => "line",
            Shape::Dashed => "line dashed",
        };
        write!(out, "<path class='{} {shape}' d='{path}'><title>{}</title></path>", one.class, escape(one.name))?;
        if one.shape == Shape::Stacked {
            below = points;
        }
    }
    out.push_str("</svg></figure>\n");
    Ok(())
}

fn grid(out: &mut String, x: Axis, y: Axis) -> std::fmt::Result {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in y.ticks() {
        let at = place_y(y, tick);
        write!(out, "<path class=grid d='M{LEFT} {at:.1}H{right}'/>")?;
        write!(out, "<text class=y x='{:.1}' y='{:.1}'>{}</text>", LEFT - 5.0, at + 3.5, number(tick))?;
    }
    for tick in x.ticks() {
        let at = place_x(x, tick);
        write!(out, "<path class=grid d='M{at:.1} {bottom}v4'/>")?;
        write!(out, "<text class=x x='{at:.1}' y='{:.1}'>{}</text>", bottom + 16.0, number(tick))?;
    }
    write!(out, "<text class=label x='{right}' y='{:.1}'>{}</text>", HEIGHT - 3.0, escape(x.label))?;
    write!(out, "<text class='label up' x='{LEFT}' y='{:.1}'>{}</text>", TOP - 9.0, escape(y.label))
}

fn place_x(x: Axis, value: f64) -> f64 {
    LEFT + x.at(value) * (WIDTH - LEFT - RIGHT)
}

fn place_y(y: Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - y.at(value) * (HEIGHT - TOP - BOTTOM)
}

/// Values on top of the series below, which has the same moments.
fn stack(below: &[(f64, f64)], values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let under = below.iter().map(|(_, value)| *value).chain(std::iter::repeat(0.0));
    values.iter().zip(under).map(|(&(at, value), under)| (at, value + under)).collect()
}

/// A path through the points, lifted where they are far apart; a point alone is a dot.
fn line(points: impl Iterator<Item = (f64, f64)>, gap_max: f64) -> String {
    let mut path = String::new();
    let mut last: Option<f64> = None;
    for (x, y) in points {
        let joined = last.is_some_and(|last| x - last <= gap_max);
        let _ = if joined { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h0") };
        last = Some(x);
    }
    path
}

/// The area between two step curves; down to the floor where there is none below.
fn area(points: &[(f64, f64)], below: &[(f64, f64)], floor: f64) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.0, first.1);
    for (x, y) in &points[1..] {
        let _ = write!(path, "H{x:.1}V{y:.1}");
    }
    if below.is_empty() {
        let _ = write!(path, "V{floor:.1}H{:.1}Z", first.0);
        return path;
    }
    let mut from = last.0;
    for (x, y) in below.iter().rev() {
        let _ = write!(path, "H{from:.1}V{y:.1}");
        from = *x;
    }
    let _ = write!(path, "H{from:.1}Z");
    path
}

/// Short, without zeros that say nothing.
pub(super) fn number(value: f64) -> String {
    if value >= 10_000.0 {
        format!("{}k", number(value / 1000.0))
    } else if value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        let digits = if value >= 10.0 { 1 } else { 3 };
        format!("{value:.digits$}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_span_their_values_in_round_steps() {
        for (to, expect_to, expect_ticks) in [(500.0, 500.0, 6), (7.3, 8.0, 5), (0.0, 1.0, 6), (2301.0, 2500.0, 6)] {
            let axis = Axis::linear("", to);
            assert!(axis.to >= to && (axis.to - expect_to).abs() < 1e-9, "{to}: {axis:?}");
            assert_eq!(axis.ticks().len(), expect_ticks, "{to}: {:?}", axis.ticks());
        }
        let axis = Axis::log("", [0.4, 37.0].into_iter());
        assert_eq!(axis.ticks().iter().map(|tick| number(*tick)).collect::<Vec<_>>(), ["0.1", "1", "10", "100"]);
        assert!((axis.at(100.0) - 1.0).abs() < 1e-9 && axis.at(0.0) == 0.0);
    }

    #[test]
    fn a_chart_of_nothing_is_still_a_chart() {
        let empty = Series { name: "none", class: "a", shape: Shape::Stacked, points: Vec::new() };
        let figure = figure("t", "", Axis::linear("x", 0.0), Axis::log("y", std::iter::empty()), &[empty]);
        assert!(figure.contains("d=''") && !figure.contains("NaN") && !figure.contains("inf"), "{figure}");
    }

    #[test]
    fn stacked_values_stand_on_each_other() {
        assert_eq!(stack(&[(0.0, 2.0), (1.0, 1.0)], &[(0.0, 3.0), (1.0, 3.0)]), [(0.0, 5.0), (1.0, 4.0)]);
    }

    #[test]
    fn a_line_is_not_drawn_where_nothing_was_measured() {
        let path = line([(0.0, 1.0), (5.0, 2.0), (90.0, 3.0)].into_iter(), 10.0);
        assert_eq!(path, "M0.0 1.0h0L5.0 2.0M90.0 3.0h0");
    }
}
