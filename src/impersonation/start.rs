//! `impersonate`: who acts as whom, why and for how long; then the session.
//!
//! The database decides all of it again when the session opens; what is checked here gives the
//! better answer earlier.

use chrono::TimeDelta;
use thiserror::Error;

use super::statement::Impersonation;
use crate::console::Console;
use crate::failure::{Explain, Failure, Kind};
use crate::identity::{Level, Mode, Reason, TenantId};
use crate::isolation::map::RelationMap;
use crate::isolation::relations::installed_map;
use crate::tenant::directory::{self, Tenant};
use crate::tenant::members::{self, Member};
use crate::tenant::session::{self, OpenSession};

/// How long an impersonation lasts where nothing else is said.
const DEFAULT_MINUTES: i64 = 15;
/// How many members a hint names.
const NAMED_MEMBERS: usize = 5;

/// Asks for an impersonation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartImpersonation {
    /// A slug, an id, or what finds one tenant.
    pub tenant: String,
    /// The member to act as: e-mail address or id. Not needed where the map has no members.
    pub member: Option<String>,
    /// To read or to write.
    pub mode: Mode,
    /// Why.
    pub reason: Reason,
    /// Where the reason can be looked up.
    pub ticket: Option<String>,
    /// For how long; 15 minutes where nothing is said.
    pub duration: Option<TimeDelta>,
}

/// What will be opened; shown before it is.
#[derive(Debug, Clone)]
pub struct StartPlan {
    /// In which tenant.
    pub tenant: Tenant,
    /// As whom; none where the target has no members.
    pub member: Option<Member>,
    /// To read or to write.
    pub mode: Mode,
    /// Why.
    pub reason: Reason,
    /// The ticket.
    pub ticket: Option<String>,
    /// For how long at most.
    pub duration: TimeDelta,
    map: RelationMap,
}

/// Why an impersonation does not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StartError {
    /// The level is too low.
    #[error("level {needed} is needed to impersonate in {} mode", .mode.as_str())]
    Level {
        /// What was asked.
        mode: Mode,
        /// What it needs.
        needed: Level,
    },
    /// Nobody acts in a suspended tenant.
    #[error("tenant {0} is suspended")]
    Suspended(String),
    /// It was not said as whom.
    #[error("say with `--as` as which member")]
    MemberMissing {
        /// A few who are active.
        active: Vec<String>,
        /// The tenant.
        tenant: String,
    },
    /// There is no such member. A person of another tenant looks the same.
    #[error("member not found in this tenant: `{0}`")]
    MemberNotFound(String),
    /// The member may not act.
    #[error("member `{email}` is not active: {state}")]
    MemberInactive {
        /// Who.
        email: String,
        /// The state of the membership.
        state: String,
    },
    /// The target knows no members.
    #[error("this database has no members to act as")]
    NoMembers,
    /// The ticket is empty or too long.
    #[error("a ticket has 1 to 200 characters")]
    Ticket,
    /// The duration makes no sense.
    #[error("an impersonation lasts between 1 second and 8 hours")]
    Duration,
}

impl Explain for StartError {
    fn kind(&self) -> Kind {
        match self {
            Self::MemberMissing { .. } | Self::Ticket | Self::Duration => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Level { needed, .. } => {
                vec![format!("an admin can run: tenantdesk operator level NAME {needed}")]
            }
            Self::Suspended(_) => vec!["nobody acts as a member of a suspended tenant".to_owned()],
            Self::MemberMissing { active, tenant } => {
                let mut hints =
                    vec![format!("`tenantdesk member list {tenant}` shows the members")];
                if !active.is_empty() {
                    hints.push(format!("active members: {}", active.join(", ")));
                }
                hints
            }
            Self::MemberNotFound(_) | Self::MemberInactive { .. } => {
                vec![
                    "`tenantdesk member list TENANT` shows the members and their states".to_owned(),
                ]
            }
            Self::NoMembers => vec!["leave `--as` out".to_owned()],
            Self::Ticket | Self::Duration => Vec::new(),
        }
    }
}

