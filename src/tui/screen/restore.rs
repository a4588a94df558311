//! Restoring: mode, plan, typing the slug with a reason, progress, result.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::CommandId;
use crate::tui::act::Then;
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{RestoreFacts, RestoreMode, RestorePlanFacts, RestoreRelation};
use crate::tui::operation;
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::form::{Field, Form};
use crate::tui::widget::notice::Weight;
use crate::tui::widget::pane::pane;
use crate::tui::widget::text::{line, wrap};
use crate::tui::widget::window::{Column, Cursor, Table, plain};

use super::FormKind;
use super::archives::file_name;

/// The plan on screen, and what became of it.
#[derive(Debug)]
pub(crate) struct Restore {
    plan: RestorePlanFacts,
    cursor: Cursor,
    outcome: Option<Result<RestoreFacts, String>>,
}

impl Restore {
    /// Whether the tenant has already what the plan would give it.
    fn has_nothing_to_do(&self) -> bool {
        let replaces = self.plan.mode == RestoreMode::Replace;
        self.plan.relations.iter().all(|relation| {
            relation.missing == 0 && (!replaces || relation.changed == 0 && relation.extra == 0)
        })
    }

    /// Whether the plan was carried out, or tried.
    pub(crate) fn is_used(&self) -> bool {
        self.outcome.is_some()
    }
}

const MODES: [RestoreMode; 2] = [RestoreMode::Missing, RestoreMode::Replace];

/// Opens the form.
pub(crate) fn ask(state: &mut State, archive: PathBuf) {
    let words = MODES.iter().map(|mode| mode.as_str().to_owned()).collect();
    let title = format!("restore from {}", file_name(&archive));
    let mut form = Form::new(title, vec![Field::choice("mode", words)]);
    hint(&mut form);
    state.overlays.push(Overlay::Form(FormKind::Restore { archive }, form));
}

/// What the chosen mode does.
pub(crate) fn hint(form: &mut Form) {
    let text = match MODES[form.fields[0].index().min(1)] {
        RestoreMode::Missing => "adds the rows that are gone, changes no other",
        RestoreMode::Replace => "makes the tenant what the archive holds",
    };
    text.clone_into(&mut form.fields[0].hint);
}

/// Asks for the same plan once more: the tenant may be another meanwhile.
pub(crate) fn load(state: &mut State) {
    let Some(own) = &state.restore else { return };
    let (archive, mode) = (own.plan.archive.clone(), own.plan.mode);
    let title = format!("plan of a restore from {}", file_name(&archive));
    operation::begin(state, Slot::RestorePlan, title, Effect::PlanRestore { archive, mode });
}

/// Asks for the plan; nothing is changed by it.
pub(crate) fn send(state: &mut State) {
    let Some((FormKind::Restore { archive }, form)) = state.form() else { return };
    let mode = MODES[form.fields[0].index().min(1)];
    let archive = archive.clone();
    form.busy = Some("verifying the archive and comparing");
    let title = format!("plan of a restore from {}", file_name(&archive));
    operation::begin(state, Slot::RestorePlan, title, Effect::PlanRestore { archive, mode });
}

/// The plan is there.
pub(crate) fn planned(state: &mut State, plan: RestorePlanFacts) {
    state.overlays.retain(|overlay| !matches!(overlay, Overlay::Form(FormKind::Restore { .. }, _)));
    let mut plan = plan;
    // What would change comes first: it must not be looked for among what stays.
    plan.relations.sort_by_key(|relation| {
        [relation.missing, relation.changed, relation.extra, relation.conflicts]
            .iter()
            .all(|n| *n == 0)
    });
    state.restore = Some(Restore { plan, cursor: Cursor::default(), outcome: None });
    state.go(Screen::Restore);
}

/// It is restored.
pub(crate) fn restored(state: &mut State, result: RestoreFacts) {
    let text = format!("restored; rows written: {}", count(result.applied));
    state.note(Weight::Note, text);
    if let Some(own) = &mut state.restore {
        own.outcome = Some(Ok(result));
    }
}

/// It is not restored, and nothing was changed.
pub(crate) fn failed(state: &mut State, text: &str) -> bool {
    if let Some(own) = &mut state.restore {
        own.outcome = Some(Err(text.to_owned()));
    }
    state.screen() == Screen::Restore
}

/// Commands of the plan.
pub(crate) fn act(state: &mut State, id: CommandId) {
    let Some(own) = &mut state.restore else { return };
    if super::travel(&mut own.cursor, own.plan.relations.len(), id) {
        return;
    }
    if !matches!(id, CommandId::RestoreApply | CommandId::Open) {
        return;
    }
    if let Some(refusal) = &own.plan.refusal {
        let text = format!("this plan cannot be carried out: {}", refusal.screen());
        return state.note(Weight::Fault, text);
    }
    if own.is_used() {
        return;
    }
    if own.has_nothing_to_do() {
        return state.note(Weight::Note, "there is nothing to restore");
    }
    let plan = &own.plan;
    let [missing, changed, extra] = [
        total(plan, |relation| relation.missing),
        total(plan, |relation| relation.changed),
        total(plan, |relation| relation.extra),
    ];
    let confirm = crate::text::screen(&plan.confirm);
    let what = match plan.mode {
        RestoreMode::Missing => {
            format!("Adds to {confirm} the rows that are gone: {missing}. Nothing else changes.")
        }
        RestoreMode::Replace => format!(
            "Makes {confirm} what the archive holds. Rows added: {missing}, overwritten: {changed}, \
             REMOVED because the archive lacks them: {extra}. Export first if in doubt."
        ),
    };
    let text = format!("{what} It is one transaction: all or nothing.");
    let then = Then::Restore { plan: plan.number, confirm: plan.confirm.clone() };
    let asked = (plan.confirm.clone(), true);
    let confirm = Confirm::type_slug("restore the tenant", text, asked, then);
    state.overlays.push(Overlay::Confirm(Box::new(confirm)));
}

