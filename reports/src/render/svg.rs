//! The timeline of a run as an inline drawing, to scale: the whole run above, the stretch around the fault below.

use maud::{Markup, html};

use super::summary::evaluated_bounds;
use super::{text, view};
use crate::record::{Endpoint, Interval, Record};

/// The drawing's width, in its own units.
const WIDTH: f64 = 960.0;
/// Where the plot begins; the names of the rows stand left of it.
const LEFT: f64 = 96.0;
/// Where the plot ends.
const RIGHT: f64 = 948.0;
/// The height of a row, and of the bar in it.
const ROW: f64 = 26.0;
const BAR: f64 = 14.0;
/// About how wide a letter of a label is.
const LETTER: f64 = 6.1;
/// At most so many faults and steps are drawn; the tables have them all.
const MOST_ROWS: usize = 24;

/// A stretch of time laid over the width of the plot.
#[derive(Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    /// Nothing, unless time passes between the two ends.
    fn new(from: f64, to: f64) -> Option<Self> {
        ((to - from).is_finite() && to - from > 1e-6).then_some(Self { from, to })
    }

    /// Where a moment lies; what is outside lies on the edge.
    fn x(self, at_ms: f64) -> f64 {
        let share = (at_ms - self.from) / (self.to - self.from);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        LEFT + share * (RIGHT - LEFT)
    }

    fn holds(self, at_ms: f64) -> bool {
        at_ms >= self.from && at_ms <= self.to
    }

    /// About eight round steps.
    fn ticks(self) -> Vec<f64> {
        let rough = (self.to - self.from) / 8.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
        let first = (self.from / step).ceil();
        (0..12_u8).map(|n| (first + f64::from(n)) * step).take_while(|at| *at <= self.to).collect()
    }
}

/// The rows drawn so far, and how far down they reach.
struct Drawing {
    y: f64,
    parts: Vec<Markup>,
}

impl Drawing {
    fn add(&mut self, part: Markup) {
        self.parts.push(part);
    }

    /// A new row with its name; gives the top of its bar.
    fn row(&mut self, name: &str) -> f64 {
        let y = self.y;
        self.add(html! { text class="row" x=(n(LEFT - 10.0)) y=(n(y + BAR - 3.0)) text-anchor="end" { (name) } });
        self.y += ROW;
        y
    }

    fn bar(&mut self, class: &str, scale: Scale, from: f64, to: f64, y: f64, title: &str) {
        let (x, width) = (scale.x(from), (scale.x(to) - scale.x(from)).max(0.0));
        if from < to && width > 0.0 {
            self.add(html! {
                rect class=(class) x=(n(x)) y=(n(y)) width=(n(width.max(0.8))) height=(n(BAR)) { title { (title) } }
            });
        }
    }

    /// A label beside a bar: right of it where there is room, otherwise left of it, otherwise at the plot's edge.
    fn beside(&mut self, class: &str, from: f64, to: f64, y: f64, label: &str) {
        let room = |width: f64| (width / LETTER).max(0.0) as usize;
        let wide = label.chars().count();
        let (x, anchor, label) = if room(RIGHT - to - 6.0) >= wide {
            (to + 6.0, "start", label.to_owned())
        } else if room(from - LEFT - 6.0) >= wide {
            (from - 6.0, "end", label.to_owned())
        } else if from - LEFT > RIGHT - to {
            (from - 6.0, "end", text::shorten(label, room(from - LEFT - 6.0)))
        } else {
            (to + 6.0, "start", text::shorten(label, room(RIGHT - to - 6.0)))
        };
        self.add(html! { text class=(class) x=(n(x)) y=(n(y + BAR - 3.0)) text-anchor=(anchor) { (label) } });
    }
}

