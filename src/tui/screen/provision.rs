//! Provisioning: the form, and the welcome that is shown once.

use secrecy::ExposeSecret as _;

use crate::identity::{DisplayName, Email, TenantSlug};
use crate::tui::app::{Screen, State};
use crate::tui::effect::Effect;
use crate::tui::facts::{PlanFacts, ProvisionAsk, WelcomeFacts};
use crate::tui::overlay::Overlay;
use crate::tui::request::Slot;
use crate::tui::theme::Role;
use crate::tui::widget::card::{Card, Entry};
use crate::tui::widget::form::{self, Field, Form};

use super::FormKind;

const NAME: usize = 0;
const SLUG: usize = 1;
const EMAIL: usize = 2;

/// The e-mail address is asked for where the database has users; the plan comes last.
fn email(form: &mut Form) -> Option<&mut Field> {
    if form.fields.len() > 3 { form.fields.get_mut(EMAIL) } else { None }
}

/// Opens the form and asks for the plans.
pub(crate) fn provision(state: &mut State) {
    let mut fields = vec![
        Field::text("name", "as people write it"),
        Field::text("slug", "a-z, 0-9 and -; proposed from the name"),
    ];
    if state.greeting.as_ref().is_none_or(|greeting| greeting.has_people) {
        fields.push(Field::text("admin e-mail", "becomes the owner"));
    }
    fields.push(Field::choice("plan", vec!["default".to_owned()]));
    state.overlays.push(Overlay::Form(FormKind::Provision, Form::new("create a tenant", fields)));
    state.ask(Slot::Plans, Effect::ListPlans);
}

/// The plans are known; what was chosen meanwhile stays.
pub(crate) fn plans(state: &mut State, plans: Vec<PlanFacts>) {
    if let Some((FormKind::Provision, form)) = state.form()
        && let Some(form::Entry::Choice(choice)) = form.fields.last_mut().map(|f| &mut f.entry)
    {
        choice.extend(plans.into_iter().map(|plan| plan.name.raw().to_owned()));
    }
}

/// The slug follows the name until the person writes one; it comes back only when the name
/// changes, or an emptied field could never be filled anew.
pub(crate) fn propose(form: &mut Form) {
    if form.focus != NAME {
        return;
    }
    if form.fields[SLUG].touched && !form.fields[SLUG].value().is_empty() {
        return;
    }
    let slug = TenantSlug::propose(form.fields[NAME].value());
    let text = slug.as_ref().map_or("", TenantSlug::as_str);
    form.fields[SLUG].entry = form::Entry::Text(text.into());
    form.fields[SLUG].touched = false;
}

/// Checks and sends.
pub(crate) fn send(state: &mut State) {
    let Some((_, form)) = state.form() else { return };
    let name = form.fields[NAME].value().parse::<DisplayName>();
    let slug = form.fields[SLUG].value().trim().parse::<TenantSlug>();
    let email = email(form).map(|field| {
        let email = field.value().parse::<Email>();
        field.fault = email.as_ref().err().map(ToString::to_string);
        email
    });
    form.fields[NAME].fault = name.as_ref().err().map(ToString::to_string);
    form.fields[SLUG].fault = slug.as_ref().err().map(ToString::to_string);
    form.settle();
    let chosen = form.fields.last().filter(|field| field.index() > 0);
    let plan = chosen.map(|field| field.value().to_owned());
    if let (Ok(name), Ok(slug), Ok(admin_email)) = (name, slug, email.transpose()) {
        form.busy = Some("creating the tenant");
        let ask = ProvisionAsk { name, slug, admin_email, plan };
        state.ask(Slot::Provision, Effect::Provision(ask));
    }
}

/// It is made: the welcome comes up once, the list is read again.
pub(crate) fn done(state: &mut State, welcome: &WelcomeFacts) {
    state.overlays.retain(|overlay| !matches!(overlay, Overlay::Form(FormKind::Provision, _)));
    let mut entries = vec![
        Entry::new("tenant", welcome.slug.screen()).role(Role::Title),
        Entry::new("id", welcome.tenant.as_str()),
    ];
    if let Some(email) = &welcome.admin_email {
        entries.push(Entry::new("owner", email.screen()));
        entries.push(match &welcome.temporary_password {
            Some(password) => Entry::new("password", password.expose_secret()).role(Role::Title),
            None if welcome.linked => {
                Entry::new("password", "unchanged: this user was there before").role(Role::Dim)
            }
            None => Entry::new("password", "none: the application resets it").role(Role::Dim),
        });
    }
    entries.push(Entry::note("", Role::Text));
    entries.push(Entry::note(welcome.welcome.raw(), Role::Text));
    let mut card = Card::new("the tenant is ready", entries);
    let foot = match welcome.temporary_password {
        Some(_) => "shown only now, and changed at the first login   enter close",
        None => "enter close",
    };
    foot.clone_into(&mut card.foot);
    state.overlays.push(Overlay::Card(card));
    super::load(state, Screen::Tenants);
}