/// Finds tenant and member and checks what can be known before. Reads nothing inside the tenant
/// but the list of its members.
///
/// # Errors
/// [`StartError`], a tenant that is not found, or what the server says.
pub async fn prepare(console: &Console, request: StartImpersonation) -> Result<StartPlan, Failure> {
    may(console.level(), request.mode)?;
    let map = installed_map(console).await?;
    let tenant = directory::resolve(console, &request.tenant).await?;
    let members = match map.members {
        Some(_) => members::list(console, &tenant.id).await?,
        None => Vec::new(),
    };
    Ok(plan(map, tenant, &members, request)?)
}

/// Decides, from what was read.
fn plan(
    map: RelationMap,
    tenant: Tenant,
    members: &[Member],
    request: StartImpersonation,
) -> Result<StartPlan, StartError> {
    let status = tenant.status.as_ref().map(crate::text::Untrusted::raw);
    if status.is_some() && status == map.root.suspended.as_deref() {
        return Err(StartError::Suspended(tenant.handle()));
    }
    let ticket = request.ticket.map(|ticket| ticket.trim().to_owned());
    if ticket.as_ref().is_some_and(|ticket| !(1..=200).contains(&ticket.chars().count())) {
        return Err(StartError::Ticket);
    }
    let duration = request.duration.unwrap_or_else(|| TimeDelta::minutes(DEFAULT_MINUTES));
    if duration < TimeDelta::seconds(1) || duration > TimeDelta::hours(8) {
        return Err(StartError::Duration);
    }
    let member = member(&map, &tenant, members, request.member.as_deref())?;
    let StartImpersonation { mode, reason, .. } = request;
    Ok(StartPlan { tenant, member, mode, reason, ticket, duration, map })
}

/// The member that was named, by id or by e-mail address whatever its case.
fn member(
    map: &RelationMap,
    tenant: &Tenant,
    members: &[Member],
    wanted: Option<&str>,
) -> Result<Option<Member>, StartError> {
    let Some(columns) = &map.members else {
        return if wanted.is_some() { Err(StartError::NoMembers) } else { Ok(None) };
    };
    let is_active = |member: &Member| match &columns.active {
        Some(active) => member.state.as_ref().is_some_and(|state| state.raw() == active),
        None => true,
    };
    let Some(wanted) = wanted else {
        let active = members.iter().filter(|member| is_active(member)).take(NAMED_MEMBERS);
        return Err(StartError::MemberMissing {
            active: active.map(|member| member.email.screen()).collect(),
            tenant: tenant.handle(),
        });
    };
    let found = members
        .iter()
        .find(|m| m.id == wanted || m.email.raw().to_lowercase() == wanted.to_lowercase())
        .ok_or_else(|| StartError::MemberNotFound(wanted.to_owned()))?;
    if !is_active(found) {
        let state = found.state.as_ref().map(crate::text::Untrusted::screen).unwrap_or_default();
        return Err(StartError::MemberInactive { email: found.email.screen(), state });
    }
    Ok(Some(found.clone()))
}

/// What a mode needs; the database asks the same.
fn may(level: Option<Level>, mode: Mode) -> Result<(), StartError> {
    let needed = match mode {
        Mode::Read => Level::Support,
        Mode::Write => Level::Admin,
    };
    if level >= Some(needed) { Ok(()) } else { Err(StartError::Level { mode, needed }) }
}

