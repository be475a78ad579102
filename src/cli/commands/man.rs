//! `solvekit man`: generates the manual pages from the same definitions as `--help`.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use super::build::write_file;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, talk};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write one file per command to this folder: solvekit.1, solvekit-build.1 and so on [default:
    /// print all pages]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit man | man -l -                     read all pages
  solvekit man ~/.local/share/man/man1        install them: man solvekit-build";

pub(crate) fn cmd_man(args: &ManArgs, command: Command) -> Result<(), Failure> {
    let pages = pages(command)?;
    match &args.folder {
        None => print_data(
            &pages
                .into_iter()
                .flat_map(|page| page.text)
                .collect::<Vec<u8>>(),
        ),
        Some(folder) => install(folder, &pages),
    }
}

/// The page of one command.
struct Page {
    /// The file name, for example `solvekit-build.1`.
    name: String,
    text: Vec<u8>,
}

/// The pages of the command and of all its visible subcommands, each before those below it.
fn pages(mut command: Command) -> Result<Vec<Page>, Failure> {
    command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)
        .map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))?;
    Ok(pages)
}

fn add(command: &Command, pages: &mut Vec<Page>) -> std::io::Result<()> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let name = page.get_filename();
    pages.push(Page { name, text });
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        add(below, pages)?;
    }
    Ok(())
}

fn install(folder: &Path, pages: &[Page]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("cannot make {}: {error}", folder.display())))?;
    for page in pages {
        write_file(&folder.join(&page.name), &page.text)?;
    }
    talk(&format!(
        "{} pages are in {}\n",
        pages.len(),
        folder.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_has_a_page_named_after_it() {
        let pages = pages(Cli::command()).unwrap();
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        for name in [
            "solvekit.1",
            "solvekit-build.1",
            "solvekit-history-inspect.1",
        ] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("__complete")));
        let build = pages.iter().find(|page| page.name == "solvekit-build.1");
        let text = String::from_utf8(build.unwrap().text.clone()).unwrap();
        assert!(
            text.contains("\\-\\-cache\\-from") && text.contains("Examples:"),
            "{text}"
        );
    }
}
