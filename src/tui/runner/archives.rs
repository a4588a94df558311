//! Effects on archives: the shelf, export, the plan of a restore and its run.

use std::path::{Path, PathBuf};

use super::Site;
use crate::archive::export::{self, Destination, Export};
use crate::archive::restore::{self, Difference, Preview, Restore, RestorePlan};
use crate::archive::{Existing, shelf};
use crate::clock;
use crate::failure::{Failure, Kind};
use crate::format;
use crate::identity::{Reason, TenantId};
use crate::progress::Progress;
use crate::tenant::directory;
use crate::text::Untrusted;
use crate::tui::facts::{
    ArchiveFacts, ArchiveLine, ArchiveRelation, ExportFacts, RestoreFacts, RestoreMode,
    RestorePlanFacts, RestoreRelation, VerifyFacts,
};

/// A plan that was shown and may be run.
#[derive(Debug)]
pub(super) struct Shown {
    archive: PathBuf,
    mode: RestoreMode,
    preview: Preview,
}

impl Site {
    /// The archives of the default directory.
    pub(super) async fn archives(&self) -> Result<Vec<ArchiveLine>, Failure> {
        let directory = self.shared.paths.archives_dir.clone();
        let shelved = blocking(move || shelf::list(&directory)).await?;
        Ok(shelved
            .into_iter()
            .map(|one| {
                let manifest = one.manifest.as_ref().ok();
                let slug =
                    manifest.map(|m| m.tenant.slug.clone().unwrap_or_else(|| m.tenant.id.clone()));
                ArchiveLine {
                    slug: Untrusted::new(slug.unwrap_or_default()),
                    created_at: manifest.map(|m| m.taken_at),
                    bytes: one.bytes,
                    fault: one
                        .manifest
                        .as_ref()
                        .err()
                        .map(|fault| Untrusted::new(fault.to_string())),
                    path: one.path,
                }
            })
            .collect())
    }

    /// What an archive says of itself; cheap, and nothing of it is verified.
    pub(super) async fn archive(&self, path: PathBuf) -> Result<ArchiveFacts, Failure> {
        let glance = {
            let path = path.clone();
            blocking(move || shelf::glance(&path)).await?
        };
        let manifest = &glance.manifest;
        let handle = manifest.tenant.slug.clone().unwrap_or_else(|| manifest.tenant.id.clone());
        let source = &manifest.source;
        let mut facts = vec![
            ("tenant", format!("{handle}, {}", manifest.tenant.name)),
            ("taken at", format::time(manifest.taken_at)),
            ("size", format::bytes(glance.bytes)),
            ("written by", format!("{}, format {}", manifest.tool, manifest.version)),
            ("from", format!("{} on PostgreSQL {}", source.database, source.server_version)),
        ];
        let digests = match &glance.digest {
            Ok(digest) => digest.relations.as_slice(),
            Err(fault) => {
                facts.push(("fault", fault.to_string()));
                &[]
            }
        };
        let relations = manifest.relations.iter().enumerate();
        Ok(ArchiveFacts {
            relations: relations
                .map(|(index, relation)| ArchiveRelation {
                    name: Untrusted::new(format!("{}.{}", relation.schema, relation.table)),
                    content: digests.get(index).map(|digest| (digest.rows, digest.bytes)),
                })
                .collect(),
            omitted: manifest
                .omitted
                .iter()
                .map(|omitted| {
                    let why = omitted.reason.as_ref().unwrap_or(&omitted.class);
                    (Untrusted::new(omitted.name.clone()), Untrusted::new(why.clone()))
                })
                .collect(),
            facts: facts
                .into_iter()
                .map(|(label, text)| (label.to_owned(), Untrusted::new(text)))
                .collect(),
            path,
        })
    }

    /// Looks at every byte.
    pub(super) async fn verify_archive(
        &self,
        path: PathBuf,
        progress: &Progress,
    ) -> Result<VerifyFacts, Failure> {
        let found = self.examine(&path, progress).await?;
        let faults = found.faults.iter().map(|fault| Untrusted::new(fault.to_string())).collect();
        Ok(VerifyFacts { path, faults })
    }

