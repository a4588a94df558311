//! The format of archives: any damage is found, any forgery named, and other programs can read it.

use std::process::Command;

use proptest::prelude::*;
use tenantdesk::archive::{
    ArchiveFile, ArchiveWriter, CHUNK_BYTES, Existing, Fault, Limits, Pipeline, Trust, examine,
    open,
};
use tenantdesk::failure::Kind;
use tenantdesk::progress::Progress;

use crate::archive_fixture::{Keys, Part, faults, has, join, look, manifest, parts, small, write};

/// Rows of about `bytes` bytes that do not compress to nothing.
fn many_rows(bytes: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(bytes + 100);
    let mut state = 1_u64;
    while rows.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        rows.extend_from_slice(format!("{}\t{state:x} some words\n", rows.len()).as_bytes());
    }
    rows
}

#[test]
fn a_sound_archive_has_no_fault_and_gives_back_its_rows() {
    let keys = Keys::draw();
    let archive = small(&keys.own);
    let found = look(&archive, &keys.trust());
    assert_eq!(found.faults, []);
    assert_eq!(found.bytes, archive.len() as u64);
    assert_eq!(
        found.digest.unwrap().relations.iter().map(|r| r.rows).collect::<Vec<_>>(),
        [2, 0, 1]
    );

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &archive).unwrap();
    let opened = file.reopen().unwrap();
    let verified = open(opened, &keys.trust(), &Limits::default(), &Progress::silent()).unwrap();
    for (ordinal, expected) in [(1, &b"1\ta\n2\tb\\n\n"[..]), (2, b""), (3, b"7\t\\N\n")] {
        let mut rows = Vec::new();
        let collect = |raw: &[u8]| {
            rows.extend_from_slice(raw);
            std::io::Result::Ok(())
        };
        verified.rows(ordinal, collect).unwrap();
        assert_eq!(rows, expected);
    }
}

#[test]
fn every_truncation_is_found_also_at_a_member_boundary_and_closed_again() {
    let keys = Keys::draw();
    let archive = small(&keys.own);
    for length in 0..archive.len() {
        let found = faults(&archive[..length], &keys);
        assert_eq!(found, [Fault::Truncated { at: length as u64 }], "{length} bytes");
    }
    let parts = parts(&archive);
    for count in 0..parts.len() {
        let found = faults(&join(&parts[..count]), &keys);
        assert!(matches!(&found[..], [Fault::Incomplete { .. }]), "{count} members: {found:?}");
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let keys = Keys::draw();
    let archive = small(&keys.own);
    for at in 0..archive.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = archive.clone();
            damaged[at] ^= flip;
            let found = faults(&damaged, &keys);
            assert_eq!(found.len(), 1, "byte {at} with {flip:#x}: {found:?}");
        }
    }
}

#[test]
fn bytes_after_the_end_are_found() {
    let keys = Keys::draw();
    for extra in [&b"x"[..], &[0; 512]] {
        let archive = [small(&keys.own), extra.to_vec()].concat();
        let at = (archive.len() - extra.len()) as u64;
        assert_eq!(faults(&archive, &keys), [Fault::StrayBytes { at }]);
    }
}

