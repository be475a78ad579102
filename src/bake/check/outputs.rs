//! Outputs: each destination must be of the right kind.

use std::io;

use solvekit_bake::target::Output;

use super::{CheckError, Found, Machine, OutputProblem};

pub(super) fn check(outputs: &[Output], machine: &dyn Machine) -> Result<(), CheckError> {
    let mut stdout_used = false;
    for output in outputs {
        check_output(output, machine, &mut stdout_used).map_err(|problem| CheckError::Output {
            kind: output.kind.clone(),
            problem,
        })?;
    }
    Ok(())
}

fn check_output(
    output: &Output,
    machine: &dyn Machine,
    stdout_used: &mut bool,
) -> Result<(), OutputProblem> {
    let kind = output.kind.as_str();
    let tar = output.attributes.get("tar").map(String::as_str);
    let is_unpacked = matches!(tar, Some("0" | "f" | "F" | "false" | "FALSE" | "False"));
    let to_folder = kind == "local" || matches!(kind, "oci" | "docker") && is_unpacked;
    let to_file = kind == "tar" || matches!(kind, "oci" | "docker") && !is_unpacked;
    let path = output.destination.as_str();
    let look = || match machine.look(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OutputProblem::Look {
            path: path.to_owned(),
            source,
        }),
    };
    match path {
        "" if to_folder => Err(OutputProblem::NoFolder),
        "-" if to_folder => Err(OutputProblem::FolderToStdout),
        _ if to_folder => match look()? {
            None | Some(Found::Folder) => Ok(()),
            Some(_) => Err(OutputProblem::IsFile(path.to_owned())),
        },
        "" if !to_file || kind == "docker" => Ok(()),
        "" | "-" if to_file => {
            if std::mem::replace(stdout_used, true) {
                return Err(OutputProblem::StdoutTwice);
            }
            match machine.stdout_is_terminal() {
                true => Err(OutputProblem::Terminal),
                false => Ok(()),
            }
        }
        _ if to_file => match look()? {
            Some(Found::Folder) => Err(OutputProblem::IsFolder(path.to_owned())),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
