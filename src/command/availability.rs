//! Why a command cannot run now: needs, and the facts of the moment that meet them or not.
//!
//! A skin that shows a disabled command always shows the reason, so each need has one.

use crate::identity::{Level, Mode};

use super::entry::Command;

/// What a skin knows of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The operator's level; `None` while there is no connection.
    pub level: Option<Level>,
    /// Whether this login manages the installation.
    pub manager: bool,
    /// Whether a tenant is selected.
    pub tenant: bool,
    /// The mode of the live impersonation, if there is one.
    pub impersonation: Option<Mode>,
    /// Whether a row is selected in the table that has the focus.
    pub row: bool,
    /// Whether an operation is running.
    pub operation: bool,
}

/// What a command needs besides its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// A selected tenant.
    Tenant,
    /// A live impersonation.
    Impersonation,
    /// No live impersonation: one at a time, never nested.
    NoImpersonation,
    /// A selected row.
    Row,
    /// A running operation.
    Operation,
}

impl Need {
    /// What is missing, or `None` where the facts meet the need.
    fn missing(self, facts: Facts) -> Option<&'static str> {
        let (met, reason) = match self {
            Self::Tenant => (facts.tenant, "select a tenant first"),
            Self::Impersonation => (facts.impersonation.is_some(), "no impersonation is open"),
            Self::NoImpersonation => (facts.impersonation.is_none(), "end the impersonation first"),
            Self::Row => (facts.row, "select a row first"),
            Self::Operation => (facts.operation, "nothing is running"),
        };
        (!met).then_some(reason)
    }
}

impl Command {
    /// Why the command cannot run now, or `None` where it can.
    #[must_use]
    pub fn unavailable(&self, facts: &Facts) -> Option<String> {
        if self.level.is_some() && facts.level.is_none() {
            return Some("not connected".to_owned());
        }
        let missing = || self.needs.iter().find_map(|need| need.missing(*facts)).map(str::to_owned);
        self.above(facts).or_else(missing)
    }

    /// Which level it needs, where this login has a lower one: no other place and no other
    /// selection would help.
    #[must_use]
    pub fn above(&self, facts: &Facts) -> Option<String> {
        let (least, level) = (self.level?, facts.level?);
        let may = level >= least || self.for_manager && facts.manager;
        (!may).then(|| format!("needs level {least}, yours is {level}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{CommandId, command};

    #[test]
    fn a_command_that_cannot_run_says_why() {
        let impersonate = command(CommandId::Impersonate);
        let why = |facts: Facts| impersonate.unavailable(&facts);
        let nobody = Facts::default();
        assert_eq!(why(nobody).as_deref(), Some("not connected"));
        let viewer = Facts { level: Some(Level::Viewer), ..nobody };
        assert_eq!(why(viewer).as_deref(), Some("needs level support, yours is viewer"));
        let support = Facts { level: Some(Level::Support), ..nobody };
        assert_eq!(why(support).as_deref(), Some("select a tenant first"));
        let ready = Facts { tenant: true, ..support };
        assert_eq!(why(ready), None);
        let inside = Facts { impersonation: Some(Mode::Read), ..ready };
        assert_eq!(why(inside).as_deref(), Some("end the impersonation first"));
    }

    #[test]
    fn who_manages_the_installation_manages_operators_without_a_level() {
        let manager = Facts { level: Some(Level::Viewer), manager: true, ..Facts::default() };
        let add = command(CommandId::OperatorAdd);
        assert_eq!(add.unavailable(&manager), None);
        let viewer = Facts { manager: false, ..manager };
        assert_eq!(add.unavailable(&viewer).as_deref(), Some("needs level admin, yours is viewer"));
        assert!(command(CommandId::Export).unavailable(&manager).is_some());
    }

    #[test]
    fn a_command_without_a_level_needs_no_connection() {
        assert_eq!(command(CommandId::Help).unavailable(&Facts::default()), None);
    }
}
