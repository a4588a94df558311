//! A connected gate for tests of verbs: the same `Console` that the program uses.

use tenantdesk::console::Console;

use super::desk::Desk;

impl Desk {
    /// The gate as a login sees it.
    pub async fn console(&self, login: &str) -> Console {
        Console::connect(self.endpoint(login)).await.expect("a console")
    }

    /// The gate of a fresh operator.
    pub async fn console_of(&self, level: &str) -> Console {
        self.console(&self.operator(level)).await
    }
}