#[test]
fn members_that_are_unknown_missing_doubled_or_reordered_are_named() {
    let keys = Keys::draw();
    let rows = many_rows(20 << 20);
    let archive = write(&keys.own, &manifest(&["notes", "tasks"]), &[&rows, b"1\ta\n"]);
    assert_eq!(faults(&archive, &keys), []);
    let good = parts(&archive);
    let names: Vec<String> = good.iter().map(Part::name).collect();
    assert_eq!(
        names[1..5],
        [
            "data/0001/000001.copy.zst",
            "data/0001/000002.copy.zst",
            "data/0001/000003.copy.zst",
            "data/0002/000001.copy.zst"
        ]
    );
    let with = |change: &dyn Fn(&mut Vec<Part>)| {
        let mut changed = good.clone();
        change(&mut changed);
        faults(&join(&changed), &keys)
    };

    let unknown = with(&|parts| parts.insert(2, parts[1].renamed("../../etc/passwd")));
    assert_eq!(unknown, [Fault::UnknownMember { name: "../../etc/passwd".to_owned() }]);
    let link = with(&|parts| parts[1].header[156] = b'2');
    assert!(matches!(&link[..], [Fault::HeaderUnusual { .. }]), "{link:?}");
    for (what, change) in [
        ("reordered", &(|parts: &mut Vec<Part>| parts.swap(1, 2)) as &dyn Fn(&mut Vec<Part>)),
        ("doubled", &|parts| parts.insert(1, parts[1].clone())),
        ("missing in the middle", &|parts| drop(parts.remove(2))),
        ("manifest twice", &|parts| parts.insert(1, parts[0].clone())),
        ("signature first", &|parts| parts.swap(5, 6)),
        ("a relation that the manifest does not have", &|parts| {
            parts.insert(5, parts[4].renamed("data/0003/000001.copy.zst"));
        }),
    ] {
        let found = with(change);
        assert!(matches!(&found[..], [Fault::OutOfOrder { .. }]), "{what}: {found:?}");
    }
    let cut = with(&|parts| drop(parts.remove(3)));
    assert_eq!(cut, [Fault::MembersDiffer], "the last chunk of a relation is missing");
    let swapped = with(&|parts| {
        let content = parts[1].content.clone();
        parts[1].content = std::mem::replace(&mut parts[2].content, content);
    });
    assert_eq!(swapped.len(), 2, "two chunks under each other's name: {swapped:?}");
    assert!(swapped.iter().all(|fault| matches!(fault, Fault::MemberChanged { .. })));
}

#[test]
fn a_forged_manifest_is_found_with_or_without_fresh_digests() {
    let keys = Keys::draw();
    let mut forged = manifest(&["notes", "nothing", "tasks"]);
    forged.tenant.id = "00000000-0000-4000-8000-000000000002".to_owned();
    let rows: [&[u8]; 3] = [b"1\ta\n2\tb\\n\n", b"", b"7\t\\N\n"];

    // Only the manifest was replaced.
    let mut changed = parts(&small(&keys.own));
    changed[0].content = parts(&write(&keys.own, &forged, &rows))[0].content.clone();
    let expected = Fault::MemberChanged { member: "manifest.json".to_owned() };
    assert_eq!(faults(&join(&changed), &keys), [expected]);

    // Every digest was computed anew; the old signature was kept.
    let mut rehashed = parts(&write(&keys.stranger, &forged, &rows));
    let last = rehashed.len() - 1;
    rehashed[last] = parts(&small(&keys.own))[last].clone();
    let key = keys.own.public().to_string();
    assert_eq!(faults(&join(&rehashed), &keys), [Fault::SignatureInvalid { key }]);

    // Signed anew with a key of the forger's own: the fault names the key.
    let signed = write(&keys.stranger, &forged, &rows);
    let key = keys.stranger.public().to_string();
    assert_eq!(faults(&signed, &keys), [Fault::OtherKey { key }]);
    let trusted = Trust::own(keys.own.public()).and(keys.stranger.public());
    assert_eq!(look(&signed, &trusted).faults, [], "control: a key trusted by name");
}

#[test]
fn a_later_version_is_named_and_a_strange_manifest_is_malformed() {
    let keys = Keys::draw();
    let mut future = manifest(&[]);
    future.version = 2;
    assert_eq!(faults(&write(&keys.own, &future, &[]), &keys), [Fault::FutureVersion { found: 2 }]);
    let mut past = manifest(&[]);
    past.version = 0;
    let found = faults(&write(&keys.own, &past, &[]), &keys);
    assert!(matches!(&found[..], [Fault::Malformed { member: "manifest.json", .. }]), "{found:?}");
    assert_eq!(faults(b"", &keys), [Fault::Truncated { at: 0 }]);
    assert_eq!(faults(&[b'x'; 4096], &keys), [Fault::NotAnArchive]);
}