fn total(plan: &RestorePlanFacts, column: impl Fn(&RestoreRelation) -> u64) -> String {
    count(plan.relations.iter().map(column).sum())
}

fn count(number: u64) -> String {
    crate::format::count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What the plan would do, in numbers.
fn would(plan: &RestorePlanFacts) -> String {
    let rows = |column: fn(&RestoreRelation) -> u64| {
        let sum: u64 = plan.relations.iter().map(column).sum();
        crate::format::counted(i64::try_from(sum).unwrap_or(i64::MAX), "row")
    };
    let add = format!("add {}", rows(|relation| relation.missing));
    match plan.mode {
        RestoreMode::Missing => add,
        RestoreMode::Replace => format!(
            "{add}, overwrite {}, REMOVE {}",
            rows(|relation| relation.changed),
            rows(|relation| relation.extra)
        ),
    }
}

/// What stands above the table.
fn heading(state: &State, own: &Restore, room: u16) -> Vec<(String, Role)> {
    let (look, key) = (state.look, state.keymap.name(CommandId::RestoreApply));
    let plan = &own.plan;
    let mut lines = vec![(
        format!(
            "{} into {}, mode {}",
            file_name(&plan.archive),
            crate::text::screen(&plan.confirm),
            plan.mode.as_str()
        ),
        Role::Title,
    )];
    let mut say = |text: &str, role: Role| {
        lines.extend(wrap(text, room).into_iter().map(|line| (line, role)));
    };
    let symbols = look.symbols();
    match &own.outcome {
        Some(Ok(result)) => {
            let (sign, role) = if result.verified {
                (symbols.good, Role::Good)
            } else {
                (symbols.hard, Role::Bad)
            };
            let took = crate::format::duration(result.took);
            let verified = if result.verified { "verified by digest" } else { "NOT verified" };
            let (applied, removed) = (count(result.applied), count(result.removed));
            say(
                &format!(
                    "{sign} done in {took}, {verified}; rows written: {applied}, removed: {removed}"
                ),
                role,
            );
            if let Some(receipt) = &result.receipt {
                say(&format!("receipt {}", receipt.to_string_lossy()), Role::Dim);
            }
        }
        Some(Err(failure)) => {
            say(&format!("{} not restored; nothing was changed", symbols.hard), Role::Bad);
            say(failure, Role::Bad);
        }
        None => match &plan.refusal {
            Some(refusal) => say(&format!("{} {}", symbols.hard, refusal.screen()), Role::Bad),
            None if own.has_nothing_to_do() => {
                let rest = match plan.mode {
                    RestoreMode::Missing => "the tenant has every row of the archive",
                    RestoreMode::Replace => "the tenant is what the archive holds",
                };
                say(&format!("{} nothing to do: {rest}", symbols.good), Role::Good);
            }
            None => {
                say(&format!("would {}", would(plan)), Role::Title);
                say(&format!("nothing is changed yet: {key} carries the plan out"), Role::Text);
            }
        },
    }
    for warning in &plan.warnings {
        say(&format!("{} {}", symbols.soft, warning.screen()), Role::Warn);
    }
    lines
}

/// Draws the plan.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (Some(own), look) = (&state.restore, state.look) else { return };
    let inner = pane(frame, area, "restore", true, look);
    let lines = heading(state, own, inner.width);
    let shown = lines.len().min(usize::from(inner.height / 2));
    for (y, (text, role)) in (inner.y..).zip(&lines[..shown]) {
        line(frame.buffer_mut(), (inner.x, y, inner.width), text, look.style(*role), look);
    }
    let used = u16::try_from(shown).unwrap_or(0) + 1;
    let table = Rect { y: inner.y + used, height: inner.height.saturating_sub(used), ..inner };
    let columns = [
        Column::new("relation", 12).grows(),
        Column::new("archive", 9).right(),
        Column::new("target", 9).right(),
        Column::new("missing", 9).right(),
        Column::new("changed", 9).right(),
        Column::new("extra", 7).right(),
        Column::new("conflicts", 9).right().from(70),
    ];
    let relations = &own.plan.relations;
    let cell = |row: usize, column: usize| {
        let relation = &relations[row];
        let number = match column {
            0 => return plain(relation.name.raw().to_owned()),
            1 => relation.in_archive,
            2 => relation.in_target,
            3 => relation.missing,
            4 => relation.changed,
            5 => relation.extra,
            _ => relation.conflicts,
        };
        let role = match (column, number) {
            (_, 0) => Role::Dim,
            (3, _) => Role::Good,
            (4 | 5, _) => Role::Warn,
            (6, _) => Role::Bad,
            _ => Role::Text,
        };
        (count(number).into(), role)
    };
    let (len, cursor, empty) = (relations.len(), &own.cursor, "the archive holds no relation");
    Table { columns: &columns, len, cursor, focused: true, empty, cell }.draw(
        frame.buffer_mut(),
        table,
        look,
    );
}
