//! Output of commands: errors with hints and exit codes, tables, progress.

pub(crate) mod again;
pub(crate) mod annotations;
pub(crate) mod bake_files;
pub(crate) mod build_failure;
pub(crate) mod builder_json;
pub(crate) mod builder_platforms;
pub(crate) mod builders;
pub(crate) mod buildx_usage;
pub(crate) mod buildx_values;
mod buildx_words;
mod cluster;
pub(crate) mod columns;
mod connection;
pub(crate) mod context_hint;
pub(crate) mod daemon_text;
pub(crate) mod display;
pub(crate) mod explanation;
pub(crate) mod failure;
#[cfg(test)]
mod flag_tests;
pub(crate) mod hint;
pub(crate) mod image_diff;
pub(crate) mod last_lines;
pub(crate) mod library;
pub(crate) mod nodes_failure;
pub(crate) mod panic;
pub(crate) mod platforms_failure;
pub(crate) mod prompt;
pub(crate) mod recorded;
pub(crate) mod records;
pub(crate) mod registry_failure;
mod remedies;
mod steps_of_layers;
pub(crate) mod table_format;
pub(crate) mod template_words;
pub(crate) mod terminal;
pub(crate) mod usage;
pub(crate) mod verification;

pub(crate) use failure::Failure;
pub(crate) use usage::Advised;
