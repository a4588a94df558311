//! What a reader accepts at most (docs/archive-format.md).

/// What the reader accepts at most; an archive that exceeds it is refused.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the manifest.
    pub manifest_bytes: u64,
    /// Bytes of the digest.
    pub digest_bytes: u64,
    /// Members altogether.
    pub members: usize,
    /// Bytes of one row; the server itself cannot send a line above 1 GiB.
    pub row_bytes: u64,
    /// Decompressed bytes altogether.
    pub raw_bytes: u64,
    /// How many times the file may grow by decompression, once it has grown beyond 2 GiB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 16 << 20,
            digest_bytes: 64 << 20,
            members: 200_000,
            row_bytes: 1 << 30,
            raw_bytes: 1 << 40,
            ratio: 1000,
        }
    }
}
