//! What an archive says of itself: read in a moment, and nothing of it is verified.

use std::io::Cursor;

use tenantdesk::archive::{Limits, glance};

use crate::archive_fixture::{Keys, small};

#[test]
fn a_glance_tells_what_an_archive_says_of_itself_and_verifies_nothing() {
    let keys = Keys::draw();
    let archive = small(&keys.stranger);
    let look = |bytes: &[u8]| glance(Cursor::new(bytes), &Limits::default());
    let found = look(&archive).unwrap();
    assert_eq!(
        (found.manifest.tenant.slug.as_deref(), found.bytes),
        (Some("acme"), archive.len() as u64)
    );
    let rows: Vec<u64> = found.digest.unwrap().relations.iter().map(|digest| digest.rows).collect();
    assert_eq!(rows, [2, 0, 1]);
    // A changed byte in the rows is not looked at; one that cuts the way to the digest is told.
    let mut changed = archive.clone();
    let chunk = changed.len() - 1024 - 512 * 5;
    changed[chunk] ^= 1;
    assert!(look(&changed).is_ok());
    let cut = look(&archive[..archive.len() / 2]).unwrap();
    assert!(cut.digest.is_err(), "{:?}", cut.digest);
    assert!(look(b"no archive").is_err());
}
