//! Small archives for tests, and the means to take one apart and put it together wrongly.

use std::collections::BTreeMap;
use std::path::Path;

use tenantdesk::archive::{
    ArchiveWriter, ArchivedClass, ArchivedColumn, ArchivedRelation, ArchivedTenant, Examination,
    FORMAT, Fault, Limits, Manifest, Source, Trust, VERSION, examine,
};
use tenantdesk::progress::Progress;
use tenantdesk::secret::signing_key::SigningKey;

/// Two keys: the installation's own, and a stranger's.
pub(crate) struct Keys {
    pub(crate) own: SigningKey,
    pub(crate) stranger: SigningKey,
}

impl Keys {
    pub(crate) fn draw() -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = |name| SigningKey::open_or_create(&home.path().join(name)).unwrap();
        Self { own: key("own"), stranger: key("stranger") }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::own(self.own.public())
    }
}

/// A relation of two columns.
pub(crate) fn relation(ordinal: u16, table: &str) -> ArchivedRelation {
    let column = |name: &str, sql_type: &str| ArchivedColumn {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        identity: None,
    };
    ArchivedRelation {
        ordinal,
        schema: "app".to_owned(),
        table: table.to_owned(),
        class: ArchivedClass::Keyed,
        key: Some("tenant_id".to_owned()),
        path: Vec::new(),
        ways: Vec::new(),
        columns: vec![column("id", "bigint"), column("body", "text")],
        generated: Vec::new(),
        primary_key: vec!["id".to_owned()],
        order: vec!["id".to_owned()],
    }
}

/// A manifest of these tables.
pub(crate) fn manifest(tables: &[&str]) -> Manifest {
    Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        tool: "tenantdesk test".to_owned(),
        taken_at: "2026-11-21T03:00:00Z".parse().unwrap(),
        source: Source {
            server_version: "15.20".to_owned(),
            server_version_num: 150_020,
            system_identifier: "7400000000000000001".to_owned(),
            database: "app".to_owned(),
            snapshot: "700:700:".to_owned(),
        },
        tenant: ArchivedTenant {
            id: "00000000-0000-4000-8000-000000000001".to_owned(),
            slug: Some("acme".to_owned()),
            name: "Acme".to_owned(),
            model: "shared".to_owned(),
        },
        text: BTreeMap::from([("DateStyle".to_owned(), "ISO, YMD".to_owned())]),
        relations: tables
            .iter()
            .zip(1..)
            .map(|(table, ordinal)| relation(ordinal, table))
            .collect(),
        omitted: Vec::new(),
    }
}

/// An archive of these tables and rows in memory.
pub(crate) fn write(key: &SigningKey, manifest: &Manifest, rows: &[&[u8]]) -> Vec<u8> {
    let mut writer = ArchiveWriter::begin(Vec::new(), manifest).unwrap();
    for (ordinal, rows) in (1..).zip(rows) {
        writer.relation(ordinal).unwrap();
        writer.copy(rows).unwrap();
    }
    writer.finish(key).unwrap().0
}

/// Two relations with rows and an empty one.
pub(crate) fn small(key: &SigningKey) -> Vec<u8> {
    write(key, &manifest(&["notes", "nothing", "tasks"]), &[b"1\ta\n2\tb\\n\n", b"", b"7\t\\N\n"])
}

pub(crate) fn look(archive: &[u8], trust: &Trust) -> Examination {
    examine(archive, trust, &Limits::default(), &Progress::silent()).unwrap()
}

pub(crate) fn faults(archive: &[u8], keys: &Keys) -> Vec<Fault> {
    look(archive, &keys.trust()).faults
}

/// One member, header included.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) header: [u8; 512],
    pub(crate) content: Vec<u8>,
}

impl Part {
    pub(crate) fn name(&self) -> String {
        let end = self.header.iter().position(|&byte| byte == 0).unwrap();
        String::from_utf8(self.header[..end].to_vec()).unwrap()
    }

    /// The same member under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        let mut part = self.clone();
        part.header[..100].fill(0);
        part.header[..name.len()].copy_from_slice(name.as_bytes());
        part
    }
}

/// Takes an archive apart.
pub(crate) fn parts(archive: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = archive;
    while rest[0] != 0 {
        let header: [u8; 512] = rest[..512].try_into().unwrap();
        let digits = std::str::from_utf8(&header[124..135]).unwrap();
        let size = usize::from_str_radix(digits, 8).unwrap();
        parts.push(Part { header, content: rest[512..512 + size].to_vec() });
        rest = &rest[512 + size.next_multiple_of(512)..];
    }
    parts
}

/// Puts parts together, with right sizes, checksums, padding and end.
pub(crate) fn join(parts: &[Part]) -> Vec<u8> {
    let mut archive = Vec::new();
    for part in parts {
        let mut header = part.header;
        let size = format!("{:011o}\0", part.content.len());
        header[124..136].copy_from_slice(size.as_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(&part.content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend_from_slice(&[0; 1024]);
    archive
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| Path::new(&dir).join(program).is_file())
}
