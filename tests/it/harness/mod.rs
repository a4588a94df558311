//! What the tests share: a real server that is surely stopped.

pub mod binary;
pub mod cluster;
pub mod desk;
pub mod gate;
pub mod home;
pub mod pty;
pub mod terminal;
pub mod tls;
pub mod watcher;
