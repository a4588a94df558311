//! Lists that need no screen of their own, as cards: plans, the relation map, the operators.

use crate::command::CommandId;
use crate::format::quantity;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{MapFacts, OperatorFacts, PlanFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};

use super::tenant::TenantPage;

/// Asks for what the card shows.
pub(crate) fn ask(state: &mut State, id: CommandId) {
    let effect = match id {
        CommandId::PlanList => Effect::ListPlans,
        CommandId::PlanShow => match plan_in_question(state) {
            Some(plan) => Effect::ShowPlan(plan),
            None => return,
        },
        CommandId::TablesList => Effect::ListTables,
        CommandId::OperatorList => Effect::ListOperators,
        _ => return,
    };
    state.ask(Slot::Card, effect);
}

/// The plan of the selected tenant, where it has one.
pub(crate) fn plan_in_question(state: &State) -> Option<String> {
    let plan = match state.screen() {
        Screen::Tenants => state.tenants.selected_plan(),
        Screen::Usage => state.usage.selected_plan(),
        Screen::Tenant => state.tenant.as_ref().and_then(TenantPage::plan),
        _ => None,
    };
    plan.filter(|plan| !plan.is_empty())
}

fn push(state: &mut State, title: impl Into<String>, mut entries: Vec<Entry>, empty: &str) {
    if entries.is_empty() {
        entries.push(Entry::note(empty, Role::Dim));
    }
    let mut card = Card::new(title, entries);
    "esc close   up and down scroll".clone_into(&mut card.foot);
    state.overlays.push(Overlay::Card(card));
}

/// Plans and their limits.
pub(crate) fn plans(state: &mut State, plans: &[PlanFacts]) {
    let mut entries = Vec::new();
    for plan in plans {
        if !entries.is_empty() {
            entries.push(Entry::note("", Role::Text));
        }
        let title = format!("{}: {}", plan.name.screen(), plan.title.screen());
        entries.push(Entry::note(title, Role::Header));
        for limit in &plan.limits {
            let amount = |amount: i64| quantity(amount, limit.unit.raw());
            let month = if limit.period.raw() == "month" { " a month" } else { "" };
            let hard = limit.hard.map(|hard| format!("up to {}{month}", amount(hard)));
            let hard = hard.unwrap_or_else(|| "no limit".to_owned());
            let soft = limit.soft.map(|soft| format!(", warns from {}", amount(soft)));
            entries.push(Entry::new(limit.metric.raw(), hard + &soft.unwrap_or_default()));
        }
        if plan.limits.is_empty() {
            entries.push(Entry::note("no limit at all", Role::Dim));
        }
    }
    let title = if plans.len() == 1 { "plan" } else { "plans" };
    push(state, title, entries, "no plan is known");
}

/// The relation map; what is wrong with its guard comes first.
pub(crate) fn map(state: &mut State, map: &MapFacts) {
    let about = state.look.symbols().about;
    let faults = map.faults.iter();
    let fault = |(object, fault): &(crate::text::Untrusted, crate::text::Untrusted)| {
        Entry::new(object.raw(), fault.raw()).role(Role::Bad)
    };
    let mut entries: Vec<Entry> = faults.map(fault).collect();
    for relation in &map.relations {
        let key = relation.key.as_ref().map(|key| format!(" by {}", key.screen()));
        let guard = match relation.guard.raw() {
            "none" => "no guard".to_owned(),
            guard => format!("guarded by {guard}"),
        };
        let class = relation.class.screen();
        let mut text = format!("{class}{}, {guard}", key.unwrap_or_default());
        if let Some(rows) = relation.rows_estimate {
            text = format!("{text}, {about}{}", crate::format::counted(rows, "row"));
        }
        if let Some(reason) = &relation.reason {
            text = format!("{text}: {}", reason.screen());
        }
        entries.push(Entry::new(relation.name.raw(), text));
    }
    let title = match map.faults.len() {
        0 => "relation map, all tenants together".to_owned(),
        faults => format!("relation map; the guard has faults: {faults}"),
    };
    push(state, title, entries, "no relation is mapped");
}

/// The operators.
pub(crate) fn operators(state: &mut State, operators: &[OperatorFacts]) {
    let entries = operators.iter().map(|operator| {
        let since = operator.added_at.format("%Y-%m-%d");
        let by = operator.added_by.screen();
        let shared = if operator.shared { ", shared by several people" } else { "" };
        let text = format!("{}, since {since}, added by {by}{shared}", operator.level);
        Entry::new(operator.name.as_str(), text)
    });
    let entries = entries.collect();
    push(state, "operators", entries, "there is no operator");
}
