//! `solvekit install-plugin`: creates a link in the docker CLI's plugin folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use solvekit::files::random_name;
use solvekit_host::files::link_program;

use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::BuilderUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InstallPluginArgs {
    /// Replace buildx: docker build and docker buildx then run solvekit
    #[arg(long)]
    buildx: bool,

    /// Install into this folder [default: cli-plugins in the docker CLI's configuration]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Replace a plugin of the same name that is not solvekit; it is kept as NAME.old
    #[arg(short, long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit install-plugin                    docker solvekit build …
  solvekit install-plugin --buildx --force   docker build … and docker buildx … run solvekit";

/// Links this program as a plugin.
pub(crate) fn cmd_install_plugin(
    args: &InstallPluginArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let folder = match (&args.dir, &environment.docker_config) {
        (Some(folder), _) => folder.clone(),
        (None, Some(config)) => config.join("cli-plugins"),
        (None, None) => {
            return Err(BuilderUsage::NoPluginFolder.into());
        }
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find this program's path: {error}")))?;
    let name = match args.buildx {
        true => "docker-buildx",
        false => "docker-solvekit",
    };
    let link = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    fs::create_dir_all(&folder).map_err(|error| failed("make", &folder, &error))?;
    make_room(&link, &program, args.force)?;
    // Rename it into place, so that the plugin never disappears.
    let new = random_name(name.as_ref()).map_err(|error| failed("write", &link, &error))?;
    let new = folder.join(new);
    let linked = link_program(&program, &new).and_then(|()| fs::rename(&new, &link));
    linked.map_err(|error| {
        let _ = fs::remove_file(&new);
        failed("write", &link, &error)
    })?;
    print(&format!("{} -> {}", link.display(), program.display()))
}

/// Makes way for the link: this program or an older version of it may be replaced; another file is
/// renamed to `.old` if `force` is set.
fn make_room(link: &Path, program: &Path, force: bool) -> Result<(), Failure> {
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at", link, &error)),
        Ok(_) => {}
    }
    let target = fs::read_link(link).ok();
    if target.is_some_and(|target| target.file_name() == program.file_name()) {
        return Ok(());
    }
    if !force {
        return Err(BuilderUsage::OtherPlugin(link.to_owned()).into());
    }
    let mut kept = link.as_os_str().to_owned();
    kept.push(".old");
    fs::rename(link, &kept).map_err(|error| failed("rename", link, &error))
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {action} {}: {error}", path.display()))
}
