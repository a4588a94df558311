//! The one gate to standard output and standard error.
//!
//! Standard output is data, standard error is narration. Every text passes through
//! [`screen`]; nothing here can send an escape sequence that came from outside. A reader that
//! goes away (`| head`) ends the output quietly.

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use serde::Serialize;

use super::json;
use super::look::Look;
use super::table::Table;
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::text::{screen, screen_lines};

/// The meanings that have a colour; each has a word beside it.
#[derive(Debug, Clone, Copy)]
enum Tint {
    Strong,
    Bad,
    Careful,
    Helpful,
    Faint,
}

impl Tint {
    const fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Bad => "1;31",
            Self::Careful => "1;33",
            Self::Helpful => "1;36",
            Self::Faint => "2",
        }
    }
}

/// Writes data and narration.
pub struct Printer {
    look: Look,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    trouble: Option<ErrorKind>,
}

impl Printer {
    /// A printer to the real streams.
    #[must_use]
    pub fn standard(look: Look) -> Self {
        Self::new(look, Box::new(BufWriter::new(io::stdout())), Box::new(io::stderr()))
    }

    /// A printer that has standard error only: another thread may hold standard output for ever.
    #[must_use]
    pub fn narrator(look: Look) -> Self {
        Self::new(look, Box::new(io::sink()), Box::new(io::stderr()))
    }

    /// A printer to any two streams.
    #[must_use]
    pub fn new(look: Look, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { look, out, err, trouble: None }
    }

    /// How output looks.
    #[must_use]
    pub const fn look(&self) -> &Look {
        &self.look
    }