    /// Writes an archive of a tenant.
    pub(super) async fn export(
        &self,
        id: &TenantId,
        progress: &Progress,
    ) -> Result<ExportFacts, Failure> {
        let console = self.console().await?;
        let tenant = directory::resolve(&console, id.as_str()).await?;
        let ask = Export {
            tenant,
            destination: Destination::Directory(self.shared.paths.archives_dir.clone()),
            existing: Existing::Keep,
            signing_key: self.signing_key(),
            receipts_dir: self.shared.paths.receipts_dir.clone(),
        };
        let plan = export::prepare(&console, ask).await?;
        let exported = export::export(&console, plan, progress).await?;
        Ok(ExportFacts {
            path: exported.path,
            slug: Untrusted::new(exported.tenant),
            rows: exported.rows,
            bytes: exported.bytes,
            digest: exported.sha256.to_string(),
        })
    }

    /// Plans a restore and shows what it would do; nothing is changed.
    pub(super) async fn plan_restore(
        &self,
        number: u64,
        archive: PathBuf,
        mode: RestoreMode,
        progress: &Progress,
    ) -> Result<RestorePlanFacts, Failure> {
        let alone = async { Ok(self.shared.planning.lock().await) };
        let _alone = progress.unless_cancelled(alone).await?;
        let console = self.console().await?;
        let plan =
            self.restore_plan(&archive, mode, "plan of a restore".parse()?, progress).await?;
        let preview = restore::preview(&console, &plan, progress).await?;
        let left_alone = restore::left_alone(plan.mode, &preview.relations);
        let facts = RestorePlanFacts {
            number,
            archive: archive.clone(),
            tenant: plan.tenant.id.clone(),
            confirm: plan.confirm(),
            mode,
            relations: preview.relations.iter().map(relation).collect(),
            warnings: plan.warnings.iter().cloned().chain(left_alone).map(Untrusted::new).collect(),
            refusal: preview.refusal().map(Untrusted::new),
        };
        // One plan at a time: the console shows one.
        *self.shared.shown.lock().await = Some((number, Shown { archive, mode, preview }));
        Ok(facts)
    }

    /// Carries out the plan that was shown.
    pub(super) async fn restore(
        &self,
        number: u64,
        confirm: &str,
        reason: Reason,
        progress: &Progress,
    ) -> Result<RestoreFacts, Failure> {
        let console = self.console().await?;
        let shown = self.shared.shown.lock().await.take();
        let Some((_, shown)) = shown.filter(|(known, _)| *known == number) else {
            return Err(Failure::refused("this plan is not the one that was shown last")
                .hint("plan the restore again"));
        };
        let started = clock::now();
        let plan = self.restore_plan(&shown.archive, shown.mode, reason, progress).await?;
        let restored =
            restore::restore(&console, plan, confirm, Some(&shown.preview), progress).await?;
        Ok(RestoreFacts {
            applied: restored.inserted + restored.updated,
            removed: restored.deleted,
            verified: true,
            receipt: restored.receipt_path,
            took: clock::now() - started,
        })
    }

    /// Verifies the archive and plans.
    async fn restore_plan(
        &self,
        path: &Path,
        mode: RestoreMode,
        reason: Reason,
        progress: &Progress,
    ) -> Result<RestorePlan, Failure> {
        let console = self.console().await?;
        let (path, key, spool) =
            (path.to_owned(), self.signing_key(), self.shared.paths.archives_dir.clone());
        let watch = progress.clone();
        let archive = blocking(move || shelf::open(&path, &key, &spool, &watch)).await?;
        restore::prepare(
            &console,
            Restore {
                archive,
                mode,
                reason,
                signing_key: self.signing_key(),
                receipts_dir: self.shared.paths.receipts_dir.clone(),
            },
        )
        .await
    }

    /// Reads a file to its end, on a thread of its own.
    async fn examine(
        &self,
        path: &Path,
        progress: &Progress,
    ) -> Result<crate::archive::Examination, Failure> {
        let (path, key, progress) = (path.to_owned(), self.signing_key(), progress.clone());
        blocking(move || shelf::inspect(&path, &key, &progress)).await
    }

    /// Where the key that signs archives and receipts is.
    fn signing_key(&self) -> PathBuf {
        self.shared.paths.keys_dir.join("signing.key")
    }
}

/// One relation of a plan as the screens want it.
fn relation(one: &Difference) -> RestoreRelation {
    RestoreRelation {
        name: Untrusted::new(one.name.clone()),
        in_archive: one.in_archive,
        in_target: one.in_target,
        missing: one.missing,
        changed: one.changed,
        extra: one.extra,
        conflicts: one.conflicts,
    }
}

/// Runs blocking work beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    // The thread works for the same request.
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(|error| {
        Failure::new(Kind::Internal, "the work on the archive was broken off")
            .caused_by(error.to_string())
    })?
}
