//! The server's version against the security fixes that the guard relies on (reference: guard.md section 2, 42 and 43).
//!
//! Each floor is the first minor version of each major one that has the fix; a newer major version has it anyway.

use super::check::{Check, Question};

pub(super) const QUESTION: Question = Question {
    name: "server_version",
    why: "below these versions a person who can run SQL gets around row level security, or runs code on the server",
};

/// A hole, and from which minor version on it is closed.
struct Floor {
    /// For each major version.
    fixed: &'static [(i32, i32)],
    hole: &'static str,
    /// Whether the guard itself keeps it closed.
    closed_by_guard: bool,
}

/// Newest first: the first that is missed is the one that is told.
const FLOORS: &[Floor] = &[
    Floor {
        fixed: &[(15, 3)],
        hole: "plans are reused after SET ROLE with the policies of another role (CVE-2023-2455)",
        closed_by_guard: false,
    },
    Floor {
        fixed: &[(15, 9), (16, 5), (17, 1)],
        hole: "SET ROLE and policies in subqueries can be mixed up (CVE-2024-10976, CVE-2024-10978)",
        closed_by_guard: false,
    },
    Floor {
        fixed: &[(15, 14), (16, 10), (17, 6)],
        hole: "planner statistics show hidden rows to operators of one's own (CVE-2025-8713)",
        closed_by_guard: false,
    },
    Floor {
        fixed: &[(15, 19), (16, 15), (17, 11), (18, 6)],
        hole: "any SQL user can run code, or read foreign rows in plans kept over a change of role (CVE-2026-14680, CVE-2026-14666)",
        closed_by_guard: false,
    },
    Floor {
        fixed: &[(15, 20), (16, 16), (17, 12), (18, 7)],
        hole: "ON CONFLICT DO UPDATE reads foreign rows (CVE-2026-120154, CVE-2026-16237); our roles never hold INSERT and UPDATE together, which closes it for operators, not for the application",
        closed_by_guard: true,
    },
];

/// Judges `server_version_num`.
pub(super) fn judge(number: i32) -> Check {
    let (major, minor) = (number / 10_000, number % 10_000);
    let shown = format!("PostgreSQL {major}.{minor}");
    if major < 15 {
        let seen = format!("{shown}: 15 is the least that this program works on");
        return QUESTION.fail(seen, "move the databases to PostgreSQL 15 or later");
    }
    let missed = FLOORS.iter().filter_map(|floor| {
        let fixed = floor.fixed.iter().find(|(known, _)| *known == major)?.1;
        (minor < fixed).then_some((floor, fixed))
    });
    let missed: Vec<_> = missed.collect();
    let Some((_, newest)) = missed.last() else { return QUESTION.ok(shown) };
    let holes: Vec<String> = missed
        .iter()
        .map(|(floor, fixed)| format!("before {major}.{fixed} {}", floor.hole))
        .collect();
    let seen = format!("{shown}: {}", holes.join("; "));
    let fix = format!("update the server to {major}.{newest} or later");
    if missed.iter().all(|(floor, _)| floor.closed_by_guard) {
        return QUESTION.warn(seen, fix);
    }
    QUESTION.fail(seen, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn each_major_version_has_its_floors() {
        for (number, verdict) in [
            (140_025, Verdict::Fail),
            (150_002, Verdict::Fail),
            (150_018, Verdict::Fail),
            (150_019, Verdict::Warn),
            (150_020, Verdict::Ok),
            (160_015, Verdict::Warn),
            (160_016, Verdict::Ok),
            (170_010, Verdict::Fail),
            (170_012, Verdict::Ok),
            (180_005, Verdict::Fail),
            (180_006, Verdict::Warn),
            (180_007, Verdict::Ok),
            (190_000, Verdict::Ok),
        ] {
            assert_eq!(judge(number).verdict, verdict, "{number}");
        }
        assert!(judge(150_018).seen.contains("CVE-2026-14680"));
        assert!(!judge(150_018).seen.contains("CVE-2025-8713"));
        assert!(judge(180_004).fix.contains("18.7"));
    }
}
