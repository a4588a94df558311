//! Another limit for one tenant, until a date: the form of an admin.

use crate::format::{count, parse_amount, parse_until, quantity, time};
use crate::identity::Reason;
use crate::text::screen;
use crate::tui::app::State;
use crate::tui::effect::Effect;
use crate::tui::facts::{MetricFacts, OverrideAsk, UsageFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::widget::choice::Choice;
use crate::tui::widget::form::{self, Field, Form};
use crate::tui::widget::notice::Weight;

use super::FormKind;

const METRIC: usize = 0;
const HARD: usize = 1;
const UNTIL: usize = 2;
const REASON: usize = 3;

/// Opens the form and asks for what is used.
pub(crate) fn open(state: &mut State) {
    let Some((tenant, slug)) = state.selected_tenant() else { return };
    let fields = vec![
        Field::choice("metric", vec!["reading the usage".to_owned()]),
        Field::text("hard limit", "what nobody passes, as in 500 or 20 GiB"),
        Field::text("until", "last day, as in 2027-01-31, or 30d"),
        Field::text("reason", "at least 10 characters, the tenant sees it"),
    ];
    let form = Form::new(format!("another limit for {}", screen(&slug)), fields);
    state.ask(Slot::TenantUsage, Effect::ShowUsage(tenant.clone()));
    state.overlays.push(Overlay::Form(FormKind::Limit { tenant, slug, metrics: None }, form));
}

/// The usage is known: its metrics can be chosen.
pub(crate) fn metrics(state: &mut State, usage: &UsageFacts) {
    let Some((FormKind::Limit { tenant, metrics, .. }, form)) = state.form() else { return };
    if *tenant != usage.tenant {
        return;
    }
    let options = usage.metrics.iter().map(|metric| metric.metric.raw().to_owned()).collect();
    form.fields[METRIC].entry = form::Entry::Choice(Choice::new(options));
    hint(form, &usage.metrics);
    *metrics = Some(usage.metrics.clone());
}

/// What is used, and what holds now, beside the metric that is chosen.
pub(crate) fn hint(form: &mut Form, metrics: &[MetricFacts]) {
    let Some(metric) = metrics.get(form.fields[METRIC].index()) else { return };
    let unit = metric.unit.raw();
    let limit = match metric.hard {
        Some(hard) => {
            format!("the limit is {}, by {}", quantity(hard, unit), metric.source.screen())
        }
        None => "there is no limit".to_owned(),
    };
    form.fields[METRIC].hint = format!("{} used; {limit}", quantity(metric.used, unit));
}

/// Checks and sends.
pub(crate) fn send(state: &mut State) {
    let now = state.now;
    let Some((FormKind::Limit { tenant, metrics, .. }, form)) = state.form() else { return };
    let chosen = metrics.as_ref().map(|metrics| metrics.get(form.fields[METRIC].index()));
    let Some(chosen) = chosen else {
        form.fault = Some("the usage is still being read".to_owned());
        return;
    };
    let hard = parse_amount(form.fields[HARD].value());
    let until = match parse_until(form.fields[UNTIL].value(), now) {
        Ok(until) if until <= now => Err("that is over already".to_owned()),
        Ok(until) => Ok(until),
        Err(fault) => Err(fault.to_string()),
    };
    let reason = form.fields[REASON].value().parse::<Reason>();
    form.fields[METRIC].fault = chosen.is_none().then(|| "nothing is counted here".to_owned());
    form.fields[HARD].fault = hard.as_ref().err().map(ToString::to_string);
    form.fields[UNTIL].fault.clone_from(&until.as_ref().err().cloned());
    form.fields[REASON].fault = reason.as_ref().err().map(ToString::to_string);
    form.settle();
    if let (Some(metric), Ok(hard), Ok(until), Ok(reason)) = (chosen, hard, until, reason) {
        form.busy = Some("setting the limit");
        let (tenant, metric) = (tenant.clone(), metric.metric.raw().to_owned());
        let ask = OverrideAsk { tenant, metric, hard, until, reason };
        state.ask(Slot::Override, Effect::OverrideLimit(ask));
    }
}

/// It holds: what is on screen is read again.
pub(crate) fn done(state: &mut State, ask: &OverrideAsk) {
    let slug = state.form().and_then(|(kind, _)| match kind {
        FormKind::Limit { slug, .. } => Some(screen(slug)),
        _ => None,
    });
    let slug = slug.unwrap_or_else(|| screen(ask.tenant.as_str()));
    state.overlays.retain(|overlay| !matches!(overlay, Overlay::Form(FormKind::Limit { .. }, _)));
    let (metric, until) = (screen(&ask.metric), time(ask.until));
    let text = format!("{slug} may have {} {metric} until {until}", count(ask.hard));
    state.note(Weight::Note, text);
    super::load(state, state.screen());
}