#[test]
fn bombs_are_refused_before_they_are_inflated() {
    let keys = Keys::draw();
    let zeros = vec![b'0'; 64 << 20];
    let rows = [&b"1\t"[..], &zeros, b"\n"].concat();
    let archive = write(&keys.own, &manifest(&["notes"]), &[&rows]);
    assert!(archive.len() < 1 << 20);
    assert_eq!(faults(&archive, &keys), [], "control: one long row is a row");
    let refuse = |limits: &Limits| {
        examine(&archive[..], &keys.trust(), limits, &Progress::silent()).unwrap().faults
    };
    for limits in [
        Limits { row_bytes: 16 << 20, ..Limits::default() },
        Limits { raw_bytes: 16 << 20, ..Limits::default() },
        Limits { members: 1, ..Limits::default() },
        Limits { manifest_bytes: 100, ..Limits::default() },
        Limits { digest_bytes: 100, ..Limits::default() },
    ] {
        let found = refuse(&limits);
        assert!(matches!(&found[..], [Fault::TooLarge { .. }]), "{limits:?}: {found:?}");
    }
}

#[test]
fn chunks_close_after_the_row_that_crosses_eight_mebibytes() {
    let keys = Keys::draw();
    let rows = many_rows(20 << 20);
    let archive = write(&keys.own, &manifest(&["notes"]), &[&rows]);
    let members = look(&archive, &keys.trust()).digest.unwrap().members;
    let (last, full) = members[1..].split_last().unwrap();
    assert_eq!(full.len(), 2);
    for member in full {
        assert!((CHUNK_BYTES..CHUNK_BYTES + 100).contains(&member.raw_bytes), "{member:?}");
    }
    assert!(last.raw_bytes < CHUNK_BYTES);
}

#[test]
fn the_same_rows_give_the_same_members_however_they_arrive() {
    let keys = Keys::draw();
    let rows = many_rows(9 << 20);
    let whole = write(&keys.own, &manifest(&["notes"]), &[&rows]);
    let mut writer = ArchiveWriter::begin(Vec::new(), &manifest(&["notes"])).unwrap();
    writer.relation(1).unwrap();
    rows.chunks(1013).for_each(|part| writer.copy(part).unwrap());
    assert!(writer.finish(&keys.own).unwrap().0 == whole);
}

#[test]
fn tar_and_zstd_open_an_archive_by_hand() {
    if !has("tar") || !has("zstd") {
        eprintln!("tar or zstd is not installed: not tried");
        return;
    }
    let keys = Keys::draw();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("acme.tenant");
    std::fs::write(&path, small(&keys.own)).unwrap();
    let mut tar = Command::new("tar");
    let unpacked = tar.arg("-xf").arg(&path).current_dir(&home).output().unwrap();
    assert!(unpacked.status.success() && unpacked.stderr.is_empty(), "{unpacked:?}");
    let chunk = home.path().join("data/0001/000001.copy.zst");
    let rows = Command::new("zstd").arg("-dcq").arg(chunk).output().unwrap();
    assert_eq!(rows.stdout, b"1\ta\n2\tb\\n\n");
}

#[test]
fn relations_out_of_turn_and_torn_rows_are_not_written() {
    let keys = Keys::draw();
    let mut writer = ArchiveWriter::begin(Vec::new(), &manifest(&["notes", "tasks"])).unwrap();
    assert!(writer.relation(2).is_err());
    writer.relation(1).unwrap();
    writer.copy(b"1\ta").unwrap();
    assert!(writer.relation(2).is_err(), "a row without its end");
    let writer = ArchiveWriter::begin(Vec::new(), &manifest(&["notes", "tasks"])).unwrap();
    assert!(writer.finish(&keys.own).is_err(), "relations are missing");
}

#[test]
fn a_file_that_changes_between_the_passes_is_found() {
    let keys = Keys::draw();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), small(&keys.own)).unwrap();
    let opened = file.reopen().unwrap();
    let verified = open(opened, &keys.trust(), &Limits::default(), &Progress::silent()).unwrap();
    let rows: [&[u8]; 3] = [b"1\ta\n2\tX\\n\n", b"", b"7\t\\N\n"];
    let other = write(&keys.own, &manifest(&["notes", "nothing", "tasks"]), &rows);
    std::fs::write(file.path(), other).unwrap();
    assert!(verified.rows(1, |_| std::io::Result::Ok(())).is_err());
    verified.rows(3, |_| std::io::Result::Ok(())).unwrap();
}