/// Draws a record; nothing where there is no time to draw.
pub(super) fn draw(record: &Record) -> Option<Markup> {
    let mut drawing = Drawing { y: 22.0, parts: Vec::new() };
    let whole = whole_run(record)?;
    phases(&mut drawing, record, whole);
    if let Some(near) = near_fault(record) {
        wedge(&mut drawing, whole, near);
        axis(&mut drawing, record, near);
        service(&mut drawing, record, near);
        recovery_time(&mut drawing, record, near);
        faults(&mut drawing, record, near);
        steps(&mut drawing, record, near);
        milestones(&mut drawing, record, near);
    }
    let height = n(drawing.y + 4.0);
    Some(html! {
        svg viewBox=(format!("0 0 {} {height}", n(WIDTH))) role="img" aria-label="Timeline of the run, to scale" {
            @for part in &drawing.parts { (part) }
        }
    })
}

fn whole_run(record: &Record) -> Option<Scale> {
    Scale::new(0.0, view::total_seconds(record) * 1000.0)
}

/// From a little before the fault to a little after the last thing that happened because of it.
fn near_fault(record: &Record) -> Option<Scale> {
    let fault = view::first_fault(record)?.lower;
    let milestones = record.milestones.values().map(|at| at.upper);
    let steps = record.procedure.iter().map(|step| step.began_ms + step.duration_ms);
    let outages = record.rto.iter().flat_map(|rto| &rto.outages).filter_map(|outage| Some(outage.ended_ms?.upper));
    let last = milestones.chain(steps).chain(outages).filter(|at| at.is_finite()).fold(fault, f64::max);
    let last = if last > fault { last } else { view::service_window(record)?.upper };
    let whole = whole_run(record)?;
    let margin = (last - fault) * 0.22;
    Scale::new((fault - margin).max(whole.from), (last + (last - fault) * 0.06).min(whole.to.max(last)))
}

fn phases(drawing: &mut Drawing, record: &Record, scale: Scale) {
    let y = drawing.row("whole run");
    let mut from = 0.0;
    for (index, phase) in record.phases.iter().enumerate().take(64) {
        let to = from + phase.seconds * 1000.0;
        let took = text::seconds(phase.seconds);
        let name = text::clean(&phase.name);
        drawing.bar(if index % 2 == 0 { "phase" } else { "phase odd" }, scale, from, to, y, &format!("{name}: {took}"));
        let (x, width) = (scale.x(from), scale.x(to) - scale.x(from));
        if width > LETTER * (name.chars().count() + 1) as f64 {
            drawing.add(
                html! { text class="in" x=(n(x + width / 2.0)) y=(n(y + BAR - 3.5)) text-anchor="middle" { (name) } },
            );
        }
        from = to;
    }
    if let Some(fault) = view::first_fault(record) {
        let x = scale.x(fault.lower);
        drawing.add(html! {
            line class="fault" x1=(n(x)) x2=(n(x)) y1=(n(y - 5.0)) y2=(n(y + BAR + 3.0)) {}
            text class="fault" x=(n(x)) y=(n(y - 8.0)) text-anchor="middle" { "fault" }
        });
    }
    let total = text::seconds(view::total_seconds(record));
    drawing.add(html! { text class="tick" x=(n(RIGHT)) y=(n(y - 8.0)) text-anchor="end" { "took " (total) } });
}

/// Leads the eye from the part of the whole run to its enlargement.
fn wedge(drawing: &mut Drawing, whole: Scale, near: Scale) {
    let (top, bottom) = (drawing.y - ROW + BAR + 3.0, drawing.y + 20.0);
    let points = [(whole.x(near.from), top), (whole.x(near.to), top), (RIGHT, bottom), (LEFT, bottom)];
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect();
    drawing.add(html! { polygon class="wedge" points=(points.join(" ")) {} });
    drawing.y = bottom + 6.0;
}

