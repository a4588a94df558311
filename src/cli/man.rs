//! `man`: manual pages in roff, made from the same tree as the help.

use super::args::program::Man;
use super::invocation::Invocation;
use super::parse;
use crate::failure::{Failure, Kind};

/// Prints the page of a verb, or of the program.
///
/// # Errors
/// Where there is no such verb.
pub(super) fn print(invocation: &mut Invocation, args: &Man) -> Result<(), Failure> {
    let page = page(&args.verb)?;
    let document = serde_json::json!({ "roff": String::from_utf8_lossy(&page) });
    invocation.answer(&document, |printer| printer.raw(&page))
}

/// The page of the verb with these words.
fn page(words: &[String]) -> Result<Vec<u8>, Failure> {
    let mut root = parse::command();
    root.build();
    let mut command = &root;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::new(Kind::Usage, format!("there is no verb `{}`", words.join(" ")))
                .hint("`tenantdesk --help` lists the verbs")
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(|error| {
        Failure::new(Kind::Internal, "the page could not be made").caused_by(error.to_string())
    })?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page_and_other_words_have_none() {
        assert!(String::from_utf8(page(&[]).unwrap()).unwrap().contains("Exit codes"));
        let words = ["completions".to_owned()];
        assert!(String::from_utf8(page(&words).unwrap()).unwrap().contains("completion script"));
        assert_eq!(page(&["nonsense".to_owned()]).unwrap_err().kind, Kind::Usage);
    }
}
