//! The layer that writes events as JSON lines and leaves secrets out.
//!
//! A field whose name announces a secret is replaced whole; every other text passes through
//! [`redact`], also the messages of libraries. Fields of spans are kept the same way; a span that
//! has a `request_id` gives it to every line inside, in the place of the process's own.

use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::redact::{REDACTED, is_secret, redact};
use crate::clock;
use crate::format;
use crate::identity::RequestId;
use crate::text::json_line;

/// The field of a line, and of the spans that stand for a request of their own.
const REQUEST: &str = "request_id";

/// Writes each event as one JSON object on one line.
#[derive(Debug)]
pub struct JsonLines<W> {
    sink: Mutex<W>,
    request: RequestId,
}

impl<W: Write> JsonLines<W> {
    /// A layer that writes to `sink` and names the request in every line: this one, unless the
    /// line is written inside a span that has another.
    pub const fn new(sink: W, request: RequestId) -> Self {
        Self { sink: Mutex::new(sink), request }
    }

    /// One append for one line; a full disk must not stop the work.
    fn write(&self, line: &Map<String, Value>) {
        let Ok(encoded) = serde_json::to_string(line) else { return };
        let mut text = json_line(&encoded);
        text.push('\n');
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let _lost = sink.write_all(text.as_bytes());
    }
}

/// The fields of one span, kept in the span itself.
struct SpanFields(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: Write + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Collector(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            record.record(&mut Collector(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        event.record(&mut Collector(&mut fields));
        let metadata = event.metadata();
        // Records of the `log` crate carry their origin in fields.
        let logged_by = fields.remove("log.target");
        fields.retain(|name, _| !name.starts_with("log."));

        let mut line = Map::new();
        line.insert("at".into(), format::time(clock::now()).into());
        line.insert("level".into(), metadata.level().as_str().into());
        line.insert("target".into(), logged_by.unwrap_or_else(|| metadata.target().into()));
        if let Some(message) = fields.remove("message") {
            line.insert("message".into(), message);
        }
        let mut request = None;
        let spans: Vec<Value> = context
            .event_scope(event)
            .into_iter()
            .flatten()
            .map(|span| {
                let mut own = Map::new();
                own.insert("span".into(), span.name().into());
                if let Some(SpanFields(kept)) = span.extensions().get() {
                    own.extend(kept.clone());
                }
                // The innermost comes first.
                let named = own.remove(REQUEST);
                request = request.take().or(named);
                Value::Object(own)
            })
            .collect();
        let own = || self.request.to_string().into();
        line.insert(REQUEST.into(), request.unwrap_or_else(own));
        if !spans.is_empty() {
            line.insert("spans".into(), spans.into());
        }
        if !fields.is_empty() {
            line.insert("fields".into(), Value::Object(fields));
        }
        self.write(&line);
    }
}

/// Takes fields over and leaves secrets out.
struct Collector<'f>(&'f mut Map<String, Value>);

impl Collector<'_> {
    fn keep(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        let value = if is_secret(field.name()) { REDACTED.into() } else { value() };
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, || redact(&format!("{value:?}")).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, || redact(value).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, || value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, || value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.keep(field, || redact(&value.to_string()).into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const CANARY: &str = "c4n4ry-0f-th3-m1n3";

    /// A sink that the test can read afterwards.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> String {
        let sink = Shared::default();
        let layer = JsonLines::new(sink.clone(), RequestId::draw());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_field_that_names_a_secret_reaches_the_log() {
        let text = logged(|| {
            tracing::info!(password = CANARY, "a");
            tracing::info!(access_token = ?Some(CANARY), "b");
            tracing::info!(client_secret = %CANARY, "c");
            tracing::info!(authorization = CANARY, "d");
            tracing::info!(cookie = CANARY, "e");
            tracing::info!(api_key = CANARY, "f");
            tracing::info!(prompt = CANARY, "g");
            tracing::info!("api key" = CANARY, "h");
            tracing::info!(tenant = "acme", password = 4711, "i");
        });
        assert!(!text.contains(CANARY) && !text.contains("4711"), "{text}");
        assert_eq!(text.lines().count(), 9);
        assert!(text.contains("acme"));
    }

    #[test]
    fn no_secret_in_a_message_an_error_or_a_span_reaches_the_log() {
        let text = logged(|| {
            tracing::warn!("login failed: password={CANARY}");
            let error = std::io::Error::other(format!("Authorization: Bearer {CANARY}"));
            tracing::error!(error = &error as &dyn std::error::Error, "refused");
            tracing::info!(request = ?format!("token: {CANARY}"), "debug");
            let span = tracing::info_span!("login", token = CANARY, url = tracing::field::Empty);
            span.record("url", format!("postgres://ada:{CANARY}@host/db"));
            span.in_scope(|| tracing::info!("inside"));
        });
        assert!(!text.contains(CANARY), "{text}");
        assert!(text.contains("postgres://ada:[redacted]@host/db"), "{text}");
    }

    #[test]
    fn a_line_is_one_json_object_that_names_request_level_and_target() {
        let text = logged(|| tracing::info!(rows = 3, "two\nlines"));
        assert_eq!(text.lines().count(), 1);
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "two\nlines");
        assert_eq!(line["fields"]["rows"], 3);
        assert_eq!(line["level"], "INFO");
        assert!(line["request_id"].as_str().unwrap().len() == 36);
        assert!(line["target"].as_str().unwrap().starts_with("tenantdesk::logging"));
    }

    #[test]
    fn a_line_inside_a_span_with_a_request_belongs_to_that_request() {
        let text = logged(|| {
            tracing::info!("before");
            let effect = tracing::info_span!("effect", request_id = "r-1", what = "export");
            effect.in_scope(|| {
                tracing::info!("one");
                tracing::info_span!("step").in_scope(|| tracing::info!("deeper"));
                let other = tracing::info_span!("effect", request_id = "r-2");
                other.in_scope(|| tracing::info!("the innermost counts"));
            });
        });
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |index: usize| lines[index]["request_id"].as_str().unwrap();
        assert_eq!(of(0).len(), 36, "the process's own");
        assert_eq!([of(1), of(2), of(3)], ["r-1", "r-1", "r-2"]);
        assert_eq!(lines[1]["spans"], serde_json::json!([{ "span": "effect", "what": "export" }]));
    }
}