/// The axis of the enlargement, with lines that run down behind everything drawn after it.
fn axis(drawing: &mut Drawing, record: &Record, near: Scale) {
    let origin = view::origin(record).at_ms;
    let relative = Scale { from: near.from - origin, to: near.to - origin };
    let rows = 3 + record.faults.len().min(MOST_ROWS) + record.procedure.len().min(MOST_ROWS);
    let (top, bottom) = (drawing.y + 16.0, drawing.y + 22.0 + rows as f64 * ROW);
    for tick in relative.ticks() {
        let (x, label) = (relative.x(tick), tick_label(tick / 1000.0, relative.to - relative.from));
        drawing.add(html! {
            line class=(if tick == 0.0 { "zero" } else { "grid" }) x1=(n(x)) x2=(n(x)) y1=(n(top)) y2=(n(bottom)) {}
            text class="tick" x=(n(x)) y=(n(top - 5.0)) text-anchor="middle" { (label) }
        });
    }
    drawing.y = top + 10.0;
}

/// A tick's moment, with no more digits than the span needs.
fn tick_label(seconds: f64, span_ms: f64) -> String {
    let digits = match span_ms {
        s if s < 800.0 => 2,
        s if s < 8_000.0 => 1,
        _ => 0,
    };
    let size = text::fixed(seconds, digits);
    if size.starts_with('-') { format!("t{size} s") } else { format!("t+{size} s") }
}

/// Whether clients were served: bounds of an outage are shaded apart from the outage itself.
fn service(drawing: &mut Drawing, record: &Record, near: Scale) {
    let y = drawing.row("service");
    drawing.bar("served", near, near.from, near.to, y, "served as declared");
    for (began, ended) in view::drawable_outages(record, near.to).into_iter().take(256) {
        drawing.bar("blank", near, began.lower, ended.upper, y, "");
        drawing.bar("unsure", near, began.lower, ended.upper, y, "within the bounds of the measurement");
        drawing.bar("outage", near, began.upper, ended.lower, y, "not served");
        let width = near.x(ended.lower) - near.x(began.upper);
        if width > 80.0 {
            let x = near.x(began.upper) + width / 2.0;
            drawing.add(
                html! { text class="in strong" x=(n(x)) y=(n(y + BAR - 3.5)) text-anchor="middle" { "not served" } },
            );
        }
    }
}

/// The evaluated recovery time as a measured length, its uncertain end shaded, and its target where it is in sight.
fn recovery_time(drawing: &mut Drawing, record: &Record, near: Scale) {
    let (Some(fault), Some(rto)) = (view::first_fault(record), record.rto.as_ref()) else { return };
    let y = drawing.row("RTO");
    if let Some(target) = rto.target.filter(|_| rto.endpoint != Endpoint::Recovery) {
        let at = fault.lower + target * 1000.0;
        if near.holds(at) {
            let x = near.x(at);
            drawing.add(html! { line class="target" x1=(n(x)) x2=(n(x)) y1=(n(y - 4.0)) y2=(n(y + BAR + 4.0)) { title { "target" } } });
        }
    }
    let Some(bounds) = evaluated_bounds(rto) else {
        drawing.beside("label", LEFT - 6.0, LEFT - 6.0, y, "service was not sustained within the run");
        return;
    };
    let Some((zero_lower, zero_upper)) = zero(record, rto.endpoint, fault) else { return };
    let (sure, most) = (zero_upper + bounds.lower * 1000.0, zero_lower + bounds.upper * 1000.0);
    drawing.bar("length", near, zero_lower, sure, y + 4.0, "at least");
    drawing.bar("length unsure", near, sure.max(zero_lower), most, y + 4.0, "within the bounds of the measurement");
    let goal = rto.target.map(|most| format!(" (target {})", text::goal_seconds(most))).unwrap_or_default();
    let label = format!("{}{goal}", text::span_against(bounds, rto.target));
    drawing.beside("label strong", near.x(zero_lower), near.x(most), y, &label);
}

/// Where the evaluated time is counted from.
fn zero(record: &Record, endpoint: Endpoint, fault: Interval<f64>) -> Option<(f64, f64)> {
    let from = match endpoint {
        Endpoint::Service | Endpoint::Verified => fault,
        Endpoint::Recovery => *record.milestones.get("recovery_started")?,
    };
    Some((from.lower, from.upper))
}