/// Opens the session: its record is committed before a byte of the tenant can be read.
///
/// # Errors
/// What the database says: the guard is not whole, an impersonation runs already, the member was
/// disabled in the meantime.
pub async fn open(console: &Console, plan: StartPlan) -> Result<Impersonation, Failure> {
    let StartPlan { tenant, member, mode, reason, ticket, duration, map } = plan;
    let ask = OpenSession::impersonate(
        TenantId::from_database(tenant.id.as_str()),
        member.as_ref().map(|member| member.id.clone()),
        mode,
        reason.clone(),
        ticket.clone(),
        duration,
    );
    let session = session::open(console, &map, ask).await?;
    Ok(Impersonation::new(session, map, tenant, member, reason, ticket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(member: Option<&str>) -> StartImpersonation {
        StartImpersonation {
            tenant: "acme".into(),
            member: member.map(str::to_owned),
            mode: Mode::Read,
            reason: "ticket 4711 asks".parse().unwrap(),
            ticket: None,
            duration: None,
        }
    }

    fn acme(status: &str) -> Tenant {
        Tenant {
            id: TenantId::from_database("a1"),
            slug: Some("acme".into()),
            name: None,
            plan: None,
            status: Some(status.into()),
            domain: None,
            created_at: None,
        }
    }

    fn people() -> Vec<Member> {
        let person = |id: &str, email: &str, state: &str| Member {
            id: id.into(),
            email: email.into(),
            name: None,
            role: Some("owner".into()),
            state: Some(state.into()),
        };
        vec![person("u1", "ann@acme.test", "active"), person("u2", "bob@acme.test", "disabled")]
    }

    fn map() -> RelationMap {
        RelationMap::from_toml(include_str!("../../assets/starter/map.toml")).unwrap()
    }

    #[test]
    fn an_active_member_is_found_by_address_or_id_and_nobody_else() {
        for wanted in ["ANN@acme.test", "u1"] {
            let plan = plan(map(), acme("active"), &people(), request(Some(wanted))).unwrap();
            assert_eq!(plan.member.unwrap().id, "u1");
            assert_eq!(plan.duration, TimeDelta::minutes(15));
        }
        let refused = |wanted| plan(map(), acme("active"), &people(), request(wanted)).unwrap_err();
        assert!(matches!(refused(Some("bob@acme.test")), StartError::MemberInactive { .. }));
        assert!(matches!(refused(Some("eve@acme.test")), StartError::MemberNotFound(_)));
        let missing = refused(None);
        assert!(
            missing.hints()[1].contains("ann@acme.test") && !missing.hints()[1].contains("bob")
        );
    }

    #[test]
    fn a_target_without_members_asks_for_none() {
        let mut map = map();
        map.members = None;
        assert!(plan(map.clone(), acme("active"), &[], request(None)).unwrap().member.is_none());
        assert_eq!(
            plan(map, acme("active"), &[], request(Some("x"))).unwrap_err(),
            StartError::NoMembers
        );
    }

    #[test]
    fn suspended_tenants_empty_tickets_and_odd_durations_are_refused() {
        let tried = |change: fn(&mut StartImpersonation), status| {
            let mut request = request(Some("u1"));
            change(&mut request);
            plan(map(), acme(status), &people(), request).map(drop)
        };
        assert!(tried(|_| {}, "active").is_ok());
        assert_eq!(tried(|_| {}, "suspended"), Err(StartError::Suspended("acme".into())));
        assert_eq!(tried(|r| r.ticket = Some(" ".into()), "active"), Err(StartError::Ticket));
        for seconds in [0, -5, 8 * 3600 + 1] {
            let mut request = request(Some("u1"));
            request.duration = Some(TimeDelta::seconds(seconds));
            assert_eq!(
                plan(map(), acme("active"), &people(), request).map(drop),
                Err(StartError::Duration)
            );
        }
    }

    #[test]
    fn reading_needs_support_and_writing_admin() {
        assert!(may(Some(Level::Support), Mode::Read).is_ok());
        assert!(may(Some(Level::Approver), Mode::Write).is_err());
        assert!(may(Some(Level::Admin), Mode::Write).is_ok());
        assert!(may(None, Mode::Read).is_err());
    }
}
