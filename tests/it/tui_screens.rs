//! What each screen looks like after some keys, at every size that is promised.

use tenantdesk::config::ThemeName;
use tenantdesk::tui::Start;
use tenantdesk::tui::theme::Themes;
use unicode_width::UnicodeWidthStr as _;

use crate::harness::terminal::{Console, Fixtures, screen, styled};

const SMALL: (u16, u16) = (60, 16);
const USUAL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

/// Starts an impersonation of `acme` to read.
const READ: &str = "i<enter>ticket 4711: rows missing<enter>4711<enter><enter><enter>";

/// A console with colours of its own.
fn themed(theme: ThemeName) -> Start {
    let themes = Themes { usual: Some(theme), ..Themes::default() };
    Start { themes, ..Start::default() }
}

fn check(name: &str, keys: &str) {
    for (size, label) in [(SMALL, "60x16"), (USUAL, "80x24"), (LARGE, "120x40")] {
        let text = screen(keys, size, Fixtures::default());
        insta::assert_snapshot!(format!("{name}_{label}"), text);
    }
}

fn check_usual(name: &str, keys: &str) {
    insta::assert_snapshot!(name, screen(keys, USUAL, Fixtures::default()));
}

#[test]
fn tenants_are_listed() {
    check("tenants", "");
}

#[test]
fn tenants_are_filtered_while_the_filter_is_typed() {
    check_usual("tenants_filter", "/gro");
    check_usual("tenants_filter_nothing", "/zzz<enter>");
}

#[test]
fn tenants_are_sorted_and_reversed() {
    check_usual("tenants_sorted", "sS");
}

#[test]
fn a_tenant_has_a_page() {
    check("tenant", "<enter>");
    check_usual("tenant_sessions", "<enter><tab><enter>");
}

#[test]
fn an_impersonation_is_started_by_a_form() {
    check("start", "i<enter>short<enter>");
    check_usual("start_invalid", "i<enter>short<ctrl-s>");
    check_usual(
        "start_write",
        "i<enter>ticket 4711: rows missing<enter><enter><right><enter><enter>ac",
    );
}

#[test]
fn rows_are_browsed_inside_the_frame_of_the_impersonation() {
    check("browse_relations", READ);
    check("browse_rows", &format!("{READ}<enter>jl"));
    check_usual("browse_last_column", &format!("{READ}<enter>llll"));
    check_usual("browse_filtered", &format!("{READ}<enter>/title ~ Project<enter>"));
    check_usual("browse_sorted", &format!("{READ}<enter>lsS]c"));
    check_usual("record", &format!("{READ}<enter>jl<enter>"));
}

#[test]
fn statements_are_written_and_their_results_shown() {
    check("sql", &format!("{READ}eSELECT *<enter>FROM projects;<enter>"));
}

#[test]
fn writing_looks_different_from_reading() {
    let keys = "i<enter>ticket 4711: rows missing<enter><enter><right><enter><enter>acme<enter>";
    check_usual("write_frame", keys);
}

#[test]
fn a_tenant_is_provisioned_and_welcomed_once() {
    check("provision", "nNew Customer<enter><enter>nobody<enter><enter>");
    check_usual("welcome", "nNew Customer<enter><enter>boss@new.example<enter><right><enter>");
}

#[test]
fn usage_shows_signs_beside_the_colours() {
    check("usage", "2");
}

#[test]
fn archives_are_listed_and_inspected() {
    check("archives", "3");
    check_usual("archive_inside", "3<enter>");
}

#[test]
fn a_restore_shows_its_plan_before_it_asks_and_its_result_after() {
    check("restore_plan", "3R<enter>");
    check_usual("restore_confirm", "3R<right><enter>a");
    check_usual("restore_result", "3R<enter>arows were deleted<enter>acme<enter>");
}

#[test]
fn the_ledger_is_read_and_verified() {
    check("audit", "4");
    check_usual("audit_broken", "4v");
    check_usual("audit_event", "4<enter>");
}

#[test]
fn the_server_is_shown() {
    check_usual("server", "5");
}

#[test]
fn help_and_palette_are_generated_with_reasons() {
    check("help", "?");
    check("palette", ":rest");
}

#[test]
fn a_sequence_shows_how_it_goes_on() {
    check_usual("sequence", "g");
}