fn faults(drawing: &mut Drawing, record: &Record, near: Scale) {
    for (index, fault) in record.faults.iter().take(MOST_ROWS).enumerate() {
        let y = drawing.row(if index == 0 { "faults" } else { "" });
        let summary = text::clean(&fault.summary);
        let end = fault.healed_ms.map_or(near.to, |healed| healed.upper);
        drawing.bar("fault", near, fault.began_ms.lower, end, y, &summary);
        let label = text::shorten(&summary, ((RIGHT - near.x(fault.began_ms.lower)) / LETTER) as usize);
        let x = near.x(fault.began_ms.lower) + 6.0;
        drawing.add(html! { text class="in strong" x=(n(x)) y=(n(y + BAR - 3.5)) { (label) } });
    }
}

fn steps(drawing: &mut Drawing, record: &Record, near: Scale) {
    for (index, step) in record.procedure.iter().take(MOST_ROWS).enumerate() {
        let y = drawing.row(if index == 0 { "recovery" } else { "" });
        let (from, to) = (step.began_ms, step.began_ms + step.duration_ms);
        let label = format!("{} {}", index + 1, text::clean(&step.name));
        let failed = step.status == crate::record::Status::Failed;
        drawing.bar(if failed { "step failed" } else { "step" }, near, from, to, y, &label);
        let label = if failed { format!("{label} (failed)") } else { label };
        drawing.beside("label", near.x(from), near.x(to), y, &label);
    }
}

/// Milestones as ticks on a line; their names hang below, on as many lines as it takes for none to overlap.
fn milestones(drawing: &mut Drawing, record: &Record, near: Scale) {
    let all = view::milestones(record);
    let inside: Vec<_> = all.into_iter().filter(|(_, at)| near.holds(at.lower)).take(MOST_ROWS).collect();
    if inside.is_empty() {
        return;
    }
    let y = drawing.row("milestones");
    let middle = y + BAR / 2.0;
    let mut lines: Vec<f64> = Vec::new();
    drawing.add(html! { line class="rule" x1=(n(LEFT)) x2=(n(RIGHT)) y1=(n(middle)) y2=(n(middle)) {} });
    for (name, at) in inside.into_iter().rev() {
        let x = near.x(at.lower);
        let left = x + 4.0 + LETTER * name.chars().count() as f64 > RIGHT;
        let from = if left { x - 4.0 - LETTER * name.chars().count() as f64 } else { x };
        let to = if left { x } else { x + 10.0 + LETTER * name.chars().count() as f64 };
        let line = lines.iter().position(|taken| to < *taken).unwrap_or(lines.len());
        match lines.get_mut(line) {
            Some(taken) => *taken = from,
            None => lines.push(from),
        }
        let foot = middle + 16.0 + 15.0 * line as f64;
        drawing.add(html! {
            line class="mark" x1=(n(x)) x2=(n(x)) y1=(n(middle - 4.0)) y2=(n(foot)) {}
            text class="label" x=(n(if left { x - 4.0 } else { x + 4.0 })) y=(n(foot)) text-anchor=(if left { "end" } else { "start" }) { (name) }
        });
    }
    drawing.y = middle + 16.0 + 15.0 * lines.len() as f64;
}

/// A coordinate, short and the same on every machine.
fn n(value: f64) -> String {
    let text = text::fixed(value, 1);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn nothing_is_drawn_outside_or_without_a_number() {
        for record in sample::all().into_iter().chain([sample::hostile()]) {
            let Some(drawn) = draw(&record) else { continue };
            let drawn = drawn.into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf\""), "{drawn}");
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        let scale = Scale::new(-712.0, 3_118.0).expect("a stretch");
        assert_eq!(scale.ticks(), [-500.0, 0.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0, 3_000.0]);
        assert!(Scale::new(1.0, 1.0).is_none() && Scale::new(0.0, f64::INFINITY).is_none());
        assert!(Scale::new(f64::NAN, 1.0).is_none());
    }
}
