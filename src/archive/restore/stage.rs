//! Staging: the archive's rows in temporary tables, with the types of the target.
//!
//! `COPY` refuses tables under row level security, and nothing of the archive may touch one before
//! the guard has looked at each row; so the rows wait in tables that vanish with the transaction.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::sync::mpsc;

use super::error::RestoreError;
use crate::archive::plan::PlannedRelation;
use crate::archive::statements::Statements;
use crate::archive::verified::VerifiedArchive;
use crate::failure::{Failure, Kind};
use crate::identity::TenantId;
use crate::postgres::Transaction;
use crate::progress::Progress;

/// How many parts of up to 128 KiB may wait for the server.
const WAITING: usize = 16;

/// Stages all relations, as the archivist.
pub(super) async fn stage(
    transaction: &Transaction<'_>,
    archive: &Arc<VerifiedArchive>,
    relations: &[PlannedRelation],
    tenant: &TenantId,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut done = 0;
    for relation in relations {
        progress.checkpoint()?;
        progress.enter(format!("reading {}", relation.name));
        let failed = |source| RestoreError::staging(&relation.name, source);
        let statements = Statements { relation, tenant };
        transaction.batch(&statements.create_stage()).await.map_err(failed)?;
        let sink = transaction.copy_in(&statements.copy_in()).await.map_err(failed)?;
        let mut sink = std::pin::pin!(sink);
        let (mut parts, reader) = parts_of(Arc::clone(archive), relation.archived.ordinal);
        while let Some(part) = parts.recv().await {
            sink.send(part).await.map_err(|error| failed(error.into()))?;
            progress.checkpoint()?;
        }
        // The second pass compares with the first before the last row is accepted.
        let read = reader.await.map_err(|_| Failure::new(Kind::Internal, "reading stopped"))?;
        read.map_err(|error| Failure::refused(error.to_string()))?;
        done += sink.finish().await.map_err(|error| failed(error.into()))?;
        transaction.batch(&statements.analyze_stage()).await.map_err(failed)?;
        progress.advance(done);
    }
    Ok(())
}

/// Reads and decompresses on another thread.
fn parts_of(
    archive: Arc<VerifiedArchive>,
    ordinal: u16,
) -> (mpsc::Receiver<Bytes>, tokio::task::JoinHandle<std::io::Result<()>>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let reader = tokio::task::spawn_blocking(move || {
        archive.rows(ordinal, |part| {
            let gone = |_| std::io::Error::other("the restore was given up");
            sender.blocking_send(Bytes::copy_from_slice(part)).map_err(gone)
        })
    });
    (receiver, reader)
}