#[test]
fn ascii_uses_no_drawn_line_and_no_sign() {
    let start = || Start { ascii: true, ..Start::default() };
    for (name, keys) in [("ascii_usage", "2"), ("ascii_browse", &*format!("{READ}<enter>"))] {
        let text = Console::open(start(), USUAL, Fixtures::default()).press(keys).text();
        let drawn = |c: char| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{27bf}' | '…' | '›' | '·' | '≈');
        assert!(!text.contains(drawn), "{text}");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn without_colour_no_cell_has_one_and_the_selection_is_still_seen() {
    use ratatui::style::{Color, Modifier};
    let start = themed(ThemeName::Plain);
    let mut console = Console::open(start, USUAL, Fixtures::default());
    for keys in ["", "2", "1", READ, "<enter>", "?", "<esc>"] {
        let buffer = console.press(keys).buffer();
        let colourless =
            |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(buffer.content.iter().all(colourless));
        let reversed = buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED));
        assert!(reversed || keys == "?", "nothing is reversed after {keys}");
    }
}

#[test]
fn too_small_a_terminal_says_so_and_does_not_panic() {
    for width in (1..80).step_by(3) {
        for height in 1..26 {
            for keys in ["", "<enter>", "?", ":", "n", READ, "2", "3R<enter>a", "4<enter>"] {
                let text = screen(keys, (width, height), Fixtures::default());
                if (width < 60 || height < 16) && width > 30 && height > 2 {
                    assert!(text.contains("too small"), "{width}x{height}: {text}");
                }
            }
        }
    }
}

#[test]
fn themes_mean_the_same_in_other_colours() {
    for (theme, name) in [
        (ThemeName::Dark, "dark"),
        (ThemeName::Light, "light"),
        (ThemeName::HighContrast, "high_contrast"),
        (ThemeName::Plain, "plain"),
        (ThemeName::Production, "production"),
    ] {
        let start = themed(theme);
        let mut console = Console::open(start, SMALL, Fixtures::default());
        insta::assert_snapshot!(
            format!("theme_{name}_usage"),
            styled(&console.press("2").buffer())
        );
        let inside = console.press("1").press(READ).press("<enter>").buffer();
        insta::assert_snapshot!(format!("theme_{name}_inside"), styled(&inside));
    }
}

/// Relative luminance of the colours that themes use, as common terminals show them.
fn luminance(color: ratatui::style::Color) -> f64 {
    use ratatui::style::Color;
    let rgb: [u8; 3] = match color {
        Color::Black => [0, 0, 0],
        Color::Red => [205, 0, 0],
        Color::Blue => [0, 0, 238],
        Color::Yellow => [205, 205, 0],
        Color::LightRed => [255, 85, 85],
        Color::LightGreen => [0, 255, 0],
        Color::LightYellow => [255, 255, 0],
        Color::LightCyan => [0, 255, 255],
        Color::White => [255, 255, 255],
        other => panic!("{other:?} has no measured contrast"),
    };
    let [red, green, blue] = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[test]
fn high_contrast_is_high_contrast() {
    let start = themed(ThemeName::HighContrast);
    let mut console = Console::open(start, USUAL, Fixtures::default());
    for keys in [
        "",
        "2",
        "3",
        "4",
        "5",
        "1",
        "<enter>",
        READ,
        "<enter>",
        "es",
        "?",
        "<esc>:",
        "<esc><esc>4v",
    ] {
        let buffer = console.press(keys).buffer();
        let mut hidden = false;
        for cell in &buffer.content {
            // The second half of a wide character is never sent.
            if !std::mem::replace(&mut hidden, cell.symbol().width() > 1) {
                let (front, back) = (luminance(cell.fg), luminance(cell.bg));
                let ratio = (front.max(back) + 0.05) / (front.min(back) + 0.05);
                assert!(ratio >= 4.5, "{ratio:.1} after `{keys}`: {:?} on {:?}", cell.fg, cell.bg);
            }
        }
    }
}

#[test]
fn every_theme_draws_every_screen() {
    for (_, theme) in ThemeName::ALL {
        let mut console = Console::open(themed(theme), USUAL, Fixtures::default());
        for keys in ["2", "3", "4", "5", "1", "<enter>", READ, "<enter>"] {
            assert!(console.press(keys).text().contains("tenantdesk"));
        }
    }
}