#[test]
fn a_damaged_archive_is_refused_with_a_hint() {
    let keys = Keys::draw();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &small(&keys.own)[..700]).unwrap();
    let opened = file.reopen().unwrap();
    let failure = open(opened, &keys.trust(), &Limits::default(), &Progress::silent()).unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    assert!(failure.message.contains("ends after 700 bytes"), "{}", failure.message);
    assert!(!failure.hints.is_empty());
}

#[tokio::test]
async fn the_pipeline_writes_what_the_writer_writes_and_nothing_when_abandoned() {
    let keys = Keys::draw();
    let rows = many_rows(9 << 20);
    let expected = write(&keys.own, &manifest(&["notes", "tasks"]), &[&rows, b""]);
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("acme.tenant");
    let start = |key| {
        let file = ArchiveFile::create(&path, Existing::Keep).unwrap();
        Pipeline::start(file, manifest(&["notes", "tasks"]), key)
    };
    let mut abandoned = start(Keys::draw().own);
    abandoned.relation(1).await.unwrap();
    abandoned.copy(rows.clone().into()).await.unwrap();
    abandoned.abandon().await;
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "something was left");

    let own = keys.own.public();
    let mut pipeline = start(keys.own);
    pipeline.relation(1).await.unwrap();
    for part in rows.chunks(700_001) {
        for part in part.chunks(900) {
            pipeline.copy(part.to_vec().into()).await.unwrap();
        }
    }
    pipeline.relation(2).await.unwrap();
    let (file, written) = pipeline.finish().await.unwrap();
    file.publish().unwrap();
    assert!(std::fs::read(&path).unwrap() == expected);
    assert_eq!(written.bytes, expected.len() as u64);
    assert_eq!(look(&expected, &Trust::own(own)).sha256, Some(written.sha256));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_never_passes_and_never_panics(
        at in 0_usize..4000, junk in prop::collection::vec(any::<u8>(), 1..600)
    ) {
        let keys = Keys::draw();
        let mut archive = small(&keys.own);
        let at = at.min(archive.len());
        let end = (at + junk.len()).min(archive.len());
        let same = archive[at..end] == junk[..end - at] && at + junk.len() <= archive.len();
        archive.splice(at..end, junk);
        prop_assert_eq!(faults(&archive, &keys).is_empty(), same);
    }

    #[test]
    fn what_goes_in_comes_out(rows in "([a-z]{0,5}\t([a-z]|\\\\n|\\\\\\\\){0,8}\n){0,30}") {
        let keys = Keys::draw();
        let archive = write(&keys.own, &manifest(&["notes"]), &[rows.as_bytes()]);
        let found = look(&archive, &keys.trust());
        prop_assert_eq!(&found.faults, &[]);
        let lines = rows.matches('\n').count() as u64;
        prop_assert_eq!(found.digest.unwrap().relations[0].rows, lines);
    }
}

/// The recipe of docs/archive-format.md, word for word.
const BY_HAND: &str = r"
(head -n 1 signature; cat digest.json) > signed
sed -n 's/^signature //p' signature | xxd -r -p > raw
(printf '302a300506032b6570032100'; sed -n 's/^key ed25519://p' signature) | xxd -r -p > key.der
openssl pkeyutl -verify -rawin -in signed -sigfile raw -pubin -keyform DER -inkey key.der
";

#[test]
fn openssl_checks_the_signature_by_hand() {
    if !has("openssl") || !has("xxd") {
        eprintln!("openssl or xxd is not installed: not tried");
        return;
    }
    let document = include_str!("../../docs/archive-format.md");
    assert!(BY_HAND.trim().lines().all(|line| document.contains(line)), "the recipe differs");
    let keys = Keys::draw();
    for (flip, sound) in [(false, true), (true, false)] {
        let home = tempfile::tempdir().unwrap();
        for part in parts(&small(&keys.own)) {
            let name = part.name();
            let mut content = part.content;
            if flip && name == "digest.json" {
                content[40] ^= 1;
            }
            let path = home.path().join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let checked =
            Command::new("sh").arg("-ec").arg(BY_HAND).current_dir(&home).output().unwrap();
        assert_eq!(checked.status.success(), sound, "{checked:?}");
    }
}
