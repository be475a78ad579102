//! `solvekit completion SHELL` and `solvekit man`: made from the same definitions as `--help`.

use clap_complete::Shell;

use crate::cli::report::Failure;
use crate::cli::report::terminal::print_data;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    solvekit completion bash > /etc/bash_completion.d/solvekit\n  \
    solvekit completion zsh > \"${fpath[1]}/_solvekit\"\n  \
    solvekit completion fish > ~/.config/fish/completions/solvekit.fish")]
pub(crate) struct CompletionArgs {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn cmd_completion(
    args: &CompletionArgs,
    mut command: clap::Command,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "solvekit", &mut script);
    print_data(&script)
}

/// One page for the command and each subcommand, one after the other.
pub(crate) fn cmd_man(mut command: clap::Command) -> Result<(), Failure> {
    command.build();
    let mut page = Vec::new();
    let render = |command: &clap::Command, page: &mut Vec<u8>| {
        clap_mangen::Man::new(command.clone())
            .render(page)
            .map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))
    };
    render(&command, &mut page)?;
    for subcommand in command.get_subcommands() {
        render(subcommand, &mut page)?;
    }
    print_data(&page)
}
