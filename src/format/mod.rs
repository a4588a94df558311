//! Numbers and times as people read them; both skins print the same text.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// Bytes with a binary unit: `0 B`, `1.5 KiB`, `12 MiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// A count with thin groups of three: `1,234,567`.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 { format!("-{grouped}") } else { grouped }
}

/// The length of something in memory, as [`counted`] takes it.
#[must_use]
pub fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A count of things: `1 row`, `2,000 rows`.
#[must_use]
pub fn counted(number: i64, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {thing}{end}", count(number))
}

/// An amount in its unit: `bytes`, or a count of things.
#[must_use]
pub fn quantity(amount: i64, unit: &str) -> String {
    match (unit, u64::try_from(amount)) {
        ("bytes", Ok(amount)) => bytes(amount),
        _ => count(amount),
    }
}

/// Time left or passed, the two largest units: `14m 03s`, `2h 05m`, `0s` when over.
#[must_use]
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// A time in JSON and on screens that show seconds: RFC 3339 in UTC.
#[must_use]
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A digest as the contract prints it: `sha256:` and 64 hex digits.
#[must_use]
pub fn digest(hash: &[u8]) -> String {
    format!("sha256:{}", hex::encode(hash))
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount: write a number, as in 500, 10,000 or 20 GiB")]
pub struct InvalidAmount(pub String);

/// Reads `500`, `10,000`, `20 GiB`: what [`count`] and [`bytes()`] write, without fractions.
///
/// # Errors
/// [`InvalidAmount`] where it is no whole number of at least zero, or too large.
pub fn parse_amount(text: &str) -> Result<i64, InvalidAmount> {
    let refuse = || InvalidAmount(text.to_owned());
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1_i64 << 30,
        "tib" => 1_i64 << 40,
        _ => return Err(refuse()),
    };
    let digits: String = digits.trim_end().chars().filter(|c| !matches!(c, ',' | '_')).collect();
    let number: i64 = digits.parse().map_err(|_| refuse())?;
    number.checked_mul(scale).filter(|amount| *amount >= 0).ok_or_else(refuse)
}

/// Why a text is no time to come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no date: write a day (2027-01-31), a time (2027-01-31T18:00:00Z) or a span (30d)"
)]
pub struct InvalidUntil(pub String);

/// Reads until when something holds: a day counts to its end in UTC, a span begins now.
///
/// # Errors
/// [`InvalidUntil`].
pub fn parse_until(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, InvalidUntil> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(span) = parse_duration(text) {
        return Ok(now + span);
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let end = day.and_then(|day| day.checked_add_days(Days::new(1)));
    end.map(|end| end.and_time(NaiveTime::MIN).and_utc())
        .ok_or_else(|| InvalidUntil(text.to_owned()))
}

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration: write a number and a unit, as in 90s, 15m, 2h or 1d")]
pub struct InvalidDuration(pub String);

/// Reads `90s`, `15m`, `2h`, `1d`.
///
/// # Errors
/// [`InvalidDuration`] where the number is missing, zero, too large, or the unit is another.
pub fn parse_duration(text: &str) -> Result<TimeDelta, InvalidDuration> {
    let refuse = || InvalidDuration(text.to_owned());
    let unit = text.chars().last().ok_or_else(refuse)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| refuse())?;
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(refuse()),
    };
    let seconds = number.checked_mul(scale).filter(|s| (1..=366 * 86400).contains(s));
    seconds.map(TimeDelta::seconds).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(200 << 20), "200 MiB");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(
            (counted(1, "row"), counted(2_000, "row")),
            ("1 row".into(), "2,000 rows".into())
        );
        assert_eq!(duration(TimeDelta::seconds(843)), "14m 03s");
        assert_eq!(duration(TimeDelta::seconds(-3)), "0s");
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, amount) in [
            ("0", 0),
            ("10,000", 10_000),
            (" 1_000 ", 1_000),
            ("20 GiB", 20 << 30),
            ("3mib", 3 << 20),
        ] {
            assert_eq!(parse_amount(text), Ok(amount), "{text}");
        }
        for bad in ["", "-1", "many", "1.5 GiB", "5 GB", "9999999999 TiB"] {
            assert!(parse_amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_counts_to_its_end_and_a_span_from_now() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let until = |text| parse_until(text, now).map(time);
        assert_eq!(until("2027-01-31"), Ok("2027-02-01T00:00:00Z".to_owned()));
        assert_eq!(until("2027-01-31T18:00:00+02:00"), Ok("2027-01-31T16:00:00Z".to_owned()));
        assert_eq!(until("30d"), Ok("2026-12-21T12:00:00Z".to_owned()));
        assert!(until("tomorrow").is_err() && until("2027-02-30").is_err());
    }

    #[test]
    fn durations_are_read_strictly() {
        assert_eq!(parse_duration("15m"), Ok(TimeDelta::minutes(15)));
        for bad in ["", "m", "15", "0m", "-5m", "1y", "99999999d", "1.5h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
