//! Loads the modules of a policy: parses them, follows their imports, checks them.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use regorus::unstable::{Module, Ref};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, PolicyLengthConfig};

use crate::error::{Error, located};
use crate::evaluate::Settings;
use crate::{check, nesting, rewrite, walk};

/// The functions that every policy has.
const BUILTINS: &str = include_str!("builtins.rego");
const BUILTINS_FILE: &str = "builtin/buildx_defaults.rego";

const MAX_BYTES: usize = 1 << 20;
const MAX_MODULES: usize = 100;
/// The longest line. It is longer than people write, because a generated policy may be one line.
const MAX_COLUMN: u32 = 1 << 21;
/// The longest time of one evaluation.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Collects the modules of a policy.
#[derive(Debug)]
pub struct Loader {
    parser: Engine,
    modules: Vec<Loaded>,
    /// True if an import of a loaded package needs no file.
    knows_packages: bool,
}

#[derive(Debug)]
struct Loaded {
    file: String,
    text: String,
}

/// A loaded policy.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    pub(crate) modules: Vec<Ref<Module>>,
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl Loader {
    /// Returns a loader with the functions that every policy has.
    pub fn new() -> Self {
        Self {
            parser: engine(),
            modules: Vec::new(),
            knows_packages: false,
        }
    }

    /// Returns a loader for tests, which may import the packages of the tested policy.
    pub fn for_tests() -> Self {
        Self {
            knows_packages: true,
            ..Self::new()
        }
    }

    /// Adds a module.
    ///
    /// # Errors
    /// [`Error::Parse`] or [`Error::TooDeep`] with the place, or [`Error::TooLarge`].
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Error> {
        self.add_as(file, text, None)
    }

    /// Adds a module named by [`Loader::missing_imports`].
    ///
    /// # Errors
    /// As [`Loader::add`].
    pub fn add_import(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let package = file.strip_suffix(".rego").unwrap_or(file).replace('/', ".");
        self.add_as(file, text, Some(package))
    }

    fn add_as(&mut self, file: &str, text: &str, package: Option<String>) -> Result<(), Error> {
        if self.modules.len() >= MAX_MODULES {
            return Err(Error::TooManyModules { limit: MAX_MODULES });
        }
        if text.len() > MAX_BYTES {
            return Err(Error::TooLarge {
                file: file.to_owned(),
                bytes: text.len(),
                limit: MAX_BYTES,
            });
        }
        let text = match package {
            Some(package) => with_package(file, text, &package)?,
            None => text.to_owned(),
        };
        parse(&mut self.parser, file, text.clone())?;
        self.modules.push(Loaded {
            file: file.to_owned(),
            text,
        });
        Ok(())
    }

    /// Returns the files of imported modules that were not added yet, `lib/images.rego` for `import
    /// data.lib.images`, each with the module that imports it.
    pub fn missing_imports(&mut self) -> Vec<(String, String)> {
        let known: BTreeSet<&str> = self
            .modules
            .iter()
            .map(|found| found.file.as_str())
            .collect();
        let packages: BTreeSet<String> = match self.knows_packages {
            true => self
                .parser
                .get_modules()
                .iter()
                .map(|module| check::package(module))
                .collect(),
            false => BTreeSet::new(),
        };
        let mut missing = Vec::new();
        let modules = self.parser.get_modules();
        for (module, loaded) in modules.iter().zip(&self.modules) {
            for import in &module.imports {
                let path = walk::path(&import.refr).unwrap_or_default();
                let rest = match path.split_first() {
                    Some((first, rest)) if first == "data" => rest,
                    _ => continue,
                };
                let is_own = self.knows_packages && rest == ["docker"];
                if is_own || packages.contains(&path.join(".")) {
                    continue;
                }
                let file = format!("{}.rego", rest.join("/"));
                if !rest.is_empty() && !known.contains(file.as_str()) {
                    missing.push((file, loaded.file.clone()));
                }
            }
        }
        missing.dedup_by(|a, b| a.0 == b.0);
        missing
    }

    /// Checks the modules and returns the policy.
    ///
    /// # Errors
    /// [`Error::ImportNotFound`] for an import whose module was not added,
    /// [`Error::UndefinedFunction`] for a call of an undefined function.
    pub fn finish(mut self, settings: Settings) -> Result<Policy, Error> {
        if let Some((file, module)) = self.missing_imports().into_iter().next() {
            return Err(Error::ImportNotFound {
                module,
                package: file.trim_end_matches(".rego").replace('/', "."),
                file,
            });
        }
        parse(&mut self.parser, BUILTINS_FILE, BUILTINS.to_owned())?;
        let mut modules = self.parser.get_modules().clone();
        check::functions(&modules.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
        let mut running = engine();
        let builtins = Loaded {
            file: BUILTINS_FILE.to_owned(),
            text: BUILTINS.to_owned(),
        };
        let loaded = self.modules.iter().chain([&builtins]);
        for (module, loaded) in modules.iter().zip(loaded) {
            let text = rewrite::rewrite(module, &loaded.text);
            parse(&mut running, &loaded.file, text)?;
        }
        modules.pop();
        Ok(Policy {
            engine: running,
            settings,
            modules,
        })
    }
}

/// Returns the module's text with the package name of its import, which replaces its own.
fn with_package(file: &str, text: &str, package: &str) -> Result<String, Error> {
    let mut engine = engine();
    parse(&mut engine, file, text.to_owned())?;
    let modules = engine.get_modules();
    let span = modules.first().map(|module| module.package.refr.span());
    let parts = span.and_then(|span| {
        let (start, end) = (span.start as usize, span.end as usize);
        Some((text.get(..start)?, text.get(end..)?))
    });
    Ok(match parts {
        Some((before, after)) => format!("{before}{package}{after}"),
        None => text.to_owned(),
    })
}

fn parse(engine: &mut Engine, file: &str, text: String) -> Result<(), Error> {
    if let Some(line) = nesting::too_deep(&text) {
        let file = file.to_owned();
        return Err(Error::TooDeep {
            place: crate::Place { file, line },
        });
    }
    match engine.add_policy(file.to_owned(), text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let (place, reason) = located(&error.to_string());
            let place = place.unwrap_or(crate::Place {
                file: file.to_owned(),
                line: 1,
            });
            Err(Error::Parse { place, reason })
        }
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    let largest = |value: usize| NonZeroUsize::new(value).unwrap_or(NonZeroUsize::MIN);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::new(MAX_COLUMN).unwrap_or(NonZeroU32::MIN),
        // The rewritten text is longer.
        max_file_bytes: largest(MAX_BYTES * 16),
        max_lines: largest(MAX_BYTES),
    });
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: MAX_TIME,
        check_interval: NonZeroU32::new(1024).unwrap_or(NonZeroU32::MIN),
    });
    engine.set_gather_prints(true);
    engine
}
