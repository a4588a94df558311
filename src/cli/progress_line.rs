//! Progress as one line on standard error: late, seldom, and only where somebody looks.
//!
//! The first drawing waits 250 ms, so that quick verbs stay silent; then at most ten a second.

use std::time::{Duration, Instant};

use super::output::Printer;
use super::table::fit;
use crate::format;
use crate::progress::Event;

/// How long a verb may run before anything is drawn.
const PATIENCE: Duration = Duration::from_millis(250);
/// The least time between two drawings.
pub(super) const PACE: Duration = Duration::from_millis(100);

/// What is known of the running work, and when it was last drawn.
#[derive(Debug, Clone)]
pub struct ProgressLine {
    enabled: bool,
    started: Instant,
    drawn: Option<Instant>,
    changed: bool,
    step: String,
    unit: &'static str,
    total: Option<u64>,
    done: u64,
}

impl ProgressLine {
    /// A line for work that starts now; draws only on a terminal and neither quiet nor in JSON.
    #[must_use]
    pub fn new(printer: &Printer, terminal: bool, now: Instant) -> Self {
        let look = printer.look();
        Self {
            enabled: terminal && !look.quiet && !look.json,
            started: now,
            drawn: None,
            changed: false,
            step: String::new(),
            unit: "",
            total: None,
            done: 0,
        }
    }

    /// Takes an event in; a warning is printed at once.
    pub fn take(&mut self, event: Event, printer: &mut Printer) {
        match event {
            Event::Planned { unit, total } => {
                (self.unit, self.total, self.done) = (unit, total, 0);
            }
            Event::Entered { step } => {
                self.step = step;
            }
            Event::Advanced { done } => self.done = done,
            Event::Warned { message } => {
                self.clear(printer);
                printer.warning(&message);
            }
        }
        self.changed = true;
    }

    /// Draws if it is time to.
    pub fn draw(&mut self, printer: &mut Printer, now: Instant) {
        let waited = now.duration_since(self.started) >= PATIENCE;
        let due = self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= PACE);
        if self.enabled && waited && due && self.changed {
            let look = printer.look();
            let ellipsis = if look.ascii { '~' } else { '…' };
            let line = fit(&self.text(), look.width.unwrap_or(80).saturating_sub(1), ellipsis);
            printer.overdraw(&line);
            self.drawn = Some(now);
            self.changed = false;
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self, printer: &mut Printer) {
        if self.drawn.take().is_some() {
            printer.overdraw("");
        }
    }

    /// `exporting app.tasks  1,200 of 4,800 rows  25 %`
    fn text(&self) -> String {
        let amount = |number: u64| {
            if self.unit == "bytes" {
                format::bytes(number)
            } else {
                format::count(i64::try_from(number).unwrap_or(i64::MAX))
            }
        };
        let unit = if self.unit == "bytes" { "" } else { self.unit };
        let mut parts = vec![self.step.clone()];
        match self.total {
            Some(total) if total > 0 => {
                let share = u128::from(self.done) * 100 / u128::from(total);
                parts.push(
                    format!("{} of {} {unit}", amount(self.done), amount(total)).trim().to_owned(),
                );
                parts.push(format!("{} %", share.min(100)));
            }
            _ if self.done > 0 => {
                parts.push(format!("{} {unit}", amount(self.done)).trim().to_owned());
            }
            _ => {}
        }
        parts.retain(|part| !part.is_empty());
        parts.join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::look::Look;
    use crate::cli::output::tests::{PLAIN, captured};

    #[test]
    fn nothing_is_drawn_before_the_patience_ends_and_seldom_after() {
        let (mut printer, _, err) = captured(PLAIN);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut line = ProgressLine::new(&printer, true, start);
        line.take(Event::Planned { unit: "rows", total: Some(4_800) }, &mut printer);
        line.take(Event::Entered { step: "exporting \u{1b}[31m".into() }, &mut printer);
        line.draw(&mut printer, at(249));
        assert_eq!(err.text(), "");
        line.take(Event::Advanced { done: 1_200 }, &mut printer);
        line.draw(&mut printer, at(250));
        assert!(
            err.text().ends_with("exporting ␛[31m  1,200 of 4,800 rows  25 %"),
            "{}",
            err.text()
        );
        let once = err.text().len();
        line.take(Event::Advanced { done: 2_400 }, &mut printer);
        line.draw(&mut printer, at(349));
        assert_eq!(err.text().len(), once, "too soon");
        line.draw(&mut printer, at(350));
        assert!(err.text().len() > once);
        let twice = err.text().len();
        line.draw(&mut printer, at(900));
        assert_eq!(err.text().len(), twice, "nothing new");
        line.clear(&mut printer);
        assert!(err.text().ends_with("\r\u{1b}[2K"));
    }

    #[test]
    fn without_a_terminal_only_warnings_are_printed() {
        for (look, terminal) in [(PLAIN, false), (Look { quiet: true, ..PLAIN }, true)] {
            let (mut printer, _, err) = captured(look);
            let start = Instant::now();
            let mut line = ProgressLine::new(&printer, terminal, start);
            line.take(Event::Advanced { done: 7 }, &mut printer);
            line.take(Event::Warned { message: "slow disk".into() }, &mut printer);
            line.draw(&mut printer, start + Duration::from_secs(9));
            line.clear(&mut printer);
            assert_eq!(err.text(), "warning: slow disk\n");
        }
    }

    #[test]
    fn bytes_are_written_as_bytes() {
        let (mut printer, ..) = captured(PLAIN);
        let mut line = ProgressLine::new(&printer, true, Instant::now());
        line.take(Event::Planned { unit: "bytes", total: None }, &mut printer);
        line.take(Event::Advanced { done: 3 << 20 }, &mut printer);
        assert_eq!(line.text(), "3.0 MiB");
    }
}