    /// Whether nobody reads standard output any more; a stream may stop then.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.trouble.is_some()
    }

    /// The answer of a command: its JSON document, or the text that `as_text` prints.
    ///
    /// # Errors
    /// Where the document cannot be encoded, which is a fault of this program.
    pub fn answer<T: Serialize>(
        &mut self,
        request: RequestId,
        document: &T,
        as_text: impl FnOnce(&mut Self),
    ) -> Result<(), Failure> {
        if !self.look.json {
            as_text(self);
            return Ok(());
        }
        let text = json::document(request, document).map_err(|error| {
            Failure::new(Kind::Internal, "the answer has no JSON form").caused_by(error.to_string())
        })?;
        self.data(&text);
        Ok(())
    }

    /// One line of data.
    pub fn line(&mut self, text: &str) {
        self.data(&screen(text));
    }

    /// A text of several lines as data.
    pub fn text(&mut self, text: &str) {
        for line in screen_lines(text) {
            self.data(&line);
        }
    }

    /// Labels and values below each other.
    pub fn pairs<'t>(&mut self, pairs: impl IntoIterator<Item = (&'t str, String)>) {
        let pairs: Vec<(&str, String)> = pairs.into_iter().collect();
        let width = pairs.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        for (label, value) in pairs {
            let label = self.tinted(Tint::Strong, &format!("{label:width$}"), self.look.out_color);
            self.data(&format!("{label}  {}", screen(&value)));
        }
    }

    /// A table with its heading.
    pub fn table(&mut self, table: &Table) {
        let (heading, lines) = table.lines(self.look.width, self.look.ascii);
        let heading = self.tinted(Tint::Strong, &heading, self.look.out_color);
        self.data(&heading);
        for line in lines {
            self.data(&line);
        }
    }

    /// The rows of a table that goes on.
    pub(super) fn rows(&mut self, table: &Table) {
        for line in table.lines(self.look.width, self.look.ascii).1 {
            self.data(&line);
        }
    }

    /// Bytes that this program made itself for another program: completions, a manual page.
    pub fn raw(&mut self, bytes: &[u8]) {
        let written = self.out.write_all(bytes);
        self.note(written);
    }

    /// A file for another program, as it is.
    ///
    /// # Errors
    /// Where the file cannot be read or standard output cannot be written; a reader that leaves is
    /// a warning, and the answer then is that not all of it arrived.
    pub(super) fn copy(&mut self, mut file: impl Read) -> Result<bool, Failure> {
        let mut part = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut part).map_err(|error| {
                Failure::refused("the file cannot be read").caused_by(error.to_string())
            })?;
            if count == 0 || self.is_closed() {
                break;
            }
            self.raw(&part[..count]);
        }
        self.finish()?;
        if self.is_closed() {
            self.warning("the reader of standard output left before it had all of the file");
        }
        Ok(!self.is_closed())
    }

    /// What is going on.
    pub fn status(&mut self, text: &str) {
        if !self.look.quiet && !self.look.json {
            self.narrate(&screen(text));
        }
    }

    /// Where the signed result of the work is kept.
    pub(super) fn receipt(&mut self, path: Option<&Path>) {
        if let Some(path) = path {
            self.status(&format!("receipt: {}", path.display()));
        }
    }

    /// What is going on, for those who asked for more.
    pub fn detail(&mut self, text: &str) {
        if self.look.verbose {
            self.status(text);
        }
    }

    /// What to do next.
    pub fn hint(&mut self, text: &str) {
        if !self.look.quiet && !self.look.json {
            self.labelled(Tint::Helpful, "hint", text);
        }
    }

    /// What the person should know; `--quiet` does not hide it.
    pub fn warning(&mut self, text: &str) {
        if !self.look.json {
            self.labelled(Tint::Careful, "warning", text);
        }
    }

    /// Why the command failed, with causes and hints; and under which id it is in the log and the
    /// ledger, where something ran.
    pub fn failure(&mut self, request: RequestId, failure: &Failure) {
        if self.look.json {
            self.narrate(&json::error(request, failure));
            return;
        }
        self.labelled(Tint::Bad, "error", &failure.message);
        for cause in &failure.causes {
            self.labelled(Tint::Strong, "caused by", cause);
        }
        if !failure.hints.is_empty() {
            self.narrate("");
        }
        for hint in &failure.hints {
            self.labelled(Tint::Helpful, "hint", hint);
        }
        if failure.kind != Kind::Usage {
            self.labelled(Tint::Faint, "request", &request.to_string());
        }
    }

    /// Draws over the present line of standard error; an empty text takes it away.
    pub(super) fn overdraw(&mut self, text: &str) {
        let _lost = write!(self.err, "\r\u{1b}[2K{}", screen(text)).and_then(|()| self.err.flush());
    }

    /// A question; the answer is typed on the same line.
    pub(super) fn question(&mut self, text: &str) {
        self.flush();
        let _lost = write!(self.err, "{} ", screen(text)).and_then(|()| self.err.flush());
    }

    /// Leaves the line of a question that got no answer.
    pub(super) fn break_off(&mut self) {
        self.narrate("");
    }

    /// Sends what is buffered.
    pub fn flush(&mut self) {
        let flushed = self.out.flush();
        self.note(flushed);
    }

    /// Sends what is buffered and says whether all of it arrived.
    ///
    /// # Errors
    /// Where standard output could not be written for another reason than a reader that left.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.flush();
        match self.trouble {
            None | Some(ErrorKind::BrokenPipe) => Ok(()),
            Some(kind) => {
                Err(Failure::refused("standard output cannot be written")
                    .caused_by(kind.to_string()))
            }
        }
    }

    /// One finished line on standard output.
    fn data(&mut self, line: &str) {
        if self.trouble.is_none() {
            let written = writeln!(self.out, "{line}");
            self.note(written);
        }
    }

    /// One finished line on standard error, after all data before it.
    fn narrate(&mut self, line: &str) {
        self.flush();
        let _lost = writeln!(self.err, "{line}");
    }

    fn labelled(&mut self, tint: Tint, label: &str, text: &str) {
        let label = self.tinted(tint, &format!("{label}:"), self.look.err_color);
        let mut lines = screen_lines(text).into_iter();
        self.narrate(&format!("{label} {}", lines.next().unwrap_or_default()));
        for line in lines {
            self.narrate(&format!("  {line}"));
        }
    }

    #[expect(clippy::unused_self, reason = "reads as a property of the printer at each call")]
    fn tinted(&self, tint: Tint, text: &str, color: bool) -> String {
        if color { format!("\u{1b}[{}m{text}\u{1b}[0m", tint.code()) } else { text.to_owned() }
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.trouble.get_or_insert(error.kind());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A stream that the test can read afterwards.
    #[derive(Clone, Default)]
    pub(in crate::cli) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(in crate::cli) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A stream that fails.
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(in crate::cli) const PLAIN: Look = Look {
        json: false,
        quiet: false,
        verbose: false,
        ascii: false,
        out_color: false,
        err_color: false,
        width: None,
    };

    pub(in crate::cli) fn captured(look: Look) -> (Printer, Captured, Captured) {
        let (out, err) = (Captured::default(), Captured::default());
        (Printer::new(look, Box::new(out.clone()), Box::new(err.clone())), out, err)
    }

    #[test]
    fn data_and_narration_go_to_different_streams() {
        let (mut printer, out, err) = captured(PLAIN);
        printer.status("working");
        printer.line("acme");
        printer.hint("run `x`");
        assert_eq!(out.text(), "acme\n");
        assert_eq!(err.text(), "working\nhint: run `x`\n");
    }

    #[test]
    fn quiet_hides_narration_but_no_warning_and_no_error() {
        let (mut printer, _, err) = captured(Look { quiet: true, ..PLAIN });
        printer.status("working");
        printer.hint("x");
        printer.detail("y");
        printer.warning("careful");
        let request = RequestId::draw();
        printer.failure(request, &Failure::refused("no").caused_by("because").hint("try"));
        let expected = "warning: careful\nerror: no\ncaused by: because\n\nhint: try\nrequest: ";
        assert_eq!(err.text(), format!("{expected}{request}\n"));
    }

    #[test]
    fn json_is_one_document_on_one_stream() {
        let (mut printer, out, err) = captured(Look { json: true, ..PLAIN });
        let request = RequestId::draw();
        printer.status("working");
        printer.warning("careful");
        let document = serde_json::json!({"tenants": []});
        printer.answer(request, &document, |_| panic!("no text with --json")).unwrap();
        assert_eq!(out.text().lines().count(), 1);
        assert_eq!(err.text(), "");
        printer.failure(request, &Failure::refused("no"));
        let error: serde_json::Value = serde_json::from_str(&err.text()).unwrap();
        assert_eq!(error["error"]["kind"], "refused");
        assert_eq!(error["request_id"], request.to_string());
    }

    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_an_order() {
        let bad = "a\u{1b}]0;x\u{7}\u{9b}31m\u{202e}";
        let (mut printer, out, err) = captured(PLAIN);
        printer.line(bad);
        printer.text(bad);
        printer.pairs([("name", bad.to_owned())]);
        printer.status(bad);
        printer.warning(bad);
        printer.question(bad);
        printer.failure(RequestId::draw(), &Failure::refused(bad).caused_by(bad).hint(bad));
        for text in [out.text(), err.text()] {
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{text:?}");
        }
    }

    #[test]
    fn a_reader_that_leaves_is_no_failure_and_a_full_disk_is() {
        let printer = |kind| Printer::new(PLAIN, Box::new(Failing(kind)), Box::new(io::sink()));
        let mut left = printer(ErrorKind::BrokenPipe);
        left.line("x");
        assert!(left.is_closed());
        assert_eq!(left.finish(), Ok(()));
        let mut full = printer(ErrorKind::StorageFull);
        full.line("x");
        assert_eq!(full.finish().unwrap_err().kind, Kind::Refused);
    }
}
