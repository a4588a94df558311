//! The documents of an archive against what the first pass found: pure, one fault for one cause.

use sha2::Sha256;

use super::digest::Sha;
use super::fault::Fault;
use super::manifest::{DigestDocument, FORMAT, Manifest, MemberDigest, RelationDigest, VERSION};
use super::tape;

/// The differences, each said once: the whole-file digest only speaks where nothing else does.
pub(super) fn compare(
    document: &DigestDocument,
    members: &[MemberDigest],
    relations: &[RelationDigest],
    (bytes, hash): (u64, Sha256),
    faults: &mut Vec<Fault>,
) {
    if document.version != VERSION {
        faults.push(Fault::FutureVersion { found: document.version.into() });
        return;
    }
    let names = |list: &[MemberDigest]| list.iter().map(|m| m.name.clone()).collect::<Vec<_>>();
    if names(&document.members) != names(members) {
        faults.push(Fault::MembersDiffer);
        return;
    }
    let damaged = |name: &str, faults: &[Fault]| {
        faults.iter().any(|f| matches!(f, Fault::ChunkDamaged { member, .. } if member == name))
    };
    for (listed, found) in document.members.iter().zip(members) {
        if listed != found && !damaged(&found.name, faults) {
            faults.push(Fault::MemberChanged { member: found.name.clone() });
        }
    }
    if faults.is_empty() && document.relations != relations {
        let differs =
            document.relations.iter().zip(relations).find(|(listed, found)| listed != found);
        let ordinal = differs.map_or(0, |(_, found)| found.ordinal);
        faults.push(Fault::RowsDiffer { ordinal });
    }
    let file = &document.file;
    if faults.is_empty() && (file.bytes != bytes || file.sha256 != Sha::from_hasher(hash)) {
        faults.push(Fault::FileDiffers);
    }
}

/// The version first, so that a later format is named as such; then strictly.
pub(super) fn read_manifest(content: &[u8]) -> Result<Manifest, Fault> {
    let malformed = |why: String| Fault::Malformed { member: tape::MANIFEST, why };
    let loose: serde_json::Value =
        serde_json::from_slice(content).map_err(|error| malformed(error.to_string()))?;
    if loose["format"] != FORMAT {
        return Err(Fault::NotAnArchive);
    }
    match loose["version"].as_u64() {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) if version > u64::from(VERSION) => {
            return Err(Fault::FutureVersion { found: version });
        }
        _ => return Err(malformed("its version is none that ever existed".to_owned())),
    }
    let manifest: Manifest =
        serde_json::from_slice(content).map_err(|error| malformed(error.to_string()))?;
    if !manifest.is_ordered() || manifest.relations.len() > usize::from(tape::MAX_ORDINAL) {
        return Err(malformed("its relations are not in order".to_owned()));
    }
    Ok(manifest)
}
