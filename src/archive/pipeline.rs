//! The export's second thread: hashing and compressing overlap with receiving.
//!
//! What waits between the two is bounded in bytes, not in messages: a message can be a row of a
//! gigabyte, and then it waits alone.

use std::io::Write;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::manifest::Manifest;
use super::writer::{ArchiveWriter, WriteError, Written};
use crate::secret::signing_key::SigningKey;

/// Small messages are joined to blocks of about this size.
const BATCH: usize = 256 << 10;
/// How many bytes may wait for the second thread.
const WAITING: usize = 8 << 20;

/// What the second thread is told.
enum Order {
    Relation(u16),
    Copy(Bytes, OwnedSemaphorePermit),
    Finish,
}

/// The receiving end of an export; [`Pipeline::finish`] makes the archive complete.
pub struct Pipeline<W> {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
    batch: BytesMut,
    /// None once its answer was taken: a handle answers once.
    writer: Option<JoinHandle<Result<(W, Written), WriteError>>>,
}

impl<W: Write + Send + 'static> Pipeline<W> {
    /// Starts the second thread; it writes the manifest at once.
    #[must_use]
    pub fn start(out: W, manifest: Manifest, key: SigningKey) -> Self {
        let (orders, mut inbox) = mpsc::channel(256);
        let writer = tokio::task::spawn_blocking(move || {
            let mut archive = ArchiveWriter::begin(out, &manifest)?;
            loop {
                match inbox.blocking_recv() {
                    Some(Order::Relation(ordinal)) => archive.relation(ordinal)?,
                    Some(Order::Copy(bytes, _room)) => archive.copy(&bytes)?,
                    Some(Order::Finish) => return archive.finish(&key),
                    None => return Err(WriteError::Abandoned),
                }
            }
        });
        let room = Arc::new(Semaphore::new(WAITING));
        Self { orders, room, batch: BytesMut::with_capacity(BATCH), writer: Some(writer) }
    }

    /// Begins the next relation.
    ///
    /// # Errors
    /// What the second thread met.
    pub async fn relation(&mut self, ordinal: u16) -> Result<(), WriteError> {
        self.flush().await?;
        self.send(Order::Relation(ordinal)).await
    }

    /// Takes COPY text, cut anywhere.
    ///
    /// # Errors
    /// What the second thread met.
    pub async fn copy(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        if bytes.len() >= BATCH {
            self.flush().await?;
            return self.enqueue(bytes).await;
        }
        if self.batch.len() + bytes.len() > BATCH {
            self.flush().await?;
        }
        self.batch.extend_from_slice(&bytes);
        Ok(())
    }

    /// Completes the archive and gives the output back.
    ///
    /// # Errors
    /// What the second thread met.
    pub async fn finish(mut self) -> Result<(W, Written), WriteError> {
        self.flush().await?;
        self.send(Order::Finish).await?;
        self.answer().await
    }

    /// Gives up; returns when the second thread has dropped the output.
    pub async fn abandon(mut self) {
        // The second thread ends when nobody can send it anything any more.
        let (closed, _nobody) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.orders, closed));
        let _abandoned = self.answer().await;
    }

    async fn flush(&mut self) -> Result<(), WriteError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.batch, BytesMut::with_capacity(BATCH));
        self.enqueue(full.freeze()).await
    }

    async fn enqueue(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        let weight = u32::try_from(bytes.len().min(WAITING)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).acquire_many_owned(weight).await;
        let permit = permit.map_err(|_closed| WriteError::Abandoned)?;
        self.send(Order::Copy(bytes, permit)).await
    }

    /// A second thread that is gone says why.
    async fn send(&mut self, order: Order) -> Result<(), WriteError> {
        if self.orders.send(order).await.is_ok() {
            return Ok(());
        }
        match self.answer().await {
            Err(error) => Err(error),
            Ok(_) => Err(WriteError::Abandoned),
        }
    }

    /// The answer of the second thread; one that was torn down counts as given up.
    async fn answer(&mut self) -> Result<(W, Written), WriteError> {
        match self.writer.take() {
            Some(writer) => writer.await.unwrap_or(Err(WriteError::Abandoned)),
            None => Err(WriteError::Abandoned),
        }
    }
}
