//! The roles that a tenant session works under, and where each finds the guarded views.

/// The roles of a tenant session, one for each kind of work. None holds INSERT and UPDATE on one relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionRole {
    /// SELECT as a member.
    Reader,
    /// INSERT as a member.
    Inserter,
    /// UPDATE and DELETE as a member.
    Changer,
    /// INSERT of a new tenant's first rows.
    Provisioner,
    /// SELECT of everything of one tenant.
    Archivist,
    /// INSERT of archived rows.
    ArchiveInserter,
    /// UPDATE and DELETE before a restore.
    ArchiveChanger,
}

impl SessionRole {
    /// The database role.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "tenantdesk_reader",
            Self::Inserter => "tenantdesk_inserter",
            Self::Changer => "tenantdesk_changer",
            Self::Provisioner => "tenantdesk_provisioner",
            Self::Archivist => "tenantdesk_archivist",
            Self::ArchiveInserter => "tenantdesk_archive_inserter",
            Self::ArchiveChanger => "tenantdesk_archive_changer",
        }
    }

    /// The schemas of guarded views that stand before the target's own.
    pub(super) const fn view_schemas(self) -> &'static [&'static str] {
        match self {
            Self::Reader => &["tenantdesk_read"],
            Self::Inserter | Self::Changer => &["tenantdesk_write", "tenantdesk_read"],
            Self::Provisioner => &["tenantdesk_provision"],
            Self::Archivist => &["tenantdesk_move"],
            Self::ArchiveInserter | Self::ArchiveChanger => {
                &["tenantdesk_restore", "tenantdesk_move"]
            }
        }
    }
}
