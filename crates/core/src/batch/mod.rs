//! Dockerfiles in, graphs out, as JSON: for tools that want LLB without linking Rust. Pure.
//!
//! A [`Case`] is a Dockerfile with its build options. [`answer`] returns the graph, the image
//! config, the findings and the other results. `solvekit llb --format json` prints one answer,
//! `solvekit llb --batch` one for each line of cases.
//!
//! # A case
//! An object with these fields. All except the Dockerfile are optional:
//! - `id`: is repeated in the answer.
//! - `dockerfile`: its path, or `text`: its text.
//! - `dockerignore`, `dockerfile_dockerignore`: the text of the context's ignore file, and of the
//!   one beside the Dockerfile (which wins); `excludes`: its patterns instead; `local_ignores`: the
//!   texts of the ignore files of named folders, by name.
//! - `opts`: attributes of BuildKit's Dockerfile frontend (`target`, `build-arg:NAME`, `platform`
//!   …); `platform`: the same as `opts.platform`.
//! - `build_platform`: the worker's platform, default `linux/amd64`.
//! - `lock`: the path of a [lock](crate::lock) with the base images.
//! - `context_archive`: true if the file that `opts.context` downloads is an archive whose content
//!   is the context; default: false, the file itself is the context.
//! - `modes`: a list; `lint` adds `lint`, `outline` and `targets` to the answer.
//! - `session_id`: the session that serves folders; no digest depends on it.
//!
//! # An answer
//! - on failure: `error`, `errorRanges` (the places that BuildKit names, innermost first, each a
//!   list of `[line, column, line, column]`) and `errorLines` (the first and last line of the
//!   fault, also if BuildKit names none); otherwise
//! - `vertices`: inputs first, each with `digest`, `op` (protojson), `metadata` and `loc` (source
//!   ranges); `head`, the last one's digest; `terminal`, the op that names the result; `image`,
//!   `baseImage` (configs), `epoch` (seconds), `ignoreCache`, `sbomExtras` if they are not empty.
//!   With several platforms these fields are in `results`, one object per platform with its
//!   `platform`.
//! - `warnings`: findings of the lint rules; `requestedImages`: the images to resolve; `syntax`:
//!   the `# syntax=` line.
//!
//! ```
//! use solvekit_core::batch::{Case, answer};
//! use solvekit_core::lock::Lock;
//!
//! let case = Case::parse(r#"{"id": "a", "text": "FROM scratch\nCOPY . /\n"}"#)?;
//! let answer = answer(&case, case.text.as_deref().unwrap_or_default().as_bytes(), &Lock::new());
//! assert_eq!(answer["vertices"].as_array().map(Vec::len), Some(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod case;
mod images;

pub use answer::{Translated, answer, translate};
pub use case::Case;
pub use images::{Images, Offline};

#[cfg(test)]
mod tests;
