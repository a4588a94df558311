//! How full something is, and how far some work is: a bar of full and empty signs.

use crate::tui::theme::Look;

/// A bar of `room` cells.
pub(crate) fn bar(done: i64, total: i64, room: u16, look: Look) -> String {
    let symbols = look.symbols();
    let room = i64::from(room);
    let (done, total) = (done.clamp(0, total.max(0)), total.max(1));
    // In 128 bits, since both can be byte counts near the end of the range.
    let full = i128::from(done) * i128::from(room) / i128::from(total);
    let full = usize::try_from(full).unwrap_or(0);
    let room = usize::try_from(room).unwrap_or(0);
    // Something used never looks like nothing.
    let full = if done > 0 { full.max(1).min(room) } else { full };
    symbols.full.repeat(full) + &symbols.empty.repeat(room - full)
}

/// `42%`, or `100%` only when all is done.
pub(crate) fn percent(done: i64, total: i64) -> String {
    format!("{}%", i128::from(done.max(0)) * 100 / i128::from(total.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Theme;

    #[test]
    fn a_bar_never_lies_at_its_ends() {
        let look = Look::new(Theme::Plain, true);
        assert_eq!(bar(0, 100, 4, look), "....");
        assert_eq!(bar(1, 100, 4, look), "#...");
        assert_eq!(bar(99, 100, 4, look), "###.");
        assert_eq!(bar(300, 100, 4, look), "####");
        assert_eq!(bar(i64::MAX, i64::MAX, 4, look), "####");
        assert_eq!(bar(5, 0, 4, look), "....");
        assert_eq!(percent(99, 100), "99%");
    }
}
